// A classic script in the head: the chosen theme is there before the first paint. The rest is in theme.js.
try {
  const theme = JSON.parse(localStorage.getItem('fastchat.theme') ?? 'null');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // No storage: the system's theme it is.
}
