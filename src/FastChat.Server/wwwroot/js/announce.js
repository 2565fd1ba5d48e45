import { byId } from './dom.js';

/**
 * Says something to screen readers, politely. The newest text replaces what was not read yet.
 * @param {string} text
 */
export function announce(text) {
  const region = byId('announcer', HTMLElement);
  // The same text twice is no change, and would not be read.
  region.textContent = region.textContent === text ? `${text}\u00A0` : text;
}
