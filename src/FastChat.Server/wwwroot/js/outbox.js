// Messages whose answer is still owed, kept across reloads: sent again with the same client_message_id, they are stored and answered once.

import { load, save } from './storage.js';

/** @typedef {{ conversationId: string, clientId: string, text: string, at: string }} Entry */

const MAX_ENTRIES = 50;

export class Outbox {
  #key;

  /** @param {string} userId */
  constructor(userId) {
    this.#key = `outbox.${userId}`;
  }

  /** @returns {Entry[]} */
  of(/** @type {string} */ conversationId) {
    return this.#all().filter(e => e.conversationId === conversationId);
  }

  add(/** @type {Entry} */ entry) {
    save(this.#key, [...this.#all().filter(e => e.clientId !== entry.clientId), entry].slice(-MAX_ENTRIES));
  }

  remove(/** @type {string | undefined} */ clientId) {
    const all = this.#all();
    const left = all.filter(e => e.clientId !== clientId);
    if (left.length < all.length) save(this.#key, left);
  }

  removeConversation(/** @type {string} */ conversationId) {
    save(this.#key, this.#all().filter(e => e.conversationId !== conversationId));
  }

  #all() {
    return load(this.#key, /** @type {Entry[]} */ ([]));
  }
}
