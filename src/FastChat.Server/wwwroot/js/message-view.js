// One message on the page.

import { copyButton } from './copy.js';
import { h, icon } from './dom.js';
import { MarkdownView } from './markdown/view.js';
import { fullTimeOf, timeOf } from './time.js';

/** @typedef {import('./messages.js').Message} Message */

/** How an answer ended, where that is worth a word. @type {Record<string, string>} */
const ENDINGS = {
  cancelled: 'You stopped this answer.',
  truncated: 'The answer broke off here.',
  length: 'The answer reached its length limit.',
  content_filter: 'The model’s operator cut this answer.',
};

export class MessageView {
  /** @type {HTMLElement} */
  element;
  #message;
  #tryAgain;
  #body = h('div', { class: 'message-body' });
  #sources = h('div', { class: 'sources' });
  #note = h('p', { class: 'message-note' });
  #foot = h('footer', { class: 'message-foot' });
  /** @type {MarkdownView | null} */
  #markdown = null;
  #shown = '';

  /**
   * @param {Message} message
   * @param {string} speaker
   * @param {() => void} tryAgain
   */
  constructor(message, speaker, tryAgain) {
    this.#message = message;
    this.#tryAgain = tryAgain;
    if (message.role === 'assistant') this.#markdown = new MarkdownView(this.#body);
    this.element = h('article', { class: `message ${message.role}`, 'aria-label': message.role === 'user' ? 'You' : speaker, tabindex: '-1' },
      message.role === 'assistant' && h('span', { class: 'message-mark', 'aria-hidden': 'true' }, icon('mark')),
      h('div', { class: 'message-content' }, this.#body, this.#note, this.#sources, this.#foot));
    this.update(false);
  }

  /** @param {boolean} isLast Whether it is the newest message, which alone can be asked again. */
  update(isLast) {
    const m = this.#message;
    // What has not changed is not touched: a long conversation costs no more than its newest message.
    const state = [m.text.length, m.state, m.error, m.finish, m.at, m.sources?.length, m.restart, isLast, m.state === 'done' && m.text].join('|');
    if (state === this.#shown) return;
    this.#shown = state;
    this.element.dataset.state = m.state;
    this.element.dataset.id = m.id ?? '';
    this.#showText();
    this.#showNote();
    this.#showSources();
    this.#showFoot(isLast);
  }

  #showText() {
    const m = this.#message;
    const isThinking = m.state === 'waiting' && !m.text;
    this.element.classList.toggle('streaming', m.state === 'streaming');
    if (m.role === 'user' || m.role === 'system') this.#body.textContent = m.text;
    else if (isThinking && !this.#body.querySelector('.thinking')) this.#body.replaceChildren(thinking());
    else if (!isThinking) {
      this.#body.querySelector('.thinking')?.remove();
      this.#markdown?.set(m.text, m.state === 'streaming' || m.state === 'waiting');
    }
  }

  #showNote() {
    const m = this.#message;
    const isProblem = m.state === 'failed' || m.state === 'missing';
    const text = m.state === 'limited' ? 'Waits for its turn.'
      : m.state === 'missing' ? 'There is no answer to this message.'
      : m.state === 'failed' ? m.error ?? 'The model failed.'
      : ENDINGS[m.finish ?? ''] ?? '';
    this.#note.hidden = text === '';
    this.#note.classList.toggle('problem', isProblem);
    this.#note.replaceChildren(...(isProblem ? [icon('alert')] : []), text);
  }

  #showSources() {
    const sources = this.#message.sources ?? [];
    this.#sources.hidden = sources.length === 0;
    if (sources.length === this.#sources.querySelectorAll('details').length) return;
    this.#sources.replaceChildren(h('h3', {}, sources.length === 1 ? 'Source' : 'Sources'), ...sources.map(s =>
      h('details', { class: 'source' },
        h('summary', {}, icon('document'), h('span', { class: 'source-name' }, s.file_name), h('span', { class: 'source-place' }, `passage ${s.passage + 1}`), icon('chevron')),
        h('blockquote', {}, s.text))));
  }

  #showFoot(/** @type {boolean} */ isLast) {
    const m = this.#message;
    const isSettled = m.state === 'done' || m.state === 'failed' || m.state === 'sent' || m.state === 'missing';
    const canRetry = m.state === 'failed' || m.state === 'missing' || (isLast && m.role === 'assistant' && m.state === 'done');
    this.#foot.hidden = !isSettled;
    this.#foot.replaceChildren(
      ...(m.text ? [copyButton(m.role === 'user' ? 'Copy message' : 'Copy answer', () => this.#message.text)] : []),
      ...(canRetry ? [h('button', { type: 'button', class: 'copy-button retry', on: { click: this.#tryAgain } }, icon('retry'), 'Try again')] : []),
      h('time', { datetime: m.at, title: fullTimeOf(m.at) }, timeOf(m.at)));
  }
}

function thinking() {
  return h('p', { class: 'thinking' }, h('span', { class: 'visually-hidden' }, 'Thinking'),
    h('span', { class: 'dot' }), h('span', { class: 'dot' }), h('span', { class: 'dot' }));
}
