/** Builds and finds elements of the page. */

export { element } from '../../sdk/dom.js';

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...Node} children
 */
export function svg(tag, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** @param {string} name of a symbol in index.html, without `icon-` */
export function icon(name) {
  return svg('svg', { class: 'icon', 'aria-hidden': 'true' }, svg('use', { href: `#icon-${name}` }));
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 * @throws {TypeError} the page has no element of that type with this id
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new TypeError(`#${id} is not a ${type.name}`);
  return found;
}

/**
 * Set an element's text. A live region whose text stays the same is not announced again.
 *
 * @param {string} id
 * @param {string} text
 */
export function setText(id, text) {
  const node = byId(id, HTMLElement);
  if (node.textContent !== text) node.textContent = text;
}
