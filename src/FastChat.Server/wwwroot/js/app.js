// The page for somebody who has signed in: puts the parts together and knows which conversation is shown.

import { announce } from './announce.js';
import { Api, ApiError } from './api.js';
import { Chat } from './chat.js';
import { deleteChatbot, editChatbot } from './chatbots.js';
import { Composer } from './composer.js';
import { backOff } from './connection.js';
import { ask, confirm } from './dialogs.js';
import { Documents, pickFiles } from './documents.js';
import { byId, h } from './dom.js';
import { Drawer } from './drawer.js';
import { plainText } from './markdown/inline.js';
import { attachMenu } from './menu.js';
import { Outbox } from './outbox.js';
import { Sessions } from './sessions.js';
import { Sidebar } from './sidebar.js';
import { Status } from './status.js';
import { forget, load, save } from './storage.js';
import { currentTheme, setTheme } from './theme.js';
import { Thread } from './thread.js';
import { toast, toastError } from './toast.js';
import { Uploads } from './uploads.js';

/** @typedef {import('./api.js').Conversation} Conversation */
/** @typedef {import('./api.js').Chatbot} Chatbot */

const ROUTE = /^#\/c\/([^/?]+)(?:\?m=(.+))?$/;
const BUILT_IN = 'assistant';
const MAX_TITLE = 200;
const MAX_SPOKEN = 600;

export class App {
  #user;
  #api;
  #sessions;
  #outbox;
  #drawer = new Drawer();
  #thread;
  #composer;
  #sidebar;
  #status;
  #uploads;
  #documents;
  #news = new BroadcastChannel('fastchat');
  #title = byId('conversation-title', HTMLElement);
  #picker = byId('chatbot', HTMLButtonElement);
  /** @type {Chatbot[]} */
  #chatbots = [];
  /** @type {Chat | null} */
  #chat = null;
  /** @type {Conversation | null} */
  #conversation = null;
  #chatbotId;
  #shown = 0;
  // Ends the pause between two lookups of a conversation.
  #lookAgain = () => {};

  /**
   * @param {import('./api.js').User} user
   * @param {Api} api
   * @param {(notice?: string) => void} signOut
   */
  constructor(user, api, signOut) {
    this.#user = user;
    this.#api = api;
    this.#sessions = new Sessions(api, user.id);
    this.#outbox = new Outbox(user.id);
    this.#chatbotId = load(`chatbot.${user.id}`, '');
    this.#status = new Status(() => (this.#chat ? this.#chat.reconnect() : this.#lookAgain()));
    this.#thread = new Thread(text => this.#composer.suggest(text));
    this.#composer = new Composer({ send: text => this.#send(text), stop: () => this.#chat?.stop(), files: files => this.#upload(files) });
    this.#uploads = new Uploads(api, id => void this.#documents.refresh(id));
    this.#documents = new Documents(api, files => this.#upload(files));
    this.#sidebar = new Sidebar(api, {
      open: c => this.#goTo(c), rename: c => void this.#rename(c), remove: c => void this.#remove(c), export: (c, f) => void this.#export(c, f),
    });
    this.#wireHeader();
    this.#wireKeys();
    this.#wireDrop();
    this.#wireAccount(signOut);
    this.#news.addEventListener('message', ({ data }) => {
      if (data === 'conversations') void this.#sidebar.refresh();
      if (data === 'signed-out') location.reload();
    });
    addEventListener('hashchange', () => this.#route());
  }

  async start() {
    byId('app', HTMLElement).hidden = false;
    await Promise.all([this.#loadChatbots(), this.#sidebar.refresh()]);
    this.#route();
    this.#composer.focus();
  }

  get #chatbot() {
    return this.#chatbots.find(c => c.id === this.#chatbotId) ?? this.#chatbots.find(c => c.id === BUILT_IN) ?? { id: BUILT_IN, name: 'Assistant' };
  }

  async #loadChatbots() {
    try {
      this.#chatbots = await this.#api.chatbots();
    } catch (error) {
      toastError(error);
    }
  }

  /** Shows what the address says. */
  #route() {
    const [, id, messageId] = ROUTE.exec(location.hash) ?? [];
    if (!id || decodeURIComponent(id) !== this.#chat?.conversationId) void this.#show(id ? decodeURIComponent(id) : null, messageId ?? null);
    else if (messageId) this.#thread.reveal(messageId);
  }

  async #show(/** @type {string | null} */ id, /** @type {string | null} */ messageId) {
    const mine = ++this.#shown;
    this.#chat?.dispose();
    this.#chat = null;
    this.#lookAgain();
    this.#status.limited(null);
    this.#status.connection({ name: 'closed' });
    const conversation = id ? this.#sidebar.find(id) ?? await this.#find(id, mine) : null;
    // Somebody went on while this one was looked for.
    if (mine !== this.#shown || (id && !conversation)) return;
    this.#conversation = conversation;
    if (this.#conversation?.chatbot_id) this.#chatbotId = this.#conversation.chatbot_id;
    else if (!id) this.#chatbotId = load(`chatbot.${this.#user.id}`, '');
    this.#open(id, messageId);
  }

  // A conversation that the list does not show: an old one, or one of a link. Null when there is none, or when it is not wanted any more.
  async #find(/** @type {string} */ id, /** @type {number} */ mine) {
    for (let attempt = 0; mine === this.#shown; attempt++) {
      try {
        return (await this.#api.conversation(id)).conversation;
      } catch (error) {
        const status = error instanceof ApiError ? error.status : 0;
        if (mine !== this.#shown || status === 401) return null;
        if (status >= 400 && status < 500 && status !== 429) {
          toastError(error);
          this.#composer.hold();
          location.replace('#/');
          return null;
        }
        // It may well be there, only the server or the network is not.
        const wait = error instanceof ApiError && error.retryAfter ? error.retryAfter * 1000 : backOff(attempt);
        await this.#pause(wait);
      }
    }
    return null;
  }

  /** Waits until the time is over, the network is back, or somebody does not want to wait. */
  async #pause(/** @type {number} */ ms) {
    this.#status.connection({ name: navigator.onLine ? 'waiting' : 'offline', retryAt: Date.now() + ms });
    const over = new AbortController();
    await new Promise(resolve => {
      this.#lookAgain = () => resolve(null);
      addEventListener('online', this.#lookAgain, { signal: over.signal });
      const timer = setTimeout(this.#lookAgain, ms);
      over.signal.addEventListener('abort', () => clearTimeout(timer));
    });
    over.abort();
    this.#lookAgain = () => {};
  }

  #open(/** @type {string | null} */ id, /** @type {string | null} */ messageId) {
    const speaker = this.#chatbot.name;
    const chat = this.#chat = new Chat(this.#api, this.#sessions, this.#outbox, this.#chatbot.id, id, {
      changed: () => this.#changed(),
      began: () => announce(`${speaker} is answering.`),
      ended: answer => this.#answered(speaker, answer),
      state: state => this.#status.connection(state),
      started: conversationId => this.#started(conversationId),
      gone: () => this.#gone(),
      limited: until => this.#status.limited(until),
      trouble: sentence => toast(sentence, { kind: 'error' }),
    });
    this.#thread.show(chat, speaker);
    if (messageId) this.#thread.reveal(messageId);
    this.#composer.use(this.#draftKey(id));
    this.#sidebar.select(id);
    this.#drawHeader();
    this.#changed();
  }

  #changed() {
    this.#thread.refresh();
    this.#composer.show(this.#chat?.messages.isBusy ?? false, `Message ${this.#chatbot.name}`);
  }

  /** @returns {boolean} Whether there is a conversation to send it to, which there is not while one is being opened. */
  #send(/** @type {string} */ text) {
    if (!this.#chat) return false;
    this.#chat.send(text);
    this.#thread.toEnd();
    return true;
  }

  /** A new conversation has its id: from here on a reload comes back to it. */
  #started(/** @type {string} */ id) {
    history.replaceState(null, '', `#/c/${id}`);
    this.#composer.rename(this.#draftKey(id));
    this.#conversation = { id, title: this.#chat?.messages.list[0]?.text.slice(0, MAX_TITLE) ?? '', chatbot_id: this.#chatbot.id, created_at: new Date().toISOString() };
    this.#sidebar.add(this.#conversation);
    this.#sidebar.select(id);
    this.#drawHeader();
  }

  #answered(/** @type {string} */ speaker, /** @type {import('./messages.js').Message} */ answer) {
    const text = plainText(answer.text);
    const spoken = text.length > MAX_SPOKEN ? `${text.slice(0, MAX_SPOKEN)} … and more.` : text;
    announce(answer.state === 'failed' ? 'The answer failed.' : `${speaker}: ${spoken || 'no answer.'}`);
    // The first answer comes with a title, every one with a new place in the list.
    void this.#listChanged().then(() => {
      this.#conversation = (this.#conversation && this.#sidebar.find(this.#conversation.id)) ?? this.#conversation;
      this.#drawHeader();
    });
  }

  async #listChanged() {
    this.#news.postMessage('conversations');
    await this.#sidebar.refresh();
  }

  #gone() {
    toast('This conversation no longer exists.');
    if (this.#conversation) this.#outbox.removeConversation(this.#conversation.id);
    location.hash = '#/';
    void this.#sidebar.refresh();
  }

  #goTo(/** @type {Conversation} */ c) {
    this.#drawer.leave();
    const hash = `#/c/${encodeURIComponent(c.id)}`;
    history.pushState(null, '', c.message_id ? `${hash}?m=${c.message_id}` : hash);
    this.#route();
    this.#composer.focus();
  }

  #newChat() {
    this.#drawer.leave();
    if (location.hash !== '#/' && location.hash !== '') history.pushState(null, '', '#/');
    void this.#show(null, null);
    this.#composer.focus();
  }

  async #rename(/** @type {Conversation} */ c) {
    const title = await ask({ title: 'Rename conversation', label: 'Title', value: c.title, action: 'Rename', maxLength: MAX_TITLE });
    if (!title) return;
    try {
      await this.#api.rename(c.id, title);
      if (this.#conversation?.id === c.id) this.#conversation = { ...this.#conversation, title };
      this.#drawHeader();
      await this.#listChanged();
    } catch (error) {
      toastError(error);
    }
  }

  async #remove(/** @type {Conversation} */ c) {
    const text = `“${c.title || 'New conversation'}” and all its messages will be gone for good.`;
    if (!await confirm({ title: 'Delete this conversation?', text, action: 'Delete' })) return;
    try {
      if (this.#conversation?.id === c.id) this.#newChat();
      await this.#api.remove(c.id);
      this.#sidebar.drop(c.id);
      this.#outbox.removeConversation(c.id);
      save(this.#draftKey(c.id), null);
      toast('Conversation deleted.', { kind: 'success' });
    } catch (error) {
      toastError(error);
    }
    await this.#listChanged();
  }

  async #export(/** @type {Conversation} */ c, /** @type {'json' | 'markdown'} */ format) {
    try {
      const address = URL.createObjectURL(await this.#api.export(c.id, format));
      const name = (c.title || 'conversation').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '').slice(0, 60) || 'conversation';
      h('a', { href: address, download: `${name}.${format === 'json' ? 'json' : 'md'}` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    } catch (error) {
      toastError(error);
    }
  }

  #upload(/** @type {File[]} */ files) {
    this.#uploads.add(this.#chatbot.id, files);
  }

  #draftKey(/** @type {string | null} */ id) {
    return `draft.${this.#user.id}.${id ?? 'new'}`;
  }

  #drawHeader() {
    const title = this.#conversation ? this.#conversation.title || 'New conversation' : 'New conversation';
    this.#title.textContent = title;
    document.title = this.#conversation?.title ? `${title} · FastChat` : 'FastChat';
    byId('conversation-more', HTMLButtonElement).hidden = !this.#conversation;
    // A conversation stays with its chatbot; only a new one has the choice.
    this.#picker.disabled = this.#conversation !== null;
    this.#picker.querySelector('.icon')?.toggleAttribute('hidden', this.#picker.disabled);
    byId('chatbot-name', HTMLElement).textContent = this.#chatbot.name;
    byId('empty-name', HTMLElement).textContent = this.#user.name;
  }

  #wireHeader() {
    byId('new-chat', HTMLButtonElement).addEventListener('click', () => this.#newChat());
    byId('header-new', HTMLButtonElement).addEventListener('click', () => this.#newChat());
    byId('documents', HTMLButtonElement).addEventListener('click', () => this.#documents.open(this.#chatbot));
    byId('attach', HTMLButtonElement).addEventListener('click', () => pickFiles(files => this.#upload(files)));
    attachMenu(byId('conversation-more', HTMLButtonElement), () => (this.#conversation ? this.#sidebar.menu(this.#conversation) : []));
    attachMenu(this.#picker, () => this.#chatbotMenu());
  }

  /** @returns {(import('./menu.js').Item | null)[]} */
  #chatbotMenu() {
    const chatbot = this.#chatbot;
    const edit = (/** @type {Chatbot | null} */ which) => void editChatbot(this.#api, which, saved => void this.#choose(saved.id));
    const remove = async () => {
      if (await deleteChatbot(this.#api, chatbot)) await this.#choose(BUILT_IN);
    };
    return [
      ...this.#chatbots.map(c => ({ label: c.name, checked: c.id === chatbot.id, run: () => void this.#choose(c.id) })), null,
      { label: 'New chatbot', icon: 'plus', run: () => edit(null) },
      ...(chatbot.owned ? [{ label: `Edit ${chatbot.name}`, icon: 'edit', run: () => edit(chatbot) },
        { label: `Delete ${chatbot.name}`, icon: 'trash', danger: true, run: () => void remove() }] : []),
    ];
  }

  /** New conversations are with this chatbot from now on. */
  async #choose(/** @type {string} */ id) {
    save(`chatbot.${this.#user.id}`, id);
    await this.#loadChatbots();
    await this.#show(null, null);
    this.#composer.focus();
  }

  #wireKeys() {
    if (/Mac|iPhone|iPad/.test(navigator.platform)) byId('search-keys', HTMLElement).textContent = '⌘ K';
    document.addEventListener('keydown', event => {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey) || event.altKey || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      this.#drawer.open();
      this.#sidebar.focusSearch();
    });
  }

  #wireDrop() {
    const main = byId('main', HTMLElement);
    const hasFiles = (/** @type {DragEvent} */ e) => e.dataTransfer?.types.includes('Files') ?? false;
    let depth = 0;
    const show = (/** @type {number} */ change) => {
      depth = Math.max(0, change === 0 ? 0 : depth + change);
      main.classList.toggle('dropping', depth > 0);
    };
    main.addEventListener('dragenter', e => { if (hasFiles(e)) { e.preventDefault(); show(1); } });
    main.addEventListener('dragleave', e => { if (hasFiles(e)) show(-1); });
    main.addEventListener('dragover', e => { if (hasFiles(e)) e.preventDefault(); });
    main.addEventListener('drop', e => {
      if (!hasFiles(e)) return;
      e.preventDefault();
      show(0);
      this.#upload([...(e.dataTransfer?.files ?? [])]);
    });
  }

  #wireAccount(/** @type {(notice?: string) => void} */ signOut) {
    byId('account-name', HTMLElement).textContent = this.#user.name;
    byId('account-initial', HTMLElement).textContent = [...this.#user.name][0]?.toUpperCase() ?? '?';
    const theme = (/** @type {import('./theme.js').Theme} */ name, /** @type {string} */ label, /** @type {string} */ iconName) =>
      ({ label, icon: iconName, checked: currentTheme() === name, run: () => setTheme(name) });
    attachMenu(byId('account', HTMLButtonElement), () => [
      theme('system', 'Theme of the system', 'system'), theme('light', 'Light', 'sun'), theme('dark', 'Dark', 'moon'), null,
      { label: 'Sign out', icon: 'leave', run: () => void this.#leave(signOut) },
    ]);
  }

  async #leave(/** @type {(notice?: string) => void} */ signOut) {
    this.#chat?.dispose();
    this.#composer.close();
    await this.#sessions.close();
    forget(`draft.${this.#user.id}`);
    forget(`outbox.${this.#user.id}`);
    this.#news.postMessage('signed-out');
    signOut();
  }
}

