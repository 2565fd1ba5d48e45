// Shows Markdown that grows, touching only what changed: earlier blocks keep their nodes, and with them selection and scroll position.

import { copyButton } from '../copy.js';
import { h } from '../dom.js';
import { parseBlocks } from './blocks.js';
import { renderInline } from './inline.js';

/** @typedef {import('./blocks.js').Block} Block */
/** @typedef {{ block: Block, open: boolean, element: HTMLElement, inner: HTMLElement, children: Shown[] }} Shown */

export class MarkdownView {
  #root;
  #source = '';
  /** @type {Block[]} */
  #blocks = [];
  /** @type {Shown[]} */
  #shown = [];

  /** @param {HTMLElement} root Its children belong to this view. */
  constructor(root) {
    this.#root = root;
  }

  /**
   * @param {string} source The whole text.
   * @param {boolean} open More is to come.
   */
  set(source, open) {
    const normal = source.replace(/\r\n?/g, '\n');
    const grew = this.#blocks.length > 2 && normal.startsWith(this.#source);
    const kept = grew ? this.#blocks.slice(0, -2) : [];
    const from = grew ? this.#blocks[this.#blocks.length - 2].start : 0;
    const parsed = parseBlocks(normal.slice(from));
    for (const block of parsed) block.start += from;
    this.#source = normal;
    this.#blocks = [...kept, ...parsed];
    reconcile(this.#root, this.#shown, this.#blocks, open);
  }
}

/** Makes `parent` show `blocks`, keeping what is the same. */
function reconcile(/** @type {HTMLElement} */ parent, /** @type {Shown[]} */ shown, /** @type {Block[]} */ blocks, /** @type {boolean} */ open) {
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[i];
    const isOpen = open && i === blocks.length - 1;
    const old = shown[i];
    if (old?.block.type === block.type && old.block.raw === block.raw && old.open === isOpen && old.block.loose === block.loose) continue;
    if (old && patch(old, block, isOpen)) continue;
    const made = create(block, isOpen);
    if (old) old.element.replaceWith(made.element);
    else parent.append(made.element);
    shown[i] = made;
  }
  for (const gone of shown.splice(blocks.length)) gone.element.remove();
}

/** Changes what is shown in place; false when it must be made anew. */
function patch(/** @type {Shown} */ old, /** @type {Block} */ block, /** @type {boolean} */ open) {
  const was = old.block;
  if (was.type !== block.type || was.level !== block.level || was.language !== block.language || was.ordered !== block.ordered || block.type === 'table')
    return false;
  fill(old, block, open);
  old.block = block;
  old.open = open;
  return true;
}

/** @returns {Shown} */
function create(/** @type {Block} */ block, /** @type {boolean} */ open) {
  const [element, inner] = frame(block);
  /** @type {Shown} */
  const shown = { block, open, element, inner, children: [] };
  fill(shown, block, open);
  return shown;
}

/** @returns {[HTMLElement, HTMLElement]} The element, and the one within it that holds the content. */
function frame(/** @type {Block} */ block) {
  switch (block.type) {
    case 'code': return codeFrame(block);
    case 'table': {
      const table = h('table');
      return [h('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Table' }, table), table];
    }
    default: {
      const element = h(nameOf(block));
      return [element, element];
    }
  }
}

/** @returns {'p'|'hr'|'ol'|'ul'|'li'|'blockquote'|'h3'|'h4'|'h5'|'h6'} */
function nameOf(/** @type {Block} */ block) {
  switch (block.type) {
    // The page's own headings are the first two levels.
    case 'heading': return /** @type {'h3'} */ (`h${Math.min(6, (block.level ?? 1) + 2)}`);
    case 'list': return block.ordered ? 'ol' : 'ul';
    case 'item': return 'li';
    case 'quote': return 'blockquote';
    case 'rule': return 'hr';
    default: return 'p';
  }
}

/** @returns {[HTMLElement, HTMLElement]} */
function codeFrame(/** @type {Block} */ block) {
  const code = h('code');
  code.append('');
  const figure = h('figure', { class: 'code' },
    h('figcaption', {}, h('span', { class: 'code-language' }, block.language || 'text'), copyButton('Copy code', () => code.textContent ?? '')),
    h('pre', { tabindex: '0', 'aria-label': block.language ? `Code: ${block.language}` : 'Code' }, code));
  return [figure, code];
}

function fill(/** @type {Shown} */ shown, /** @type {Block} */ block, /** @type {boolean} */ open) {
  const { inner } = shown;
  switch (block.type) {
    case 'paragraph':
    case 'heading':
      inner.replaceChildren(renderInline(block.text ?? '', open));
      break;
    case 'code': setCode(/** @type {Text} */ (inner.firstChild), block.text ?? ''); break;
    case 'table': fillTable(inner, block); break;
    case 'list':
      inner.classList.toggle('tight', !block.loose);
      if (block.ordered && block.first !== 1) inner.setAttribute('start', String(block.first));
      // Falls through: a list is filled as its items are.
    case 'item':
    case 'quote':
      reconcile(inner, shown.children, block.children ?? [], open);
      break;
  }
}

function setCode(/** @type {Text} */ node, /** @type {string} */ text) {
  if (text.startsWith(node.data)) node.appendData(text.slice(node.data.length));
  else node.data = text;
}

function fillTable(/** @type {HTMLElement} */ table, /** @type {Block} */ block) {
  const [head, ...body] = block.rows ?? [];
  const row = (/** @type {string[]} */ cells, /** @type {'th'|'td'} */ name) => h('tr', {}, ...cells.map((text, i) =>
    h(name, { class: block.align?.[i] ? `align-${block.align[i]}` : null, scope: name === 'th' ? 'col' : null }, renderInline(text))));
  table.replaceChildren(h('thead', {}, row(head, 'th')), h('tbody', {}, ...body.map(cells => row(cells, 'td'))));
}
