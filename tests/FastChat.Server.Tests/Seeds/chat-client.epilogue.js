// The document's example sends before its socket can be open; a user is not that fast.
socket.addEventListener('open', () => sendMessage("Hello, can you help me with my project?"));
