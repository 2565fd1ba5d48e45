import { h, iconButton } from './dom.js';

let dialogs = 0;

/**
 * Shows a modal dialog; the browser keeps the focus inside and gives it back.
 * @param {string} title
 * @param {Node[]} content
 * @param {{ class?: string, onClose?: () => void }} [options]
 */
export function openDialog(title, content, { class: name = '', onClose } = {}) {
  const id = `dialog-${++dialogs}`;
  const heading = h('h2', { id }, title);
  const dialog = h('dialog', { class: `dialog ${name}`, 'aria-labelledby': id },
    h('header', { class: 'dialog-head' }, heading, iconButton('Close', 'close', () => dialog.close())), ...content);
  dialog.addEventListener('close', () => {
    dialog.remove();
    onClose?.();
  });
  // A press on the backdrop, begun and ended there, closes it.
  dialog.addEventListener('pointerdown', down => {
    if (down.target === dialog) dialog.addEventListener('pointerup', up => { if (up.target === dialog) dialog.close(); }, { once: true });
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Asks before something that cannot be undone.
 * @param {{ title: string, text: string, action: string }} question
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, action }) {
  return new Promise(resolve => {
    let confirmed = false;
    const cancel = h('button', { type: 'button', class: 'button', autofocus: true, on: { click: () => dialog.close() } }, 'Cancel');
    const go = h('button', { type: 'button', class: 'button danger', on: { click: () => { confirmed = true; dialog.close(); } } }, action);
    const dialog = openDialog(title, [h('p', { class: 'dialog-text' }, text), h('div', { class: 'dialog-actions' }, cancel, go)],
      { class: 'small', onClose: () => resolve(confirmed) });
    cancel.focus();
  });
}

/**
 * Asks for a line of text.
 * @param {{ title: string, label: string, value: string, action: string, maxLength: number }} question
 * @returns {Promise<string | null>} Trimmed and not empty; null when nothing is to be changed.
 */
export function ask({ title, label, value, action, maxLength }) {
  return new Promise(resolve => {
    /** @type {string | null} */
    let answer = null;
    const input = h('input', { type: 'text', id: 'dialog-input', class: 'field', required: true, maxlength: maxLength, autocomplete: 'off', value });
    const form = h('form', { method: 'dialog', class: 'dialog-form', on: {
      submit: () => { answer = input.value.trim() || null; },
    } }, h('label', { for: 'dialog-input' }, label), input, h('div', { class: 'dialog-actions' },
      h('button', { type: 'button', class: 'button', on: { click: () => dialog.close() } }, 'Cancel'),
      h('button', { type: 'submit', class: 'button primary' }, action)));
    const dialog = openDialog(title, [form], { class: 'small', onClose: () => resolve(answer === value ? null : answer) });
    input.select();
  });
}
