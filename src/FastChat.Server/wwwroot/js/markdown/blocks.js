// Markdown's blocks: a subset of CommonMark plus tables, chosen for what models write. Sans DOM.

/**
 * @typedef {object} Block
 * @property {'paragraph'|'heading'|'code'|'list'|'item'|'quote'|'table'|'rule'} type
 * @property {string} raw The source, which says whether a block has changed.
 * @property {number} start Where it begins in the source that was parsed.
 * @property {string} [text] Inline text of a paragraph or heading; the code of a code block.
 * @property {number} [level] Level of a heading.
 * @property {string} [language] Info string of a code block.
 * @property {boolean} [ordered] Whether a list is numbered.
 * @property {number} [first] First number of a numbered list.
 * @property {boolean} [loose] Whether a list's items stand apart.
 * @property {Block[]} [children] Of a list, an item or a quote.
 * @property {string[][]} [rows] Of a table; the first one is its head.
 * @property {string[]} [align] Of a table's columns: left, center, right or empty.
 */

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}>[ \t]?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])([ \t]+(?=\S)|[ \t]*$)/;
const DELIMITER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

// Deeper nesting than this is somebody trying to hurt us, and is shown as text.
const MAX_DEPTH = 8;

/**
 * Splits Markdown into blocks. Text added at the end can only change the last two top-level blocks: the last one, and, while the last
 * line is not finished, the one that this line turns out to belong to.
 * @param {string} source
 * @param {number} [depth]
 * @returns {Block[]}
 */
export function parseBlocks(source, depth = 0) {
  const lines = source.split('\n');
  const starts = new Array(lines.length + 1);
  starts[0] = 0;
  lines.forEach((line, i) => { starts[i + 1] = starts[i] + line.length + 1; });

  /** @type {Block[]} */
  const blocks = [];
  for (let at = 0; at < lines.length;) {
    if (isBlank(lines[at])) {
      at++;
      continue;
    }
    const [block, next] = readBlock(lines, at, depth);
    block.start = starts[at];
    block.raw = source.slice(starts[at], Math.min(starts[next], source.length));
    blocks.push(block);
    at = next;
  }
  return blocks;
}

/** @returns {[Block, number]} A block and the line after it. */
function readBlock(/** @type {string[]} */ lines, /** @type {number} */ at, /** @type {number} */ depth) {
  const line = lines[at];
  if (depth < MAX_DEPTH) {
    if (FENCE.test(line)) return readCode(lines, at);
    if (RULE.test(line)) return [make('rule'), at + 1];
    const heading = HEADING.exec(line);
    if (heading) return [make('heading', { level: heading[1].length, text: heading[2] ?? '' }), at + 1];
    if (QUOTE.test(line)) return readQuote(lines, at, depth);
    if (ITEM.test(line)) return readList(lines, at, depth);
    if (isTable(lines, at)) return readTable(lines, at);
  }
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]) && !interrupts(lines, end)) end++;
  return [make('paragraph', { text: lines.slice(at, end).map(l => l.trimStart()).join('\n').trimEnd() }), end];
}

function readCode(/** @type {string[]} */ lines, /** @type {number} */ at) {
  const [, fence, info] = /** @type {RegExpExecArray} */ (FENCE.exec(lines[at]));
  const indent = lines[at].search(/\S/);
  const closing = new RegExp(`^ {0,3}${fence[0] === '`' ? '`' : '~'}{${fence.length},}[ \\t]*$`);
  let end = at + 1;
  while (end < lines.length && !closing.test(lines[end])) end++;
  const code = lines.slice(at + 1, end).map(l => l.slice(Math.min(indent, Math.max(0, l.search(/\S|$/))))).join('\n');
  /** @type {[Block, number]} */
  const result = [make('code', { text: code, language: info.trim().split(/\s+/)[0] }), Math.min(end + 1, lines.length)];
  return result;
}

/** @returns {[Block, number]} */
function readQuote(/** @type {string[]} */ lines, /** @type {number} */ at, /** @type {number} */ depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end++;
  const inner = lines.slice(at, end).map(l => l.replace(QUOTE, '')).join('\n');
  return [make('quote', { children: parseBlocks(inner, depth + 1) }), end];
}

/** @returns {[Block, number]} */
function readList(/** @type {string[]} */ lines, /** @type {number} */ at, /** @type {number} */ depth) {
  const first = /** @type {RegExpExecArray} */ (ITEM.exec(lines[at]))[2];
  const kind = first.slice(-1);
  const list = make('list', { ordered: /\d/.test(first), first: parseInt(first, 10) || 0, loose: false, children: [] });
  let next = at;
  for (let match; next < lines.length && (match = ITEM.exec(lines[next])) && match[2].slice(-1) === kind && !RULE.test(lines[next]);) {
    const [item, end] = readItem(lines, next, match, depth);
    list.children?.push(item);
    next = end;
    while (next < lines.length && isBlank(lines[next])) next++;
    const goesOn = next > end && next < lines.length && ITEM.exec(lines[next])?.[2].slice(-1) === kind;
    if (goesOn) list.loose = true;
    else if (next > end) {
      next = end;
      break;
    }
  }
  return [list, next];
}

/** @returns {[Block, number]} */
function readItem(/** @type {string[]} */ lines, /** @type {number} */ at, /** @type {RegExpExecArray} */ match, /** @type {number} */ depth) {
  const width = match[0].length;
  const inner = [lines[at].slice(width)];
  let end = at + 1;
  for (; end < lines.length; end++) {
    const line = lines[end];
    if (isBlank(line)) {
      // The item goes on behind a blank line only where something indented follows.
      let next = end;
      while (next < lines.length && isBlank(lines[next])) next++;
      if (next === lines.length || indentOf(lines[next]) < 2) break;
      inner.push('');
      continue;
    }
    const indent = indentOf(line);
    // Models indent what is nested by two, whatever the marker's width.
    if (indent >= 2 || (indent > 0 && indent >= width)) inner.push(line.slice(Math.min(indent, width)));
    else if (ITEM.test(line) || interrupts(lines, end) || isBlank(inner[inner.length - 1])) break;
    else inner.push(line);
  }
  const raw = inner.join('\n');
  return [make('item', { raw, children: parseBlocks(raw, depth + 1) }), end];
}

/** @returns {[Block, number]} */
function readTable(/** @type {string[]} */ lines, /** @type {number} */ at) {
  const head = cells(lines[at]);
  const align = cells(lines[at + 1]).map(c => (c.startsWith(':') && c.endsWith(':') ? 'center' : c.endsWith(':') ? 'right' : c.startsWith(':') ? 'left' : ''));
  const rows = [head];
  let end = at + 2;
  for (; end < lines.length && lines[end].includes('|') && !isBlank(lines[end]); end++) {
    const row = cells(lines[end]);
    rows.push(head.map((_, i) => row[i] ?? ''));
  }
  return [make('table', { rows, align }), end];
}

function isTable(/** @type {string[]} */ lines, /** @type {number} */ at) {
  return at + 1 < lines.length && lines[at].includes('|') && lines[at + 1].includes('-') && DELIMITER.test(lines[at + 1])
    && cells(lines[at]).length === cells(lines[at + 1]).length;
}

/** @returns {string[]} */
function cells(/** @type {string} */ line) {
  const row = [];
  let cell = '';
  let code = false;
  const text = line.trim().replace(/^\|/, '');
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && text[i + 1] === '|') {
      cell += '|';
      i++;
    } else if (text[i] === '|' && !code) {
      row.push(cell.trim());
      cell = '';
    } else {
      if (text[i] === '`') code = !code && text.indexOf('`', i + 1) > 0;
      cell += text[i];
    }
  }
  if (cell.trim()) row.push(cell.trim());
  return row;
}

function interrupts(/** @type {string[]} */ lines, /** @type {number} */ at) {
  const line = lines[at];
  const item = ITEM.exec(line);
  // A year at the start of a line is no list.
  const startsList = item !== null && item[0].length < line.length && (!/\d/.test(item[2]) || parseInt(item[2], 10) === 1);
  return startsList || FENCE.test(line) || RULE.test(line) || HEADING.test(line) || QUOTE.test(line) || isTable(lines, at);
}

/** @returns {Block} */
function make(/** @type {Block['type']} */ type, /** @type {Partial<Block>} */ rest = {}) {
  return { type, raw: '', start: 0, ...rest };
}

function isBlank(/** @type {string} */ line) {
  return line.trim() === '';
}

function indentOf(/** @type {string} */ line) {
  return line.replace(/\t/g, '    ').search(/\S|$/);
}
