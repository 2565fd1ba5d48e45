// Where messages are written: grows with its text, keeps a draft for each conversation, sends with Enter.

import { byId, icon } from './dom.js';
import { load, save } from './storage.js';

// The server's limit: 32 KiB of UTF-8.
const MAX_BYTES = 32 * 1024;
const DRAFT_DELAY_MS = 300;

export class Composer {
  #form = byId('composer', HTMLFormElement);
  #input = byId('composer-input', HTMLTextAreaElement);
  #action = byId('composer-action', HTMLButtonElement);
  #hint = byId('composer-hint', HTMLElement);
  #on;
  #draftKey = '';
  #draftTimer = 0;
  #isBusy = false;
  #canStop = false;
  // Enter was pressed before the page was ready.
  #sendWhenReady = false;

  /** @param {{ send: (text: string) => boolean, stop: () => void, files: (files: File[]) => void }} on */
  constructor(on) {
    this.#on = on;
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      if (this.#isBusy) this.#stop();
      else this.#send();
    });
    this.#input.addEventListener('input', () => this.#changed());
    this.#input.addEventListener('keydown', event => this.#key(event));
    this.#input.addEventListener('paste', event => this.#paste(event));
    document.addEventListener('keydown', event => {
      if (event.key === 'Escape' && this.#canStop && !event.defaultPrevented && !document.querySelector('dialog[open], .menu')) this.#stop();
    });
    addEventListener('pagehide', () => this.#saveDraft());
    this.#fit();
  }

  /** Ready to write; not on a touch screen, where it would bring up the keyboard unasked. */
  focus() {
    if (matchMedia('(hover: hover)').matches) this.#input.focus();
  }

  /** Another conversation: its draft, and where drafts go from now on. @param {string} draftKey */
  use(draftKey) {
    this.#saveDraft();
    // What was written before the page was ready is not lost.
    if (this.#draftKey || !this.#input.value) this.#input.value = load(draftKey, '');
    this.#draftKey = draftKey;
    this.#fit();
    if (this.#sendWhenReady) this.#send();
  }

  /** What was to be sent when the page is ready stays where it is: there is no conversation for it. */
  hold() {
    this.#sendWhenReady = false;
  }

  /** The conversation that was being started has an id now. @param {string} draftKey */
  rename(draftKey) {
    save(this.#draftKey, null);
    this.#draftKey = draftKey;
    this.#saveDraft();
  }

  /** Nothing is kept any more: whoever wrote here has left. */
  close() {
    clearTimeout(this.#draftTimer);
    this.hold();
    this.#draftKey = '';
    this.#input.value = '';
  }

  /** Puts a text in to be changed or sent. @param {string} text */
  suggest(text) {
    this.#input.value = text;
    this.#changed();
    this.#input.focus();
    // What stands in brackets is to be filled in.
    const start = text.indexOf('…');
    if (start >= 0) this.#input.setSelectionRange(start, start + 1);
  }

  /** @param {boolean} isBusy An answer is expected: the button stops it. @param {string} placeholder */
  show(isBusy, placeholder) {
    this.#input.placeholder = placeholder;
    this.#canStop = isBusy;
    if (isBusy === this.#isBusy) return;
    this.#isBusy = isBusy;
    this.#action.replaceChildren(icon(isBusy ? 'stop' : 'send'));
    this.#action.setAttribute('aria-label', isBusy ? 'Stop answering' : 'Send message');
    this.#action.title = isBusy ? 'Stop (Esc)' : 'Send (Enter)';
    this.#action.classList.toggle('stop', isBusy);
    this.#fit();
  }

  #send() {
    const text = this.#input.value.trim();
    this.#sendWhenReady = false;
    if (!text || this.#isBusy || isTooLong(text)) return;
    if (!this.#on.send(text)) {
      // While another conversation opens, it stays the draft of the last one.
      this.#sendWhenReady = !this.#draftKey;
      return;
    }
    this.#input.value = '';
    this.#saveDraft();
    this.#fit();
    this.#input.focus();
  }

  #stop() {
    if (this.#canStop) this.#on.stop();
  }

  #key(/** @type {KeyboardEvent} */ event) {
    // Enter that ends an input method's word is not meant for us.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  #paste(/** @type {ClipboardEvent} */ event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.#on.files(files);
  }

  #changed() {
    // Whoever writes on has thought again.
    this.hold();
    this.#fit();
    clearTimeout(this.#draftTimer);
    this.#draftTimer = setTimeout(() => this.#saveDraft(), DRAFT_DELAY_MS);
  }

  #fit() {
    const text = this.#input.value;
    this.#input.style.height = 'auto';
    this.#input.style.height = `${this.#input.scrollHeight}px`;
    const tooLong = isTooLong(text);
    this.#hint.classList.toggle('problem', tooLong);
    this.#hint.dataset.tooLong = String(tooLong);
    this.#action.disabled = !this.#isBusy && (text.trim() === '' || tooLong);
  }

  #saveDraft() {
    clearTimeout(this.#draftTimer);
    if (this.#draftKey) save(this.#draftKey, this.#input.value || null);
  }
}

function isTooLong(/** @type {string} */ text) {
  return text.length > MAX_BYTES || (text.length * 3 > MAX_BYTES && new TextEncoder().encode(text).length > MAX_BYTES);
}
