import { h, icon } from './dom.js';
import { announce } from './announce.js';

const SHOWN_MS = 1600;

/**
 * A button that copies a text and says so.
 * @param {string} name
 * @param {() => string} text Asked when it is pressed.
 */
export function copyButton(name, text) {
  const label = h('span', { class: 'copy-label' }, 'Copy');
  const button = h('button', { type: 'button', class: 'copy-button', 'aria-label': name, title: name }, icon('copy'), label);
  let timer = 0;
  button.addEventListener('click', async () => {
    const done = await copyText(text());
    button.replaceChildren(icon(done ? 'check' : 'alert'), label);
    label.textContent = done ? 'Copied' : 'Not copied';
    announce(done ? 'Copied.' : 'Copying is not allowed here.');
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.replaceChildren(icon('copy'), label);
      label.textContent = 'Copy';
    }, SHOWN_MS);
  });
  return button;
}

/** @returns {Promise<boolean>} Whether it worked. */
async function copyText(/** @type {string} */ text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyThroughSelection(text);
  }
}

// Plain http on another machine has no clipboard API.
function copyThroughSelection(/** @type {string} */ text) {
  const area = h('textarea', { class: 'visually-hidden', 'aria-hidden': 'true', tabindex: '-1' });
  const focused = document.activeElement;
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}
