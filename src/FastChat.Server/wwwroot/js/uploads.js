// Uploads on their way, as chips above the composer.

import { announce } from './announce.js';
import { ApiError } from './api.js';
import { byId, h, icon, iconButton } from './dom.js';
import { sizeOf } from './time.js';
import { toast } from './toast.js';

const DONE_MS = 8000;

export class Uploads {
  #tray = byId('uploads', HTMLElement);
  #api;
  #onDone;

  /** @param {import('./api.js').Api} api @param {(chatbotId: string) => void} onDone */
  constructor(api, onDone) {
    this.#api = api;
    this.#onDone = onDone;
  }

  /** @param {string} chatbotId @param {Iterable<File>} files */
  add(chatbotId, files) {
    for (const file of files) void this.#upload(chatbotId, file);
  }

  async #upload(/** @type {string} */ chatbotId, /** @type {File} */ file) {
    const abort = new AbortController();
    const status = h('span', { class: 'chip-status' }, 'Waiting…');
    const bar = h('progress', { max: '1', value: '0', 'aria-label': `Uploading ${file.name}` });
    const close = () => {
      abort.abort();
      chip.remove();
    };
    const chip = h('div', { class: 'chip' }, icon('document'),
      h('div', { class: 'chip-text' }, h('span', { class: 'chip-name', title: file.name }, file.name), status, bar), iconButton(`Remove ${file.name}`, 'close', close));
    this.#tray.append(chip);
    try {
      await this.#api.upload(chatbotId, file, fraction => {
        bar.value = fraction;
        status.textContent = fraction < 1 ? `${Math.round(fraction * 100)} % of ${sizeOf(file.size)}` : 'Reading…';
      }, abort.signal);
      chip.classList.add('done');
      chip.firstElementChild?.replaceWith(icon('check'));
      status.textContent = 'Ready – ask about it';
      announce(`${file.name} is ready. You can ask about it.`);
      this.#onDone(chatbotId);
      setTimeout(() => chip.remove(), DONE_MS);
    } catch (error) {
      chip.remove();
      if (!abort.signal.aborted) toast(`${file.name}: ${describe(error)}`, { kind: 'error' });
    }
    bar.remove();
  }
}

function describe(/** @type {unknown} */ error) {
  if (!(error instanceof ApiError)) return 'The upload failed.';
  const accepted = error.accepted?.filter(a => !error.message.includes(a)) ?? [];
  return accepted.length > 0 ? `${error.message} Accepted: ${accepted.join(', ')}.` : error.message;
}
