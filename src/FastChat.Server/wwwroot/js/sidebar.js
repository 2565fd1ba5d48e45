// The conversations: a list by age, or what a search found.

import { announce } from './announce.js';
import { byId, h, iconButton } from './dom.js';
import { attachMenu } from './menu.js';
import { ageOf } from './time.js';
import { toastError } from './toast.js';

/** @typedef {import('./api.js').Conversation} Conversation */

const SEARCH_DELAY_MS = 180;

/**
 * @typedef {object} Actions
 * @property {(conversation: Conversation) => void} open
 * @property {(conversation: Conversation) => void} rename
 * @property {(conversation: Conversation) => void} remove
 * @property {(conversation: Conversation, format: 'json' | 'markdown') => void} export
 */

export class Sidebar {
  #api;
  #actions;
  #list = byId('conversations', HTMLElement);
  #input = byId('search', HTMLInputElement);
  #clear = byId('search-clear', HTMLButtonElement);
  /** @type {Conversation[]} */
  #conversations = [];
  /** @type {string | null} */
  #before = null;
  /** @type {Conversation[] | null} */
  #found = null;
  /** @type {string | null} */
  #current = null;
  /** @type {AbortController | null} */
  #searching = null;
  #timer = 0;
  // What the list shows, as text.
  #drawn = '';

  /** @param {import('./api.js').Api} api @param {Actions} actions */
  constructor(api, actions) {
    this.#api = api;
    this.#actions = actions;
    this.#input.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#search(), SEARCH_DELAY_MS);
    });
    this.#input.addEventListener('keydown', event => this.#searchKey(event));
    this.#clear.addEventListener('click', () => {
      this.clearSearch();
      this.#input.focus();
    });
    this.#list.addEventListener('keydown', event => this.#listKey(event));
  }

  /** Loads the newest conversations again. */
  async refresh() {
    try {
      const page = await this.#api.conversations();
      this.#conversations = page.items;
      this.#before = page.before;
      if (!this.#found) this.#draw();
    } catch (error) {
      if (this.#conversations.length === 0) toastError(error);
    }
  }

  /** @param {string | null} id */
  select(id) {
    this.#current = id;
    for (const link of this.#list.querySelectorAll('a')) link.toggleAttribute('aria-current', link.dataset.id === id);
    for (const link of this.#list.querySelectorAll('a[aria-current]')) link.setAttribute('aria-current', 'page');
  }

  /** @param {string} id @returns {Conversation | undefined} */
  find(id) {
    return this.#conversations.find(c => c.id === id) ?? this.#found?.find(c => c.id === id);
  }

  focusSearch() {
    this.#input.focus();
    this.#input.select();
  }

  clearSearch() {
    clearTimeout(this.#timer);
    this.#searching?.abort();
    this.#input.value = '';
    this.#clear.hidden = true;
    this.#found = null;
    this.#draw();
  }

  /** Puts a new one on top at once, before the server lists it. @param {Conversation} conversation */
  add(conversation) {
    this.#conversations = [conversation, ...this.#conversations.filter(c => c.id !== conversation.id)];
    if (!this.#found) this.#draw();
  }

  /** Takes one out at once, before the server has confirmed. @param {string} id */
  drop(id) {
    this.#conversations = this.#conversations.filter(c => c.id !== id);
    this.#found = this.#found?.filter(c => c.id !== id) ?? null;
    this.#draw();
  }

  async #search() {
    const query = this.#input.value.trim();
    this.#clear.hidden = this.#input.value === '';
    this.#searching?.abort();
    if (!query) {
      this.#found = null;
      this.#draw();
      return;
    }
    const { signal } = this.#searching = new AbortController();
    try {
      const found = await this.#api.search(query, signal);
      if (signal.aborted) return;
      this.#found = found;
      this.#draw();
      announce(found.length === 0 ? 'Nothing found.' : `${found.length} ${found.length === 1 ? 'conversation' : 'conversations'} found.`);
    } catch (error) {
      if (!signal.aborted) toastError(error);
    }
  }

  #draw() {
    const now = JSON.stringify([this.#found && this.#input.value.trim(), this.#before,
      (this.#found ?? this.#conversations).map(c => [c.id, c.title, c.snippet, c.message_id, this.#found ? '' : ageOf(c.updated_at ?? c.created_at)])]);
    // What has not changed is not touched: an open menu belongs to its row.
    if (now === this.#drawn) return;
    this.#drawn = now;
    const focused = document.activeElement;
    const id = /** @type {HTMLElement | null | undefined} */ (focused?.closest('#conversations .row')?.querySelector('a'))?.dataset.id;
    this.#list.replaceChildren(...(this.#found ? this.#drawFound(this.#found) : this.#drawAll()));
    this.select(this.#current);
    if (!id) return;
    const link = /** @type {HTMLElement | null} */ (this.#list.querySelector(`a[data-id="${CSS.escape(id)}"]`));
    const more = /** @type {HTMLElement | null | undefined} */ (link?.parentElement?.querySelector('.row-more'));
    (focused?.classList.contains('row-more') ? more : link)?.focus();
  }

  #drawFound(/** @type {Conversation[]} */ found) {
    if (found.length === 0) return [h('p', { class: 'list-empty' }, 'Nothing found. Search looks through titles and messages.')];
    return [h('h3', { class: 'list-heading' }, 'Found'), h('ul', {}, ...found.map(c => this.#row(c)))];
  }

  #drawAll() {
    if (this.#conversations.length === 0) return [h('p', { class: 'list-empty' }, 'Your conversations will be listed here.')];
    const nodes = [];
    for (const [age, group] of Map.groupBy(this.#conversations, c => ageOf(c.updated_at ?? c.created_at)))
      nodes.push(h('h3', { class: 'list-heading' }, age), h('ul', {}, ...group.map(c => this.#row(c))));
    if (this.#before) nodes.push(h('button', { type: 'button', class: 'text-button list-more', on: { click: () => void this.#more() } }, 'Show more'));
    return nodes;
  }

  #row(/** @type {Conversation} */ c) {
    const title = c.title || 'New conversation';
    const more = iconButton(`Options for ${title}`, 'more', () => {}, { class: 'icon-button row-more' });
    attachMenu(more, () => this.menu(c));
    return h('li', { class: 'row' },
      h('a', { href: `#/c/${c.id}`, 'data-id': c.id, title, on: {
        click: (/** @type {MouseEvent} */ e) => {
          if (e.metaKey || e.ctrlKey || e.shiftKey) return;
          e.preventDefault();
          this.#actions.open(c);
        },
      } }, h('span', { class: 'row-title' }, ...this.#marked(title)), c.snippet && c.snippet !== title && h('span', { class: 'row-snippet' }, ...this.#marked(c.snippet))),
      more);
  }

  /** What can be done with a conversation. @param {Conversation} c @returns {(import('./menu.js').Item | null)[]} */
  menu(c) {
    return [
      { label: 'Rename', icon: 'edit', run: () => this.#actions.rename(c) },
      { label: 'Export as Markdown', icon: 'download', run: () => this.#actions.export(c, 'markdown') },
      { label: 'Export as JSON', icon: 'download', run: () => this.#actions.export(c, 'json') },
      null,
      { label: 'Delete', icon: 'trash', danger: true, run: () => this.#actions.remove(c) },
    ];
  }

  /** The text, with what was searched for marked. @returns {(string | Node)[]} */
  #marked(/** @type {string} */ text) {
    const words = this.#found ? this.#input.value.trim().split(/\s+/).filter(Boolean) : [];
    if (words.length === 0) return [text];
    const any = new RegExp(`(${words.map(w => w.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`, 'iu');
    return text.split(any).map((part, i) => (i % 2 ? h('mark', {}, part) : part));
  }

  async #more() {
    try {
      const page = await this.#api.conversations(this.#before);
      const known = new Set(this.#conversations.map(c => c.id));
      this.#conversations.push(...page.items.filter(c => !known.has(c.id)));
      this.#before = page.before;
      this.#draw();
    } catch (error) {
      toastError(error);
    }
  }

  #searchKey(/** @type {KeyboardEvent} */ event) {
    if (event.key === 'Escape' && this.#input.value) {
      this.clearSearch();
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === 'ArrowDown') {
      this.#list.querySelector('a')?.focus();
      event.preventDefault();
    } else if (event.key === 'Enter' && this.#found?.[0]) {
      this.#actions.open(this.#found[0]);
    }
  }

  #listKey(/** @type {KeyboardEvent} */ event) {
    const links = [...this.#list.querySelectorAll('a')];
    const at = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
    if (at < 0 || (event.key !== 'ArrowDown' && event.key !== 'ArrowUp')) return;
    event.preventDefault();
    if (event.key === 'ArrowUp' && at === 0) this.#input.focus();
    else links[Math.min(links.length - 1, at + (event.key === 'ArrowDown' ? 1 : -1))].focus();
  }
}
