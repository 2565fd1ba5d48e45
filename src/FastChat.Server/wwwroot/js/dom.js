// Building the page. There is no innerHTML anywhere: what users and models write only ever becomes text.

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Makes an element. Properties: `on` takes listeners, `class` and every other one is an attribute; null, undefined and false leave it out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key === 'on') for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.filter(c => c !== null && c !== undefined && c !== false).map(c => /** @type {Node | string} */ (c)));
  return element;
}

/**
 * An icon of the sprite in index.html; decoration only, the control that holds it has the name.
 * @param {string} name
 */
export function icon(name) {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(ns, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * A button with an icon alone; its name is what a screen reader says and the tooltip.
 * @param {string} name
 * @param {string} iconName
 * @param {(event: MouseEvent) => void} onClick
 * @param {Record<string, any>} [props]
 */
export function iconButton(name, iconName, onClick, props = {}) {
  return h('button', { type: 'button', class: 'icon-button', 'aria-label': name, title: name, on: { click: onClick }, ...props }, icon(iconName));
}

/**
 * The element of index.html with this id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`index.html has no #${id}`);
  return element;
}

/** Whether the reader asked for less motion. */
export function reducedMotion() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
