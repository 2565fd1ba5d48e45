// What the page says about the connection, and about being too fast.

import { announce } from './announce.js';
import { byId } from './dom.js';

/** @typedef {import('./connection.js').State} State */

/** @type {Record<State['name'], string>} */
const WORDS = {
  closed: 'Ready', connecting: 'Connecting…', open: 'Connected', waiting: 'Reconnecting', offline: 'Offline', parked: 'Paused',
};

export class Status {
  #pill = byId('pill', HTMLButtonElement);
  #label = byId('pill-label', HTMLElement);
  #banner = byId('banner', HTMLElement);
  #bannerText = byId('banner-text', HTMLElement);
  #bannerAction = byId('banner-action', HTMLButtonElement);
  /** @type {State} */
  #state = { name: 'closed' };
  /** @type {number | null} */
  #limitedUntil = null;
  #wasLost = false;
  #timer = 0;

  /** @param {() => void} onRetry */
  constructor(onRetry) {
    this.#pill.addEventListener('click', onRetry);
    this.#bannerAction.addEventListener('click', onRetry);
  }

  /** @param {State} state */
  connection(state) {
    const before = this.#state.name;
    this.#state = state;
    const isLost = state.name === 'waiting' || state.name === 'offline';
    if (isLost && !this.#wasLost) announce('The connection is lost. Trying again.');
    if (state.name === 'open' && this.#wasLost) announce('Connected again.');
    if (state.name === 'parked' && before !== 'parked') announce('This conversation goes on in another window.');
    if (isLost) this.#wasLost = true;
    else if (state.name === 'open') this.#wasLost = false;
    this.#draw();
  }

  /** @param {number | null} until */
  limited(until) {
    if (until && !this.#limitedUntil) announce('You are faster than the server allows. It goes on by itself.');
    this.#limitedUntil = until;
    this.#draw();
  }

  #draw() {
    clearTimeout(this.#timer);
    const { name, retryAt } = this.#state;
    const canRetry = name === 'waiting' || name === 'offline' || name === 'parked';
    // A connection that comes back at once is not worth a flicker.
    this.#pill.dataset.state = name === 'connecting' && this.#wasLost ? 'waiting' : name;
    const left = secondsUntil(retryAt);
    this.#label.textContent = name === 'waiting' && left > 0 ? `Reconnecting in ${left} s` : WORDS[name];
    this.#pill.title = canRetry ? 'Connect now' : WORDS[name];
    this.#pill.disabled = !canRetry;
    this.#drawBanner();
    if ((retryAt && left > 0) || this.#limitedUntil) this.#timer = setTimeout(() => this.#draw(), 500);
  }

  #drawBanner() {
    const left = secondsUntil(this.#limitedUntil ?? undefined);
    if (this.#limitedUntil && left === 0) this.#limitedUntil = null;
    const parked = this.#state.name === 'parked';
    this.#banner.hidden = !parked && !this.#limitedUntil;
    this.#banner.dataset.kind = parked ? 'parked' : 'limited';
    this.#bannerAction.hidden = !parked;
    this.#bannerText.textContent = parked ? 'You went on in another window, so this one is paused.'
      : this.#limitedUntil ? `You are faster than the server allows. It goes on in ${left} s.` : '';
  }
}

function secondsUntil(/** @type {number | undefined} */ at) {
  return at ? Math.max(0, Math.ceil((at - Date.now()) / 1000)) : 0;
}
