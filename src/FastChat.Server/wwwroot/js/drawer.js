// The sidebar: beside the chat where there is room, folded away on wish, and over the chat on a phone.

import { byId } from './dom.js';
import { load, save } from './storage.js';

const NARROW = matchMedia('(max-width: 820px)');

export class Drawer {
  #app = byId('app', HTMLElement);
  #sidebar = byId('sidebar', HTMLElement);
  #main = byId('main', HTMLElement);
  #toggle = byId('sidebar-open', HTMLButtonElement);
  #isOpen = false;

  constructor() {
    this.#toggle.addEventListener('click', () => this.open());
    byId('sidebar-close', HTMLButtonElement).addEventListener('click', () => this.#close(true));
    byId('scrim', HTMLElement).addEventListener('click', () => this.#close(true));
    document.addEventListener('keydown', event => {
      if (event.key === 'Escape' && this.#isOpen && NARROW.matches && !event.defaultPrevented && !document.querySelector('dialog[open]')) this.#close(true);
    });
    NARROW.addEventListener('change', () => this.#reset());
    this.#reset();
  }

  open() {
    this.#set(true);
    if (NARROW.matches) byId('new-chat', HTMLElement).focus();
    else byId('sidebar-close', HTMLElement).focus();
  }

  /** On a phone what was chosen is behind the sidebar. */
  leave() {
    if (NARROW.matches) this.#set(false);
  }

  #close(/** @type {boolean} */ refocus) {
    this.#set(false);
    if (refocus) this.#toggle.focus();
  }

  #reset() {
    this.#set(NARROW.matches ? false : !load('folded', false), false);
  }

  #set(/** @type {boolean} */ isOpen, remember = true) {
    this.#isOpen = isOpen;
    this.#app.dataset.sidebar = isOpen ? 'open' : 'closed';
    // What cannot be seen cannot be reached either.
    this.#sidebar.inert = !isOpen;
    this.#main.inert = isOpen && NARROW.matches;
    this.#toggle.setAttribute('aria-expanded', String(isOpen));
    if (remember && !NARROW.matches) save('folded', isOpen ? null : true);
  }
}
