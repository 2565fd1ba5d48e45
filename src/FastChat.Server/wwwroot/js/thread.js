// The conversation on the page: keeps one view per message, in order, and redraws at most once a frame.

import { byId, h, icon, reducedMotion } from './dom.js';
import { MessageView } from './message-view.js';
import { StickyScroll } from './scroll.js';

/** @typedef {import('./messages.js').Message} Message */

const BACKGROUND_MS = 250;

export class Thread {
  #list = byId('messages', HTMLElement);
  #empty = byId('empty', HTMLElement);
  #earlier = byId('load-earlier', HTMLButtonElement);
  #jump = byId('jump', HTMLButtonElement);
  #scroll;
  /** @type {Map<string, MessageView>} */
  #views = new Map();
  /** @type {import('./chat.js').Chat | null} */
  #chat = null;
  #speaker = '';
  #frame = 0;
  #timer = 0;
  /** @type {string | null} */
  #wanted = null;

  /** @param {(text: string) => void} onSuggestion */
  constructor(onSuggestion) {
    const scroller = byId('scroller', HTMLElement);
    this.#scroll = new StickyScroll(scroller, byId('thread', HTMLElement), isPinned => { this.#jump.hidden = isPinned; });
    this.#jump.addEventListener('click', () => this.#scroll.toEnd(!reducedMotion()));
    this.#earlier.addEventListener('click', () => void this.#loadEarlier());
    for (const button of document.querySelectorAll('#empty button[data-suggestion]'))
      button.addEventListener('click', () => onSuggestion(/** @type {HTMLElement} */ (button).dataset.suggestion ?? ''));
  }

  /**
   * Shows another conversation.
   * @param {import('./chat.js').Chat | null} chat
   * @param {string} speaker
   */
  show(chat, speaker) {
    this.#chat = chat;
    this.#speaker = speaker;
    this.#wanted = null;
    this.#views.clear();
    this.#list.replaceChildren();
    this.#scroll.toEnd();
    this.refresh();
  }

  /** Something changed; drawn with the next frame, however often this is called. */
  refresh() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => this.#draw());
    // A tab in the background has no frames, and must not fall behind all the same.
    this.#timer = setTimeout(() => this.#draw(), BACKGROUND_MS);
  }

  toEnd() {
    this.#scroll.toEnd();
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = 0;
    const messages = this.#chat?.messages.list ?? [];
    const keys = new Set(messages.map(m => m.key));
    for (const [key, view] of this.#views) {
      if (keys.has(key)) continue;
      view.element.remove();
      this.#views.delete(key);
    }
    messages.forEach((message, i) => {
      const view = this.#views.get(message.key) ?? this.#add(message);
      view.update(i === messages.length - 1);
      if (this.#list.children[i] !== view.element) this.#list.insertBefore(view.element, this.#list.children[i] ?? null);
    });
    const isLoading = this.#chat?.conversationId && !this.#chat.isLoaded && messages.length === 0;
    this.#empty.hidden = messages.length > 0 || Boolean(isLoading);
    this.#list.setAttribute('aria-busy', String(Boolean(isLoading)));
    if (isLoading && !this.#list.firstElementChild) this.#list.append(skeleton());
    else if (!isLoading) this.#list.querySelector('.skeleton')?.remove();
    this.#earlier.hidden = !this.#chat?.earlier;
    this.#reveal();
  }

  #add(/** @type {Message} */ message) {
    const view = new MessageView(message, this.#speaker, () => this.#chat?.tryAgain(message));
    this.#views.set(message.key, view);
    return view;
  }

  async #loadEarlier() {
    this.#earlier.disabled = true;
    try {
      await this.#chat?.loadEarlier();
      this.#scroll.keepPlace(() => this.#draw());
    } finally {
      this.#earlier.disabled = false;
    }
  }

  /** Brings a message into sight, as soon as it is there. @param {string} messageId */
  reveal(messageId) {
    this.#wanted = messageId;
    this.refresh();
  }

  #reveal() {
    if (!this.#wanted || !this.#chat?.isLoaded) return;
    const wanted = this.#wanted;
    const element = [...this.#views.values()].find(v => v.element.dataset.id === wanted)?.element;
    this.#wanted = null;
    if (!element) {
      // It lies further back. Once all is loaded it is there, or nowhere.
      if (this.#chat.earlier) void this.#chat.loadUntil(wanted).then(() => this.reveal(wanted));
      return;
    }
    this.#scroll.release();
    element.scrollIntoView({ block: 'center' });
    element.classList.remove('found');
    requestAnimationFrame(() => element.classList.add('found'));
  }
}

function skeleton() {
  return h('div', { class: 'skeleton', 'aria-hidden': 'true' }, ...['short', 'long', 'medium', 'long'].map(c => h('span', { class: c })), icon('mark'));
}
