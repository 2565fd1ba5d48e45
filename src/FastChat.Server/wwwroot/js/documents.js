// The documents of a chatbot: what its answers may quote.

import { confirm, openDialog } from './dialogs.js';
import { h, icon, iconButton } from './dom.js';
import { sizeOf } from './time.js';
import { toastError } from './toast.js';

export class Documents {
  #api;
  #upload;
  /** @type {{ chatbotId: string, list: HTMLElement } | null} */
  #shown = null;

  /** @param {import('./api.js').Api} api @param {(files: File[]) => void} upload */
  constructor(api, upload) {
    this.#api = api;
    this.#upload = upload;
  }

  /** @param {import('./api.js').Chatbot} chatbot */
  open(chatbot) {
    const list = h('ul', { class: 'documents', 'aria-label': 'Documents' }, h('li', { class: 'quiet' }, 'Loading…'));
    const add = h('button', { type: 'button', class: 'button primary', on: { click: () => pickFiles(this.#upload) } }, icon('upload'), 'Add documents');
    this.#shown = { chatbotId: chatbot.id, list };
    openDialog('Documents', [
      h('p', { class: 'dialog-text' }, `What ${chatbot.name} may quote in its answers: text, Markdown, HTML, CSV and JSON.`),
      list, h('div', { class: 'dialog-actions' }, add),
    ], { onClose: () => { this.#shown = null; } });
    void this.refresh(chatbot.id);
  }

  /** Loads the list again, if it is this chatbot's that is shown. */
  async refresh(/** @type {string} */ chatbotId) {
    if (this.#shown?.chatbotId !== chatbotId) return;
    const { list } = this.#shown;
    try {
      const documents = await this.#api.documents(chatbotId);
      list.replaceChildren(...documents.length > 0 ? documents.map(d => this.#row(chatbotId, d)) : [
        h('li', { class: 'documents-empty' }, icon('document'), h('p', {}, 'No documents yet'), h('p', { class: 'quiet' }, 'Add one here, or drop it onto the chat.'))]);
    } catch (error) {
      list.replaceChildren(h('li', { class: 'quiet' }, 'The documents could not be loaded.'));
      toastError(error);
    }
  }

  #row(/** @type {string} */ chatbotId, /** @type {import('./api.js').Document} */ document) {
    const passages = document.passage_count;
    return h('li', {}, icon('document'),
      h('div', { class: 'document-text' }, h('span', { class: 'document-name' }, document.file_name),
        h('span', { class: 'quiet' }, [sizeOf(document.size), passages && `${passages} ${passages === 1 ? 'passage' : 'passages'}`].filter(Boolean).join(' · '))),
      iconButton(`Delete ${document.file_name}`, 'trash', () => void this.#remove(chatbotId, document)));
  }

  async #remove(/** @type {string} */ chatbotId, /** @type {import('./api.js').Document} */ document) {
    const text = `Answers will no longer quote “${document.file_name}”.`;
    if (!await confirm({ title: 'Delete this document?', text, action: 'Delete' })) return;
    try {
      await this.#api.removeDocument(chatbotId, document.id);
    } catch (error) {
      toastError(error);
    }
    await this.refresh(chatbotId);
  }
}

/** Lets the user choose files. @param {(files: File[]) => void} chosen */
export function pickFiles(chosen) {
  const input = h('input', { type: 'file', multiple: true, accept: '.txt,.md,.markdown,.html,.htm,.csv,.json,text/*,application/json' });
  input.addEventListener('change', () => chosen([...(input.files ?? [])]));
  input.click();
}
