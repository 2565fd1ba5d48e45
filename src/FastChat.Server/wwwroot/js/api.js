// The server's REST routes; one method each. Everything that may fail throws an ApiError with a sentence fit to be shown.

/**
 * @typedef {object} User @property {string} id @property {string} name
 * @typedef {object} Chatbot @property {string} id @property {string} name @property {string} [model]
 * @property {string} [system_prompt] Only of one's own. @property {boolean} [owned]
 * @typedef {object} Conversation
 * @property {string} id @property {string} title @property {string} [chatbot_id] @property {string} created_at @property {string} [updated_at]
 * @property {number} [message_count] @property {string} [snippet] @property {string | null} [message_id]
 * @typedef {object} Source @property {string} document_id @property {string} file_name @property {number} passage @property {string} text
 * @typedef {object} StoredMessage
 * @property {string} id @property {'user'|'assistant'|'system'} role @property {string} text @property {string} at
 * @property {string} [clientId] @property {string} [replyTo] @property {string} [finish] @property {Source[]} [sources] @property {number} [tokens]
 * @typedef {object} Document @property {string} id @property {string} file_name @property {number} size @property {number} [passage_count]
 * @typedef {object} Session @property {string} session_id @property {string} conversation_id @property {string} chatbot_id
 * @property {string} chatbot_name @property {StoredMessage[]} messages
 */

// The page works below any path that the server is mapped to.
const BASE = new URL('..', import.meta.url);
const TIMEOUT_MS = 20_000;

/** Messages at a time: as many as a new session brings along. */
export const PAGE = 100;

export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status HTTP status; 0 when the server was not reached.
   * @param {{ retryAfter?: number, accepted?: string[] }} [details] Seconds to wait; what an upload may be.
   */
  constructor(message, status, details = {}) {
    super(message);
    this.status = status;
    this.retryAfter = details.retryAfter;
    this.accepted = details.accepted;
  }
}

export class Api {
  /** Called when the server does not take the token (any longer). */
  onUnauthorized = () => {};

  /** @param {string} token */
  constructor(token) {
    this.token = token;
  }

  /** A token for local development; only a server on loopback hands them out. @returns {Promise<string>} */
  static async developmentToken(/** @type {string} */ name) {
    const { token } = await new Api('').#json('POST', 'auth/dev-token', { name });
    return token;
  }

  /** @returns {Promise<Chatbot[]>} */
  async chatbots() {
    return this.#json('GET', 'chatbots?limit=1000');
  }

  /** @param {{ name: string, system_prompt: string, model: string }} fields @returns {Promise<Chatbot>} */
  async createChatbot(fields) {
    return this.#json('POST', 'chatbots', fields);
  }

  /** @param {string} id @param {{ name: string, system_prompt: string, model: string }} fields @returns {Promise<Chatbot>} */
  async changeChatbot(id, fields) {
    return this.#json('PATCH', `chatbots/${encodeURIComponent(id)}`, fields);
  }

  async deleteChatbot(/** @type {string} */ id) {
    await this.#request('DELETE', `chatbots/${encodeURIComponent(id)}`);
  }

  /** Names of the models. @returns {Promise<string[]>} */
  async models() {
    return (await this.#json('GET', 'models')).map((/** @type {{ name: string }} */ m) => m.name);
  }

  /** The last changed ones that have messages, or those before a cursor. @returns {Promise<{ items: Conversation[], before: string | null }>} */
  async conversations(/** @type {string | null} */ before = null) {
    const response = await this.#request('GET', `conversations?${new URLSearchParams({ messages: 'false', limit: '50', ...(before && { before }) })}`);
    const body = await response.json();
    return { items: body.map(toConversation).filter((/** @type {Conversation} */ c) => c.message_count !== 0), before: cursorOf(response) };
  }

  /** @returns {Promise<Conversation[]>} */
  async search(/** @type {string} */ query, /** @type {AbortSignal} */ signal) {
    const body = await this.#json('GET', `conversations/search?${new URLSearchParams({ q: query })}`, undefined, signal);
    return body.map(toConversation);
  }

  /** A conversation with its newest messages, or those before a cursor, oldest first. */
  async conversation(/** @type {string} */ id, /** @type {string | null} */ before = null) {
    const query = new URLSearchParams({ limit: String(PAGE), ...(before && { before }) });
    const response = await this.#request('GET', `conversations/${encodeURIComponent(id)}?${query}`);
    const body = await response.json();
    return { conversation: toConversation(body), messages: toMessages(body.messages), before: cursorOf(response) };
  }

  async rename(/** @type {string} */ id, /** @type {string} */ title) {
    await this.#request('PATCH', `conversations/${encodeURIComponent(id)}`, { title });
  }

  async remove(/** @type {string} */ id) {
    await this.#request('DELETE', `conversations/${encodeURIComponent(id)}`);
  }

  /** @returns {Promise<Blob>} */
  async export(/** @type {string} */ id, /** @type {'json'|'markdown'} */ format) {
    return (await this.#request('GET', `conversations/${encodeURIComponent(id)}/export?format=${format}`)).blob();
  }

  /**
   * Opens a session on a conversation, or on a new one.
   * @param {string} chatbotId
   * @param {string | null} conversationId Null starts a conversation.
   * @returns {Promise<Session>}
   */
  async openSession(chatbotId, conversationId) {
    const body = await this.#json('POST', `chatbot/${encodeURIComponent(chatbotId)}/session`,
      conversationId ? { conversation_id: conversationId } : { new: true });
    return { ...body, messages: toMessages(body.previous_messages) };
  }

  async closeSession(/** @type {string} */ id) {
    await this.#request('DELETE', `chatbot/session/${encodeURIComponent(id)}`);
  }

  /** @returns {Promise<Document[]>} */
  async documents(/** @type {string} */ chatbotId) {
    return this.#json('GET', `chatbots/${encodeURIComponent(chatbotId)}/documents?limit=1000`);
  }

  async removeDocument(/** @type {string} */ chatbotId, /** @type {string} */ id) {
    await this.#request('DELETE', `chatbots/${encodeURIComponent(chatbotId)}/documents/${encodeURIComponent(id)}`);
  }

  /**
   * Uploads a document. XMLHttpRequest, because fetch does not tell how far it is.
   * @param {string} chatbotId
   * @param {File} file
   * @param {(fraction: number) => void} onProgress
   * @param {AbortSignal} signal
   * @returns {Promise<Document>}
   */
  upload(chatbotId, file, onProgress, signal) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const form = new FormData();
      form.append('file', file, file.name);
      request.open('POST', new URL(`chatbots/${encodeURIComponent(chatbotId)}/documents`, BASE));
      request.setRequestHeader('Authorization', `Bearer ${this.token}`);
      request.upload.onprogress = e => { if (e.lengthComputable) onProgress(e.loaded / e.total); };
      request.onload = () => {
        const body = parse(request.responseText);
        if (request.status < 300) resolve(body);
        else reject(this.#refused(request.status, body, request.getResponseHeader('Retry-After')));
      };
      request.onerror = () => reject(unreachable());
      request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'));
      signal.addEventListener('abort', () => request.abort(), { once: true });
      request.send(form);
    });
  }

  /** Where the socket of a session is. */
  socketAddress(/** @type {string} */ sessionId) {
    const address = new URL(`ws/chat/${encodeURIComponent(sessionId)}?${new URLSearchParams({ token: this.token })}`, BASE);
    address.protocol = BASE.protocol === 'https:' ? 'wss:' : 'ws:';
    return address.href;
  }

  /** @returns {Promise<any>} */
  async #json(/** @type {string} */ method, /** @type {string} */ path, /** @type {unknown} */ body = undefined, /** @type {AbortSignal | undefined} */ signal = undefined) {
    return (await this.#request(method, path, body, signal)).json();
  }

  async #request(/** @type {string} */ method, /** @type {string} */ path, /** @type {unknown} */ body = undefined, /** @type {AbortSignal | undefined} */ signal = undefined) {
    /** @type {Record<string, string>} */
    const headers = { Accept: 'application/json' };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    let response;
    try {
      response = await fetch(new URL(path, BASE), {
        method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: 'no-store',
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw unreachable();
    }
    if (!response.ok) throw this.#refused(response.status, parse(await response.text()), response.headers.get('Retry-After'));
    return response;
  }

  #refused(/** @type {number} */ status, /** @type {any} */ body, /** @type {string | null} */ retryAfter) {
    if (status === 401 && this.token) this.onUnauthorized();
    const seconds = Number.parseInt(retryAfter ?? '', 10);
    return new ApiError(body?.detail ?? body?.title ?? sentenceFor(status), status, {
      retryAfter: Number.isFinite(seconds) ? seconds : undefined,
      accepted: Array.isArray(body?.accepted) ? body.accepted : undefined,
    });
  }
}

/**
 * Who a token speaks for, as far as it says itself. Only for display: the server alone decides.
 * @param {string} token
 * @returns {User | null} Null when it is no token.
 */
export function readToken(token) {
  try {
    const payload = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), c => c.charCodeAt(0))));
    const id = claims.sub ?? claims.nameid;
    return id ? { id: String(id), name: String(claims.name ?? claims.unique_name ?? id) } : null;
  } catch {
    return null;
  }
}

function unreachable() {
  return new ApiError('The server cannot be reached.', 0);
}

function sentenceFor(/** @type {number} */ status) {
  return status >= 500 ? 'Something went wrong on the server.' : 'The server refused this.';
}

function parse(/** @type {string} */ text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Where the next page begins; null when there is none. */
function cursorOf(/** @type {Response} */ response) {
  return response.headers.get('X-Next-Before');
}

/** @returns {Conversation} */
function toConversation(/** @type {any} */ c) {
  return { ...c, title: c.title ?? '' };
}

/** @returns {StoredMessage[]} */
function toMessages(/** @type {any[] | undefined} */ messages) {
  return (messages ?? []).map(m => ({
    id: m.id, role: m.role, text: m.content ?? m.message ?? '', at: m.created_at, clientId: m.client_message_id ?? undefined,
    replyTo: m.reply_to ?? undefined, finish: m.finish_reason ?? undefined, sources: m.sources ?? undefined, tokens: m.usage?.completion_tokens,
  }));
}
