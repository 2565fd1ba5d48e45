import { h, icon } from './dom.js';

/** @typedef {{ label: string, icon?: string, danger?: boolean, checked?: boolean, run: () => void }} Item */

/** @type {(() => void) | null} */
let closeOpen = null;

/**
 * Makes a button open a menu, by pointer and by keyboard (arrows, Home, End, Escape, first letters).
 * @param {HTMLButtonElement} button
 * @param {() => (Item | null)[]} items Asked each time; null is a line between groups.
 */
export function attachMenu(button, items) {
  button.setAttribute('aria-haspopup', 'menu');
  button.setAttribute('aria-expanded', 'false');
  button.addEventListener('click', event => {
    event.stopPropagation();
    if (button.getAttribute('aria-expanded') === 'true') closeOpen?.();
    else open(button, items());
  });
  button.addEventListener('keydown', event => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    open(button, items());
  });
}

function open(/** @type {HTMLButtonElement} */ button, /** @type {(Item | null)[]} */ items) {
  closeOpen?.();
  const listening = new AbortController();
  const close = (/** @type {boolean} */ refocus = true) => {
    closeOpen = null;
    listening.abort();
    menu.remove();
    button.setAttribute('aria-expanded', 'false');
    if (refocus && button.isConnected) button.focus();
  };
  const menu = h('div', { class: 'menu', role: 'menu', popover: 'manual', 'aria-label': button.getAttribute('aria-label') },
    ...items.map(item => item ? menuItem(item, close) : h('div', { class: 'menu-line', role: 'separator' })));
  // In the dialog, if there is one: what is outside it cannot be reached.
  (button.closest('dialog') ?? document.body).append(menu);
  menu.showPopover();
  place(menu, button);
  button.setAttribute('aria-expanded', 'true');
  closeOpen = () => close(false);

  const { signal } = listening;
  menu.addEventListener('keydown', event => navigate(event, menu, close), { signal });
  document.addEventListener('pointerdown', event => {
    if (!menu.contains(/** @type {Node} */ (event.target)) && !button.contains(/** @type {Node} */ (event.target))) close(false);
  }, { signal, capture: true });
  addEventListener('resize', () => close(false), { signal });
  addEventListener('blur', () => close(false), { signal });
  entries(menu)[0]?.focus();
}

function menuItem(/** @type {Item} */ item, /** @type {() => void} */ close) {
  const role = item.checked === undefined ? 'menuitem' : 'menuitemradio';
  return h('button', {
    type: 'button', role, tabindex: '-1', class: item.danger ? 'danger' : null, 'aria-checked': item.checked === undefined ? null : String(item.checked),
    on: { click: () => { close(); item.run(); } },
  }, item.icon && icon(item.icon), h('span', {}, item.label), item.checked && icon('check'));
}

function navigate(/** @type {KeyboardEvent} */ event, /** @type {HTMLElement} */ menu, /** @type {(refocus?: boolean) => void} */ close) {
  const all = entries(menu);
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const go = (/** @type {number} */ to) => all[(to + all.length) % all.length].focus();
  if (event.key === 'ArrowDown') go(at + 1);
  else if (event.key === 'ArrowUp') go(at - 1);
  else if (event.key === 'Home') go(0);
  else if (event.key === 'End') go(-1);
  else if (event.key === 'Escape' || event.key === 'Tab') close();
  else if (event.key.length === 1 && /\S/.test(event.key)) {
    const next = [...all.slice(at + 1), ...all].find(e => e.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()));
    next?.focus();
    return;
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

/** @returns {HTMLElement[]} */
function entries(/** @type {HTMLElement} */ menu) {
  return [...menu.querySelectorAll('button')];
}

// Below the button, or above it where there is no room; never outside the window.
function place(/** @type {HTMLElement} */ menu, /** @type {HTMLElement} */ button) {
  const margin = 8;
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + 4 + height + margin <= innerHeight;
  menu.style.top = `${Math.max(margin, below ? at.bottom + 4 : at.top - 4 - height)}px`;
  const left = at.left + width + margin <= innerWidth ? at.left : at.right - width;
  menu.style.left = `${Math.min(Math.max(margin, left), Math.max(margin, innerWidth - width - margin))}px`;
}
