/**
 * The original beside the film with its effects, or under a divider that can be moved, where this
 * page sends the film. For every film the effects can be bypassed while a button is held.
 */

import { byId } from '../shared/dom.js';

/** @typedef {'off' | 'beside' | 'wipe'} ComparisonMode */

/** @type {ComparisonMode[]} */
const MODES = ['off', 'beside', 'wipe'];
const TITLES = { off: 'Compare with the original', beside: 'Original beside it', wipe: 'Original under a divider' };

export class Comparison {
  #button = byId('compare', HTMLButtonElement);
  #panes = byId('panes', HTMLElement);
  #divider = byId('divider', HTMLInputElement);
  #bypass = byId('bypass', HTMLButtonElement);
  /** @type {ComparisonMode} */
  #mode = 'off';

  /** @param {(bypassed: boolean) => void} onBypass the viewer holds or releases the bypass button */
  constructor(onBypass) {
    this.#button.addEventListener('click', () => {
      this.mode = MODES[(MODES.indexOf(this.#mode) + 1) % MODES.length] ?? 'off';
    });
    this.#divider.addEventListener('input', () => this.#moveDivider());
    /** @param {boolean} bypassed */
    const bypass = (bypassed) => {
      if ((this.#bypass.getAttribute('aria-pressed') === 'true') === bypassed) return;
      this.#bypass.setAttribute('aria-pressed', String(bypassed));
      onBypass(bypassed);
    };
    this.#bypass.addEventListener('pointerdown', () => bypass(true));
    for (const type of ['pointerup', 'pointerleave', 'pointercancel', 'blur']) {
      this.#bypass.addEventListener(type, () => bypass(false));
    }
    this.#bypass.addEventListener('keydown', ({ key }) => (key === ' ' || key === 'Enter') && bypass(true));
    this.#bypass.addEventListener('keyup', () => bypass(false));
    this.#moveDivider();
  }

  get mode() {
    return this.#mode;
  }

  set mode(mode) {
    this.#mode = mode;
    this.#button.setAttribute('aria-pressed', String(mode !== 'off'));
    this.#button.title = TITLES[mode];
    this.#button.setAttribute('aria-label', TITLES[mode]);
    byId('original-pane', HTMLElement).hidden = mode === 'off';
    this.#divider.hidden = mode !== 'wipe';
    this.#panes.dataset.compare = mode;
  }

  /** @param {boolean} available whether this page has the original */
  set available(available) {
    this.#button.hidden = !available;
    if (!available) this.mode = 'off';
  }

  /** @param {boolean} watching */
  set watching(watching) {
    this.#bypass.disabled = !watching;
  }

  #moveDivider() {
    this.#panes.style.setProperty('--divider', `${this.#divider.value}%`);
  }
}
