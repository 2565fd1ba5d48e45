// The way in: a name, where the server hands out development tokens, or a token.

import { Api, ApiError, readToken } from './api.js';
import { byId } from './dom.js';
import { load, save } from './storage.js';

export class SignIn {
  #view = byId('sign-in', HTMLElement);
  #form = byId('sign-in-form', HTMLFormElement);
  #name = byId('sign-in-name', HTMLInputElement);
  #token = byId('sign-in-token', HTMLTextAreaElement);
  #submit = byId('sign-in-submit', HTMLButtonElement);
  #switch = byId('sign-in-switch', HTMLButtonElement);
  #error = byId('sign-in-error', HTMLElement);
  #onToken;

  /** @param {(token: string) => void} onToken */
  constructor(onToken) {
    this.#onToken = onToken;
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      void this.#go();
    });
    this.#switch.addEventListener('click', () => this.#choose(!this.#byToken));
    // A token is one line, though it takes several to show it.
    this.#token.addEventListener('keydown', event => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
  }

  /** @param {string} [notice] Why it is shown again. */
  show(notice = '') {
    this.#view.hidden = false;
    this.#name.value = load('name', '');
    this.#token.value = '';
    this.#choose(false);
    this.#say(notice);
    document.title = 'Sign in · FastChat';
  }

  hide() {
    this.#view.hidden = true;
  }

  get #byToken() {
    return this.#form.dataset.by === 'token';
  }

  #choose(/** @type {boolean} */ byToken) {
    this.#form.dataset.by = byToken ? 'token' : 'name';
    this.#name.required = !byToken;
    this.#token.required = byToken;
    this.#switch.textContent = byToken ? 'Use a name instead' : 'Use a token instead';
    this.#say('');
    (byToken ? this.#token : this.#name).focus();
  }

  async #go() {
    this.#say('');
    this.#submit.disabled = true;
    try {
      const token = this.#byToken ? this.#token.value.trim() : await Api.developmentToken(this.#name.value.trim());
      if (!readToken(token)) throw new ApiError('This is not a token. It has three parts with dots between them.', 400);
      if (!this.#byToken) save('name', this.#name.value.trim());
      await new Api(token).chatbots();
      this.#onToken(token);
    } catch (error) {
      this.#explain(error);
    } finally {
      this.#submit.disabled = false;
    }
  }

  #explain(/** @type {unknown} */ error) {
    const status = error instanceof ApiError ? error.status : 0;
    const refusesNames = !this.#byToken && (status === 403 || status === 404 || status === 405);
    if (refusesNames) this.#choose(true);
    this.#say(refusesNames ? 'This server wants a token. Make one with “fastchat token NAME”.'
      : status === 401 ? 'The server does not take this token.'
      : error instanceof Error ? error.message : 'Signing in failed.');
  }

  #say(/** @type {string} */ text) {
    this.#error.textContent = text;
    this.#error.hidden = text === '';
  }
}
