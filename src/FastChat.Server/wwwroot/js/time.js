// Times as people say them, in the reader's own language and zone.

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });

/** @param {string} iso */
export function timeOf(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  return daysAgo(at) === 0 ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
}

/** @param {string} iso */
export function fullTimeOf(iso) {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? '' : full.format(at);
}

/** The heading under which a conversation of this time is listed. @param {string} iso */
export function ageOf(iso) {
  const days = daysAgo(new Date(iso));
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days <= 7) return 'Previous 7 days';
  if (days <= 30) return 'Previous 30 days';
  return 'Older';
}

/** @param {number} bytes */
export function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(bytes < 10_240 ? 1 : 0)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function daysAgo(/** @type {Date} */ at) {
  const today = new Date();
  const midnight = (/** @type {Date} */ d) => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate());
  return Math.round((midnight(today) - midnight(at)) / 86_400_000);
}
