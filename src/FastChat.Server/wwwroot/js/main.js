import { Api, readToken } from './api.js';
import { App } from './app.js';
import { byId } from './dom.js';
import { SignIn } from './sign-in.js';
import { load, save } from './storage.js';
import { paintBrowser } from './theme.js';

const EXPIRED = 'expired';

function enter(/** @type {string} */ token) {
  const user = readToken(token);
  if (!user) return false;
  const api = new Api(token);
  let isOver = false;
  // Everything begins anew with a new page: nothing of one user stays for the next.
  const leave = (notice = '') => {
    if (isOver) return;
    isOver = true;
    save('token', null);
    if (notice) sessionStorage.setItem('fastchat.notice', notice);
    location.reload();
  };
  api.onUnauthorized = () => leave(EXPIRED);
  save('token', token);
  void new App(user, api, leave).start();
  return true;
}

function main() {
  paintBrowser();
  const token = load('token', '');
  if (token && enter(token)) return;
  const signIn = new SignIn(given => {
    signIn.hide();
    enter(given);
  });
  const notice = sessionStorage.getItem('fastchat.notice');
  sessionStorage.removeItem('fastchat.notice');
  signIn.show(notice === EXPIRED ? 'Your token is not valid any longer. Please sign in again.' : '');
}

addEventListener('unhandledrejection', event => console.error(event.reason));
byId('boot', HTMLElement).remove();
main();
