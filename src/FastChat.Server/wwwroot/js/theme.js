import { load, save } from './storage.js';

/** @typedef {'system'|'light'|'dark'} Theme */

/** @returns {Theme} */
export function currentTheme() {
  const theme = load('theme', /** @type {string} */ (''));
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/** @param {Theme} theme */
export function setTheme(theme) {
  save('theme', theme === 'system' ? null : theme);
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  paintBrowser();
}

/** Gives the browser's own bars the page's colour. */
export function paintBrowser() {
  const colour = getComputedStyle(document.documentElement).getPropertyValue('--sidebar').trim();
  document.querySelector('meta[name="theme-color"]')?.setAttribute('content', colour);
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paintBrowser);
