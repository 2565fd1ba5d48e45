import { byId, h, icon, iconButton } from './dom.js';

const SHOWN_MS = 6000;
const MOST = 3;

/**
 * Shows a short notice; errors stay longer and are read at once.
 * @param {string} text
 * @param {{ kind?: 'info'|'success'|'error', action?: { label: string, run: () => void } }} [options]
 */
export function toast(text, { kind = 'info', action } = {}) {
  const region = byId('toasts', HTMLElement);
  const close = () => {
    clearTimeout(timer);
    element.remove();
    if (!region.firstElementChild) region.hidePopover();
  };
  const element = h('div', { class: `toast ${kind}`, role: kind === 'error' ? 'alert' : 'status' },
    icon(kind === 'error' ? 'alert' : kind === 'success' ? 'check' : 'info'),
    h('p', {}, text),
    action && h('button', { type: 'button', class: 'text-button', on: { click: () => { close(); action.run(); } } }, action.label),
    iconButton('Dismiss', 'close', close));
  let timer = 0;
  const start = () => { timer = setTimeout(close, kind === 'error' ? 2 * SHOWN_MS : SHOWN_MS); };
  // Nobody should lose what they are reading, or about to press.
  element.addEventListener('pointerenter', () => clearTimeout(timer));
  element.addEventListener('pointerleave', start);
  element.addEventListener('focusin', () => clearTimeout(timer));
  element.addEventListener('focusout', start);
  // Shown anew each time, it lies above a dialog that was opened meanwhile.
  region.hidePopover();
  region.showPopover();
  region.append(element);
  while (region.children.length > MOST) region.firstElementChild?.remove();
  start();
}

/** An error as a toast; one that was caused by leaving is none. @param {unknown} error */
export function toastError(error) {
  if (error instanceof DOMException && error.name === 'AbortError') return;
  toast(error instanceof Error ? error.message : String(error), { kind: 'error' });
}
