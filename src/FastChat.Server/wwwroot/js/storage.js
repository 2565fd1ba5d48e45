// What the browser keeps between visits. Storage may be full, forbidden or edited by hand: reading never throws, writing is best effort.

const PREFIX = 'fastchat.';

/**
 * @template T
 * @param {string} key
 * @param {T} fallback Returned when there is nothing, or nothing sensible.
 * @returns {T}
 */
export function load(key, fallback) {
  try {
    const text = localStorage.getItem(PREFIX + key);
    const value = text === null ? fallback : JSON.parse(text);
    return typeof value === typeof fallback && Array.isArray(value) === Array.isArray(fallback) ? value : fallback;
  } catch {
    return fallback;
  }
}

/**
 * @param {string} key
 * @param {unknown} value Null or undefined removes it.
 */
export function save(key, value) {
  try {
    if (value === null || value === undefined) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Private windows and full disks: the page works, it only forgets.
  }
}

/** Removes every key that begins so. @param {string} prefix */
export function forget(prefix) {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX + prefix)) localStorage.removeItem(key);
  } catch {
    // See save.
  }
}
