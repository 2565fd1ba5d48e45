// The session on a conversation. A user has one at a time, so the tabs of a browser share it: each of them sees the same stream.

import { load, save } from './storage.js';

/** @typedef {{ sessionId: string, conversationId: string }} Lease */
/** @typedef {import('./api.js').StoredMessage} StoredMessage */

export class Sessions {
  #api;
  #key;
  // What the server has ended is not tried again, whatever another tab has written.
  #ended = new Set();

  /** @param {import('./api.js').Api} api @param {string} userId */
  constructor(api, userId) {
    this.#api = api;
    this.#key = `session.${userId}`;
  }

  /**
   * The session on a conversation: the one that the tabs share, or a new one.
   * @param {string} chatbotId
   * @param {string | null} conversationId Null starts a conversation.
   * @returns {Promise<Lease & { messages: StoredMessage[] | null }>} Messages only with a new session.
   */
  lease(chatbotId, conversationId) {
    return exclusively(async () => {
      const shared = this.#shared();
      if (shared && conversationId && shared.conversationId === conversationId) return { ...shared, messages: null };
      const opened = await this.#api.openSession(chatbotId, conversationId);
      const lease = { sessionId: opened.session_id, conversationId: opened.conversation_id };
      save(this.#key, lease);
      return { ...lease, messages: opened.messages };
    });
  }

  /** Whether another tab has opened a session on this conversation since. */
  isSharedAnew(/** @type {string} */ conversationId) {
    return exclusively(async () => this.#shared()?.conversationId === conversationId);
  }

  /** The server has ended this session. */
  end(/** @type {string} */ sessionId) {
    this.#ended.add(sessionId);
  }

  /** Ends the session on the server too; used when signing out. */
  async close() {
    const shared = this.#shared();
    save(this.#key, null);
    if (shared) await this.#api.closeSession(shared.sessionId).catch(() => {});
  }

  /** @returns {Lease | null} */
  #shared() {
    const lease = load(this.#key, /** @type {Partial<Lease>} */ ({}));
    return lease.sessionId && lease.conversationId && !this.#ended.has(lease.sessionId) ? /** @type {Lease} */ (lease) : null;
  }
}

/**
 * One tab at a time: two that opened a session each would end one another's for ever.
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
function exclusively(action) {
  // Without a secure context there are no locks, and mostly no second tab either.
  return navigator.locks ? navigator.locks.request('fastchat-session', action) : action();
}
