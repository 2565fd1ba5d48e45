// A conversation over the socket (docs/protocol.md, sessions): what is sent, what comes, and what is owed after every kind of loss.

import { ApiError, PAGE } from './api.js';
import { Connection } from './connection.js';
import { Messages } from './messages.js';

/** @typedef {import('./messages.js').Message} Message */
/** @typedef {import('./connection.js').State} State */
/** @typedef {import('./connection.js').Verdict} Verdict */

/**
 * @typedef {object} Listener What the page is told. Every call comes after the change.
 * @property {() => void} changed Messages came, went or changed.
 * @property {(answer: Message) => void} began
 * @property {(answer: Message) => void} ended
 * @property {(state: State) => void} state
 * @property {(conversationId: string) => void} started A new conversation has its id.
 * @property {() => void} gone The conversation does not exist (any longer).
 * @property {(until: number | null) => void} limited Too fast: until when (ms since the epoch); null when it is over.
 * @property {(sentence: string) => void} trouble
 */

// Closed by the server: a newer session took the place, nobody used it.
const REPLACED = 4001;
// A message left behind longer than this is not sent without being asked for.
const STALE_MS = 60 * 60 * 1000;
const DEFAULT_WAIT_S = 5;

export class Chat {
  messages = new Messages();
  /** @type {string | null} */
  conversationId = null;
  /** Where older messages are; null when all are loaded. @type {string | null} */
  earlier = null;
  #api;
  #sessions;
  #outbox;
  #listener;
  #connection;
  /** @type {import('./sessions.js').Lease | null} */
  #lease = null;
  #chatbotId;
  #lastError = '';
  // The history that came with the session, good for the connection it was opened for.
  #isFresh = false;
  #isAttached = false;
  #wasOnSession = false;
  // The last try was turned away before it was on the session: a browser does not say why.
  #wasRefused = false;
  // Pressed while there was no connection.
  #wantsStop = false;
  #limitTimer = 0;
  #disposed = false;

  /**
   * @param {import('./api.js').Api} api
   * @param {import('./sessions.js').Sessions} sessions
   * @param {import('./outbox.js').Outbox} outbox
   * @param {string} chatbotId
   * @param {string | null} conversationId Null for one that its first message starts.
   * @param {Listener} listener
   */
  constructor(api, sessions, outbox, chatbotId, conversationId, listener) {
    this.#api = api;
    this.#sessions = sessions;
    this.#outbox = outbox;
    this.#chatbotId = chatbotId;
    this.conversationId = conversationId;
    this.#listener = listener;
    this.#connection = new Connection({
      address: () => this.#address(),
      message: m => this.#receive(m),
      ended: code => this.#ended(code),
      failed: e => this.#failed(e),
      state: s => listener.state(s),
    });
    if (conversationId) {
      this.#restoreOutbox(conversationId);
      this.#connection.connect();
    }
  }

  get state() {
    return this.#connection.state;
  }

  /** Whether the history has been loaded, so that an empty conversation is known to be empty. */
  isLoaded = false;

  dispose() {
    this.#disposed = true;
    clearTimeout(this.#limitTimer);
    this.#connection.dispose();
  }

  reconnect() {
    this.#connection.retryNow();
  }

  /** Sends a message; it is shown at once and kept until its answer is there. */
  send(/** @type {string} */ text) {
    const question = this.messages.addQuestion(text, { clientId: newId() });
    this.#remember(question);
    this.#listener.changed();
    // While it connects, or the history is being fetched, the message waits for its turn in #attached.
    if (this.#isAttached) this.#submit(question);
    else this.#wake();
  }

  /** Stops the running answer; the part that came is kept. */
  stop() {
    const limited = this.messages.list.find(m => m.state === 'limited');
    if (limited) this.#refuse(limited, 'Not sent.');
    const running = this.messages.running;
    if (running) this.#wantsStop = !this.#connection.send({ type: 'stop', ...(running.id && { message_id: running.id }) });
    this.#listener.changed();
  }

  /** Sends again what failed, or asks again what was answered. */
  tryAgain(/** @type {Message} */ message) {
    const question = message.role === 'user' ? message : this.messages.questionOf(message);
    if (!question) return;
    // Without the id it was first sent with it cannot be the same message again.
    if (question.clientId && (question.state === 'failed' || message.state === 'missing')) {
      question.state = question.id ? 'sent' : 'sending';
      question.error = undefined;
      if (message.state === 'missing') this.messages.ensureAnswer(question, null);
      this.#remember(question);
      this.#listener.changed();
      if (!this.#submit(question)) this.#wake();
    } else {
      this.send(question.text);
    }
  }

  /** Loads older messages until this one is there, as far as there are any. @param {string} id */
  async loadUntil(id) {
    while (this.earlier && !this.messages.find(id) && !this.#disposed) await this.loadEarlier();
  }

  /** Loads messages older than those shown. */
  async loadEarlier() {
    if (!this.earlier || !this.conversationId) return;
    const page = await this.#api.conversation(this.conversationId, this.earlier);
    this.earlier = page.before;
    this.messages.prepend(page.messages);
    this.#listener.changed();
  }

  #wake() {
    if (this.#connection.state.name === 'closed') this.#connection.connect();
    else this.#connection.retryNow();
  }

  async #address() {
    // A request does say why: the token has expired, or the server is not there.
    if (this.#wasRefused) await this.#api.models();
    const lease = await this.#sessions.lease(this.#chatbotId, this.conversationId);
    if (this.#disposed) throw new Error('disposed');
    this.#lease = lease;
    this.#lastError = '';
    this.#isAttached = false;
    if (this.conversationId !== lease.conversationId) {
      this.conversationId = lease.conversationId;
      for (const message of this.messages.list) this.#remember(message);
      this.#listener.started(lease.conversationId);
    }
    // A full page does not say where the earlier ones are.
    this.#isFresh = lease.messages !== null && lease.messages.length < PAGE;
    if (lease.messages) this.#merge(lease.messages);
    return this.#api.socketAddress(lease.sessionId);
  }

  /** @returns {{ verdict: Verdict, afterMs?: number }} */
  #failed(/** @type {unknown} */ error) {
    if (!(error instanceof ApiError)) {
      if (!this.#disposed) console.error(error);
      return { verdict: 'close' };
    }
    if (error.status === 404) this.#listener.gone();
    else if (error.status === 429) this.#listener.limited(Date.now() + (error.retryAfter ?? DEFAULT_WAIT_S) * 1000);
    else if (error.status > 0 && error.status < 500) {
      for (const m of this.messages.list) if (m.state === 'sending') this.#refuse(m, error.message);
      this.#listener.changed();
    }
    const passing = error.status === 0 || error.status === 429 || error.status >= 500;
    return { verdict: passing ? 'retry' : 'close', afterMs: error.retryAfter ? error.retryAfter * 1000 : undefined };
  }

  /** @returns {Verdict} */
  #ended(/** @type {number} */ code) {
    this.#isAttached = false;
    const lost = this.#lease;
    this.#lease = null;
    this.#wasRefused = !this.#wasOnSession;
    this.#wasOnSession = false;
    if (code === REPLACED) {
      if (lost) this.#sessions.end(lost.sessionId);
      void this.#followShared();
      return 'park';
    }
    if (this.#lastError === 'unauthorized') {
      this.#api.onUnauthorized();
      return 'close';
    }
    const isOver = this.#lastError === 'not_found' || this.#lastError === 'session_closed';
    if (isOver && lost) this.#sessions.end(lost.sessionId);
    return isOver ? 'retry-now' : 'retry';
  }

  // Another tab on this conversation may be the one that opened the newer session: then it is ours too.
  async #followShared() {
    if (this.conversationId && await this.#sessions.isSharedAnew(this.conversationId) && !this.#disposed) this.#connection.retryNow();
  }

  #receive(/** @type {any} */ m) {
    switch (m.type) {
      case 'session_info': void this.#attached(m.active_message_id ?? null); return;
      case 'message_received': this.#received(m); break;
      case 'user_message': this.#asked(m); break;
      case 'response_start': this.#begun(m); break;
      case 'response_chunk': this.#chunk(m); break;
      case 'response_complete': this.#complete(m); break;
      case 'error': this.#refused(m); break;
    }
    this.#listener.changed();
  }

  /** The socket is on the session: from here on everything comes by itself; what came before is fetched. */
  async #attached(/** @type {string | null} */ active) {
    this.#wasOnSession = true;
    const lease = this.#lease;
    if (!this.#isFresh && this.conversationId) {
      try {
        const { messages, before } = await this.#api.conversation(this.conversationId);
        if (lease !== this.#lease) return;
        if (!this.isLoaded) this.earlier = before;
        this.#merge(messages);
      } catch (error) {
        if (lease !== this.#lease || this.#disposed) return;
        if (error instanceof ApiError && error.status === 404) return this.#listener.gone();
        // Without it there is nothing to go on from: a try that failed, like a socket that was lost.
        this.#listener.trouble(error instanceof Error ? error.message : 'The history could not be loaded.');
        return this.#connection.again();
      }
    }
    this.#connection.settled();
    this.#isFresh = false;
    this.#isAttached = this.isLoaded = true;
    const oldest = this.messages.unanswered()[0];
    if (active && oldest) this.messages.ensureAnswer(oldest, active);
    for (const question of this.messages.unanswered()) {
      const answer = this.messages.ensureAnswer(question, null);
      this.#connection.send({ type: 'resume', message_id: answer.id ?? question.id, last_seq: answer.lastSeq });
    }
    for (const question of this.messages.list.filter(q => q.state === 'sending')) this.#submit(question);
    if (this.#wantsStop) this.stop();
    this.#listener.changed();
  }

  #merge(/** @type {import('./api.js').StoredMessage[]} */ messages) {
    this.messages.merge(messages);
    for (const m of this.messages.list) if (m.role === 'assistant' && (m.state === 'done' || m.state === 'failed')) this.#settle(m);
    this.#listener.changed();
  }

  #submit(/** @type {Message} */ question) {
    return this.#connection.send({ message: question.text, message_type: 'text', client_message_id: question.clientId });
  }

  #received(/** @type {any} */ m) {
    const question = this.messages.findByClientId(m.client_message_id) ?? this.messages.find(m.message_id);
    if (!question) return;
    const twin = this.messages.find(m.message_id);
    if (twin && twin !== question) this.messages.remove(twin);
    Object.assign(question, { id: m.message_id, state: 'sent', at: m.timestamp ?? question.at, error: undefined });
    this.#listener.limited(null);
    if (m.response_id) this.messages.ensureAnswer(question, m.response_id);
  }

  #asked(/** @type {any} */ m) {
    if (!this.messages.find(m.message_id)) this.messages.addQuestion(m.message, { id: m.message_id, state: 'sent', at: m.timestamp });
  }

  #begun(/** @type {any} */ m) {
    const answer = this.messages.resolveAnswer(m.message_id, m.reply_to);
    if (!answer) return;
    // From the first chunk on, whatever came before.
    if (answer.lastSeq > 0) Object.assign(answer, { restart: true, lastSeq: 0 });
    if (answer.state === 'waiting') this.#listener.began(answer);
  }

  #chunk(/** @type {any} */ m) {
    const answer = this.messages.resolveAnswer(m.message_id);
    if (answer) this.messages.append(answer, m.chunk, m.seq ?? 0);
  }

  #complete(/** @type {any} */ m) {
    const answer = this.messages.resolveAnswer(m.message_id, m.reply_to);
    if (!answer) return;
    const failed = m.finish_reason === 'error';
    const wasOpen = answer.state !== 'done';
    Object.assign(answer, {
      text: m.full_response, state: failed ? 'failed' : 'done', finish: m.finish_reason, at: m.timestamp ?? answer.at, restart: false,
      sources: m.sources, tokens: m.usage?.completion_tokens, error: failed ? answer.error : undefined,
    });
    this.#settle(answer);
    if (wasOpen) this.#listener.ended(answer);
  }

  #refused(/** @type {any} */ m) {
    // What is about a message says nothing about the session.
    if (!m.message_id && !m.client_message_id) this.#lastError = m.code ?? '';
    const question = this.messages.findByClientId(m.client_message_id);
    const about = this.messages.find(m.message_id);
    if (question) this.#notTaken(question, m);
    else if (m.reply_to) this.#answerFailed(m);
    else if (about) this.#notResumed(about, m);
    else if (m.code === 'rate_limited') this.#listener.limited(Date.now() + (m.retry_after ?? DEFAULT_WAIT_S) * 1000);
    else if (!['session_replaced', 'session_closed', 'not_found', 'unauthorized'].includes(m.code)) this.#listener.trouble(m.message);
  }

  #notTaken(/** @type {Message} */ question, /** @type {any} */ m) {
    // What is going down comes back, and the message is sent again then.
    if (m.code === 'shutting_down' || m.code === 'session_closed' || m.code === 'session_replaced') return;
    if (m.code === 'rate_limited') {
      const wait = (m.retry_after ?? DEFAULT_WAIT_S) * 1000;
      question.state = 'limited';
      this.#listener.limited(Date.now() + wait);
      clearTimeout(this.#limitTimer);
      this.#limitTimer = setTimeout(() => this.#resendLimited(), wait);
    } else {
      this.#refuse(question, m.message);
    }
  }

  #resendLimited() {
    this.#listener.limited(null);
    for (const question of this.messages.list.filter(m => m.state === 'limited')) {
      question.state = 'sending';
      this.#submit(question);
    }
    this.#listener.changed();
  }

  #answerFailed(/** @type {any} */ m) {
    const answer = this.messages.resolveAnswer(m.message_id, m.reply_to);
    if (!answer) return;
    Object.assign(answer, { state: 'failed', error: m.message });
    this.#settle(answer);
    this.#listener.ended(answer);
  }

  #notResumed(/** @type {Message} */ about, /** @type {any} */ m) {
    const question = about.role === 'user' ? about : this.messages.questionOf(about);
    const answer = question && this.messages.answerTo(question);
    if (!question || !answer) return;
    if (m.code === 'bad_request' && answer.lastSeq > 0) {
      Object.assign(answer, { restart: true, lastSeq: 0 });
      this.#connection.send({ type: 'resume', message_id: answer.id, last_seq: 0 });
    } else if (m.code === 'not_found' && question.clientId && this.#isOwed(question)) {
      // The server was killed while it answered: the question is on disk, and asking again is safe.
      this.#submit(question);
    } else {
      answer.state = 'missing';
    }
  }

  #isOwed(/** @type {Message} */ question) {
    return this.#outbox.of(this.conversationId ?? '').some(e => e.clientId === question.clientId);
  }

  #refuse(/** @type {Message} */ question, /** @type {string} */ sentence) {
    question.state = 'failed';
    question.error = sentence;
    this.#outbox.remove(question.clientId);
    this.#listener.limited(null);
  }

  #settle(/** @type {Message} */ answer) {
    this.#outbox.remove(this.messages.questionOf(answer)?.clientId);
  }

  #remember(/** @type {Message} */ question) {
    if (this.conversationId && question.clientId)
      this.#outbox.add({ conversationId: this.conversationId, clientId: question.clientId, text: question.text, at: question.at });
  }

  #restoreOutbox(/** @type {string} */ conversationId) {
    for (const { clientId, text, at } of this.#outbox.of(conversationId)) {
      const stale = Date.now() - Date.parse(at) > STALE_MS;
      this.messages.addQuestion(text, { clientId, at, ...(stale && { state: 'failed', error: 'Not sent.' }) });
    }
  }
}

function newId() {
  // randomUUID exists in secure contexts only.
  return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, '0')).join('');
}
