// The messages of a conversation as the page knows them: what was loaded, what is on its way, what streams. Knows no socket and no DOM.

/**
 * @typedef {object} Message
 * @property {string} key Stable while the page lives.
 * @property {string | null} id The server's id; null until it is known.
 * @property {'user'|'assistant'|'system'} role
 * @property {string} text
 * @property {string} at ISO 8601.
 * @property {'sending'|'limited'|'failed'|'sent'|'waiting'|'streaming'|'done'|'missing'} state
 * A user's message is sending, limited, failed or sent; an answer waiting, streaming, done, failed, or missing (owed by nobody).
 * @property {string} [clientId]
 * @property {string} [question] Of an answer: the key of what it answers.
 * @property {number} lastSeq The last chunk received.
 * @property {boolean} [restart] The answer begins anew: the next chunk replaces the text.
 * @property {string} [finish]
 * @property {string} [error] A sentence.
 * @property {import('./api.js').Source[]} [sources]
 * @property {number} [tokens]
 */

/** @typedef {import('./api.js').StoredMessage} StoredMessage */

let keys = 0;

export class Messages {
  /** In the order in which they are shown. @type {Message[]} */
  list = [];

  /** @returns {Message | undefined} */
  find(/** @type {string | null | undefined} */ id) {
    return id ? this.list.find(m => m.id === id) : undefined;
  }

  /** @returns {Message | undefined} */
  findByClientId(/** @type {string | undefined} */ clientId) {
    return clientId ? this.list.find(m => m.clientId === clientId) : undefined;
  }

  /** @returns {Message | undefined} */
  answerTo(/** @type {Message} */ question) {
    return this.list.find(m => m.question === question.key);
  }

  /** @returns {Message | undefined} */
  questionOf(/** @type {Message} */ answer) {
    return this.list.find(m => m.key === answer.question);
  }

  /** Questions that the server has and that wait for their answer, oldest first. */
  unanswered() {
    return this.list.filter(m => m.role === 'user' && m.state === 'sent' && isOpen(this.answerTo(m)));
  }

  /** Whether an answer is expected. */
  get isBusy() {
    return this.list.some(m => m.state === 'sending' || m.state === 'limited' || m.state === 'waiting' || m.state === 'streaming');
  }

  /** The answer that can be stopped. */
  get running() {
    return this.list.find(m => m.state === 'streaming') ?? this.list.find(m => m.state === 'waiting');
  }

  addQuestion(/** @type {string} */ text, /** @type {Partial<Message>} */ rest = {}) {
    const message = make({ role: 'user', text, state: 'sending', ...rest });
    this.list.push(message);
    return message;
  }

  remove(/** @type {Message} */ message) {
    this.list = this.list.filter(m => m !== message);
  }

  /** The answer to a question, made where there is none; placed behind it. */
  ensureAnswer(/** @type {Message} */ question, /** @type {string | null} */ id) {
    let answer = this.find(id) ?? this.answerTo(question);
    if (!answer) {
      answer = make({ role: 'assistant', text: '', state: 'waiting', question: question.key });
      this.list.splice(this.list.indexOf(question) + 1, 0, answer);
    } else if (answer.id && id && answer.id !== id) {
      // The server forgot the first try (it was killed) and answers anew.
      Object.assign(answer, { state: 'waiting', restart: true, lastSeq: 0, error: undefined, finish: undefined });
    } else if (answer.state === 'missing') {
      answer.state = 'waiting';
    }
    answer.id = id ?? answer.id;
    answer.question = question.key;
    return answer;
  }

  /**
   * The answer with this id. One never heard of answers the oldest question still open, for a conversation's answers come one by one.
   * @returns {Message | undefined}
   */
  resolveAnswer(/** @type {string} */ id, /** @type {string | undefined} */ replyTo = undefined) {
    const known = this.find(id);
    if (known) return known;
    const question = this.find(replyTo) ?? this.list.find(m => m.role === 'user' && m.state === 'sent' && isOpen(this.answerTo(m)) && !this.answerTo(m)?.id);
    return question && this.ensureAnswer(question, id);
  }

  /** Adds a chunk; false for one that is there already. */
  append(/** @type {Message} */ answer, /** @type {string} */ chunk, /** @type {number} */ seq) {
    if (answer.state === 'done' || (seq && seq <= answer.lastSeq && !answer.restart)) return false;
    answer.text = answer.restart ? chunk : answer.text + chunk;
    answer.restart = false;
    answer.lastSeq = seq || answer.lastSeq + 1;
    answer.state = 'streaming';
    return true;
  }

  /** Takes over what the server has: its order and its texts win, what it has not yet stays. */
  merge(/** @type {StoredMessage[]} */ stored) {
    const ids = new Set(stored.map(m => m.id));
    const firstKnown = this.list.findIndex(m => m.id && ids.has(m.id));
    // Nothing in common: too much has happened since, and what lies between is not known.
    const isGap = firstKnown < 0 && stored.length > 0 && this.list.some(m => m.id);
    const earlier = isGap ? [] : this.list.slice(0, Math.max(0, firstKnown)).filter(m => m.id && !ids.has(m.id));
    const rest = this.list.slice(isGap ? 0 : earlier.length).filter(m => !(m.id && ids.has(m.id)) && !(isGap && m.id && m.state === 'done'));

    /** @type {Message[]} */
    const merged = [...earlier];
    let question = earlier.findLast(m => m.role === 'user');
    for (const s of stored) {
      const pending = rest.find(m => m.role === 'user' && m.clientId && m.clientId === s.clientId);
      const message = this.find(s.id) ?? pending ?? make({});
      rest.splice(0, rest.length, ...rest.filter(m => m !== message));
      const asked = s.replyTo ? merged.find(m => m.id === s.replyTo) : question;
      update(message, s, asked);
      merged.push(message);
      if (s.role === 'user') question = message;
    }
    // An answer that is not stored yet stands behind its question, wherever that is now.
    for (const message of rest) {
      if (message.question && merged.some(m => m !== message && m.question === message.question)) continue;
      const at = merged.findIndex(m => m.key === message.question);
      merged.splice(at < 0 ? merged.length : at + 1, 0, message);
    }
    this.list = merged;
  }

  /** Puts older messages in front. */
  prepend(/** @type {StoredMessage[]} */ stored) {
    /** @type {Message | undefined} */
    let question;
    const older = stored.filter(s => !this.find(s.id)).map(s => {
      const message = make({});
      update(message, s, question);
      if (s.role === 'user') question = message;
      return message;
    });
    this.list = [...older, ...this.list];
  }
}

function isOpen(/** @type {Message | undefined} */ answer) {
  return !answer || answer.state === 'waiting' || answer.state === 'streaming';
}

/** @returns {Message} */
function make(/** @type {Partial<Message>} */ rest) {
  return { key: `m${++keys}`, id: null, role: 'user', text: '', at: new Date().toISOString(), state: 'sent', lastSeq: 0, ...rest };
}

function update(/** @type {Message} */ message, /** @type {StoredMessage} */ stored, /** @type {Message | undefined} */ question) {
  Object.assign(message, {
    id: stored.id, role: stored.role, text: stored.text, at: stored.at, restart: false,
    state: stored.role === 'user' ? 'sent' : stored.finish === 'error' ? 'failed' : 'done',
    clientId: stored.clientId ?? message.clientId, finish: stored.finish ?? message.finish,
    sources: stored.sources ?? message.sources, tokens: stored.tokens ?? message.tokens,
  });
  if (stored.role === 'assistant' && question) message.question = question.key;
}
