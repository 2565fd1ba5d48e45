// One WebSocket that comes back by itself: exponential back-off with jitter, at once when the network returns or the page is looked at.

/**
 * @typedef {'closed'|'connecting'|'open'|'waiting'|'offline'|'parked'} StateName
 * @typedef {{ name: StateName, retryAt?: number }} State `retryAt` in milliseconds since the epoch.
 * @typedef {'retry'|'retry-now'|'park'|'close'} Verdict What to do about a socket that ended.
 * @typedef {object} Handlers
 * @property {() => Promise<string>} address Where to connect. What it throws is given to `failed`.
 * @property {(message: any) => void} message A JSON object came.
 * @property {(code: number) => Verdict} ended The socket closed.
 * @property {(error: unknown) => { verdict: Verdict, afterMs?: number }} failed There was no address.
 * @property {(state: State) => void} state
 */

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const NO_STATUS = 1006;

export class Connection {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {State} */
  #state = { name: 'closed' };
  #attempts = 0;
  // A try at once is for once: a server that refuses everything is not hammered.
  #hurried = false;
  #timer = 0;
  // Numbers the tries: whatever a superseded one still has to say is not heard.
  #try = 0;
  #handlers;
  #listening = new AbortController();

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
    const { signal } = this.#listening;
    addEventListener('online', () => this.retryNow(), { signal });
    addEventListener('offline', () => this.#onOffline(), { signal });
    addEventListener('focus', () => this.#onAttention(), { signal });
    document.addEventListener('visibilitychange', () => this.#onAttention(), { signal });
  }

  get state() {
    return this.#state;
  }

  connect() {
    this.#attempts = 0;
    void this.#open();
  }

  /** Tries at once, unless it is connected or connecting. */
  retryNow() {
    if (this.#state.name === 'waiting' || this.#state.name === 'offline' || this.#state.name === 'parked') this.connect();
  }

  /** The peer has answered: the next loss begins with a short delay again. */
  settled() {
    this.#attempts = 0;
    this.#hurried = false;
  }

  /** Gives this try up, and tries again after a while. */
  again() {
    this.#drop();
    this.#settle('retry');
  }

  /** @returns {boolean} Whether it was handed to the socket. */
  send(/** @type {object} */ message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Ends the connection; `connect` begins anew. */
  close() {
    this.#drop();
    this.#set({ name: 'closed' });
  }

  /** Ends it for good. */
  dispose() {
    this.close();
    this.#listening.abort();
  }

  async #open() {
    this.#drop();
    const mine = this.#try;
    this.#set({ name: 'connecting' });
    let address;
    try {
      address = await this.#handlers.address();
    } catch (error) {
      if (mine !== this.#try) return;
      const { verdict, afterMs } = this.#handlers.failed(error);
      this.#settle(verdict, afterMs);
      return;
    }
    if (mine !== this.#try) return;
    const socket = this.#socket = new WebSocket(address);
    socket.onopen = () => {
      if (mine === this.#try) this.#set({ name: 'open' });
    };
    socket.onmessage = event => {
      if (mine !== this.#try) return;
      const message = parse(event.data);
      if (message) this.#handlers.message(message);
    };
    socket.onclose = event => {
      if (mine !== this.#try) return;
      this.#socket = null;
      this.#settle(this.#handlers.ended(event.code || NO_STATUS));
    };
  }

  #drop() {
    this.#try++;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    // One that is still connecting is closed once it has: browsers report the other as a failure.
    if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close(1000);
    else socket?.close(1000);
  }

  #settle(/** @type {Verdict} */ verdict, /** @type {number | undefined} */ afterMs = undefined) {
    this.#try++;
    if (verdict === 'close') this.#set({ name: 'closed' });
    else if (verdict === 'park') this.#set({ name: 'parked' });
    else if (verdict === 'retry-now' && !this.#hurried) {
      this.#hurried = true;
      void this.#open();
    } else {
      const delay = afterMs ?? backOff(this.#attempts++);
      this.#set({ name: navigator.onLine ? 'waiting' : 'offline', retryAt: Date.now() + delay });
      this.#timer = setTimeout(() => void this.#open(), delay);
    }
  }

  // A socket of a network that is gone may look alive for minutes. Loopback does not need a network: hence a try, not a pause.
  #onOffline() {
    if (this.#state.name === 'open') this.connect();
  }

  #onAttention() {
    if (document.visibilityState === 'visible') this.retryNow();
  }

  #set(/** @type {State} */ state) {
    this.#state = state;
    this.#handlers.state(state);
  }
}

/** Between half of and the whole exponential delay: many pages of a server that comes back do not all come at once. */
export function backOff(/** @type {number} */ attempt) {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
}

function parse(/** @type {unknown} */ data) {
  try {
    const value = typeof data === 'string' ? JSON.parse(data) : null;
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
