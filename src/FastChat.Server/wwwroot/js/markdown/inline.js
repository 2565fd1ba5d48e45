// Markdown within a line: code, emphasis, links. Builds nodes; text is only ever text.

const ESCAPABLE = /[!-/:-@[-`{-~]/;
const WORD = /[\p{L}\p{N}]/u;
const BARE_LINK = /https?:\/\/[^\s<>"'`]+/y;
const SAFE = new Set(['http:', 'https:', 'mailto:']);
const MAX_DEPTH = 6;
const MAX_LABEL = 1000;

/**
 * @param {string} text
 * @param {boolean} [open] The text is still growing: what is not closed yet counts as closed at the end.
 * @param {number} [depth]
 * @returns {DocumentFragment}
 */
export function renderInline(text, open = false, depth = 0) {
  const out = document.createDocumentFragment();
  /** Delimiters without a partner further on; looking again would cost the square of the length. @type {Set<string>} */
  const dead = new Set();
  let plain = '';
  const flush = () => {
    if (plain) out.append(plain);
    plain = '';
  };
  for (let at = 0; at < text.length;) {
    const found = depth < MAX_DEPTH ? readSpan(text, at, open, depth, dead) : null;
    if (found) {
      flush();
      out.append(found.node);
      at = found.end;
    } else if (text[at] === '\\' && ESCAPABLE.test(text[at + 1] ?? '')) {
      plain += text[at + 1];
      at += 2;
    } else {
      plain += text[at++];
    }
  }
  flush();
  return out;
}

/**
 * What a piece of Markdown says, without its marks: for labels and announcements.
 * @param {string} text
 */
export function plainText(text) {
  return text.replace(/^ {0,3}(?:`{3,}.*|[#>]+)\s?/gm, '').replace(/[*_`~|]+/g, '').replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\s+/g, ' ').trim();
}

/** @typedef {{ node: Node, end: number }} Span */

/** @returns {Span | null} */
function readSpan(/** @type {string} */ text, /** @type {number} */ at, /** @type {boolean} */ open, /** @type {number} */ depth, /** @type {Set<string>} */ dead) {
  switch (text[at]) {
    case '`': return readCode(text, at, open, dead);
    case '*':
    case '_':
    case '~': return readEmphasis(text, at, open, depth, dead);
    case '[': return readLink(text, at, at, depth);
    case '!': return text[at + 1] === '[' ? readLink(text, at, at + 1, depth) : null;
    case '<': return readAutolink(text, at);
    case 'h': return WORD.test(text[at - 1] ?? '') ? null : readBareLink(text, at);
    case '\n': return readBreak(text, at);
    case ' ': return text.startsWith('  \n', at) ? { node: element('br'), end: at + 3 } : null;
    case '\\': return text[at + 1] === '\n' ? { node: element('br'), end: at + 2 } : null;
    default: return null;
  }
}

/** @returns {Span | null} */
function readCode(/** @type {string} */ text, /** @type {number} */ at, /** @type {boolean} */ open, /** @type {Set<string>} */ dead) {
  const run = runAt(text, at);
  const start = at + run.length;
  const close = dead.has(run) ? -1 : findRun(text, start, run);
  if (close < 0) {
    dead.add(run);
    if (!open || start === text.length) return { node: document.createTextNode(run), end: start };
  }
  const body = (close < 0 ? text.slice(start) : text.slice(start, close)).replace(/\n/g, ' ');
  const code = element('code');
  code.textContent = /^ .*\S.* $/.test(body) ? body.slice(1, -1) : body;
  return { node: code, end: close < 0 ? text.length : close + run.length };
}

/** @returns {Span | null} */
function readEmphasis(/** @type {string} */ text, /** @type {number} */ at, /** @type {boolean} */ open, /** @type {number} */ depth, /** @type {Set<string>} */ dead) {
  const run = runAt(text, at);
  const mark = run[0];
  const before = text[at - 1] ?? ' ';
  if ((mark === '_' && WORD.test(before)) || (mark === '~' && run.length !== 2) || run.length > 3) return skip(run, at);
  // Three open both; the inner one is read by the recursion.
  const size = run.length === 3 ? 2 : run.length;
  const delimiter = mark.repeat(size);
  const start = at + size;
  if (/\s|^$/.test(text[at + run.length] ?? '')) return skip(run, at);
  const close = dead.has(delimiter) ? -1 : findClosing(text, start, delimiter);
  if (close < 0) {
    dead.add(delimiter);
    if (!open) return skip(run, at);
  }
  const node = element(mark === '~' ? 'del' : size === 2 ? 'strong' : 'em');
  const inner = close < 0 ? text.slice(start) : text.slice(start, close);
  node.append(renderInline(inner, open && close < 0, depth + 1));
  return { node, end: close < 0 ? text.length : close + size };
}

/** Where an opened emphasis closes; -1 for nowhere. Code in between hides its marks. */
function findClosing(/** @type {string} */ text, /** @type {number} */ from, /** @type {string} */ delimiter) {
  const mark = delimiter[0];
  for (let at = from; at < text.length;) {
    if (text[at] === '\\') at += 2;
    else if (text[at] === '`') {
      const run = runAt(text, at);
      const close = findRun(text, at + run.length, run);
      at = close < 0 ? at + run.length : close + run.length;
    } else if (text[at] !== mark) at++;
    else {
      const run = runAt(text, at);
      const after = text[at + run.length] ?? ' ';
      const closes = !/\s/.test(text[at - 1]) && at > from && (mark !== '_' || !WORD.test(after));
      if (closes && run.length === delimiter.length) return at;
      // Of a longer run the inner marks close what opened last: ours are at its end.
      if (closes && run.length === 3) return delimiter.length === 2 ? at + 1 : at + 2;
      at += run.length;
    }
  }
  return -1;
}

/** @returns {Span | null} */
function readLink(/** @type {string} */ text, /** @type {number} */ at, /** @type {number} */ bracket, /** @type {number} */ depth) {
  let nesting = 0;
  let close = bracket;
  const limit = Math.min(text.length, bracket + MAX_LABEL);
  for (; close < limit; close++) {
    if (text[close] === '\\') close++;
    else if (text[close] === '[') nesting++;
    else if (text[close] === ']' && --nesting === 0) break;
  }
  if (close >= limit || text[close + 1] !== '(') return null;
  const target = /^\(\s*(?:<([^<>\n]*)>|((?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*\))*))(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/
    .exec(text.slice(close + 1, close + 1 + 2 * MAX_LABEL));
  if (!target) return null;
  const label = text.slice(bracket + 1, close);
  const end = close + 1 + target[0].length;
  const content = renderInline(label, false, Math.max(depth + 1, MAX_DEPTH - 2));
  const address = (target[1] ?? target[2] ?? '').replace(/\\([!-/:-@[-`{-~])/g, '$1');
  const node = link(address, content);
  return node ? { node, end } : { node: content, end };
}

/** @returns {Span | null} */
function readAutolink(/** @type {string} */ text, /** @type {number} */ at) {
  const match = /^<((?:https?:\/\/|mailto:)[^\s<>]+)>/.exec(text.slice(at, at + MAX_LABEL));
  const node = match && link(match[1], match[1].replace(/^mailto:/, ''));
  return node ? { node, end: at + match[0].length } : null;
}

/** @returns {Span | null} */
function readBareLink(/** @type {string} */ text, /** @type {number} */ at) {
  BARE_LINK.lastIndex = at;
  let address = BARE_LINK.exec(text)?.[0].replace(/[.,;:!?*_~]+$/, '');
  if (!address) return null;
  // A closing bracket belongs to the sentence unless the address opened it.
  while (/[)\]]$/.test(address) && !address.includes(address.endsWith(')') ? '(' : '[')) address = address.slice(0, -1);
  const node = link(address, address);
  return node ? { node, end: at + address.length } : null;
}

/** @returns {Span} */
function readBreak(/** @type {string} */ text, /** @type {number} */ at) {
  return { node: document.createTextNode('\n'), end: at + 1 };
}

/**
 * A link that opens elsewhere and says nothing of where it came from; null when the address is none that is safe to follow.
 * @param {string} address
 * @param {string | Node} content
 */
function link(address, content) {
  if (!URL.canParse(address) || !SAFE.has(new URL(address).protocol)) return null;
  const a = element('a');
  a.setAttribute('href', new URL(address).href);
  a.setAttribute('rel', 'noopener noreferrer nofollow');
  a.setAttribute('target', '_blank');
  a.append(content);
  return a;
}

/** @returns {Span} */
function skip(/** @type {string} */ run, /** @type {number} */ at) {
  return { node: document.createTextNode(run), end: at + run.length };
}

function runAt(/** @type {string} */ text, /** @type {number} */ at) {
  let end = at + 1;
  while (text[end] === text[at]) end++;
  return text.slice(at, end);
}

/** Where exactly this run stands next; -1 for nowhere. */
function findRun(/** @type {string} */ text, /** @type {number} */ from, /** @type {string} */ run) {
  for (let at = text.indexOf(run, from); at >= 0; at = text.indexOf(run, at)) {
    const found = runAt(text, at);
    if (found.length === run.length) return at;
    at += found.length;
  }
  return -1;
}

function element(/** @type {string} */ name) {
  return document.createElement(name);
}
