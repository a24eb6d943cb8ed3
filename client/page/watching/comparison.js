/**
 * The original beside the modified film, or under a divider that can be moved. A film of the
 * viewer's own has its original here; of a hosted one the effects can be held off for a look.
 */

import { byId } from '../shared/dom.js';

/** @typedef {'off' | 'beside' | 'wipe'} Comparison */

/** @type {Comparison[]} */
const COMPARISONS = ['off', 'beside', 'wipe'];
const TITLES = { off: 'Compare with the original', beside: 'Original beside it', wipe: 'Original under a divider' };

export class Compare {
  #button = byId('compare', HTMLButtonElement);
  #panes = byId('panes', HTMLElement);
  #divider = byId('divider', HTMLInputElement);
  #hold = byId('hold', HTMLButtonElement);
  /** @type {Comparison} */
  #mode = 'off';

  /** @param {(holds: boolean) => void} onHold the viewer wants to see the film without effects */
  constructor(onHold) {
    this.#button.addEventListener('click', () => {
      this.mode = COMPARISONS[(COMPARISONS.indexOf(this.#mode) + 1) % COMPARISONS.length] ?? 'off';
    });
    this.#divider.addEventListener('input', () => this.#divide());
    /** @param {boolean} holds */
    const hold = (holds) => {
      if ((this.#hold.getAttribute('aria-pressed') === 'true') === holds) return;
      this.#hold.setAttribute('aria-pressed', String(holds));
      onHold(holds);
    };
    this.#hold.addEventListener('pointerdown', () => hold(true));
    for (const type of ['pointerup', 'pointerleave', 'pointercancel', 'blur']) {
      this.#hold.addEventListener(type, () => hold(false));
    }
    this.#hold.addEventListener('keydown', ({ key }) => (key === ' ' || key === 'Enter') && hold(true));
    this.#hold.addEventListener('keyup', () => hold(false));
    this.#divide();
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

  /** @param {boolean} available whether there is an original on this page */
  set available(available) {
    this.#button.hidden = !available;
    if (!available) this.mode = 'off';
  }

  /** @param {boolean} watching */
  set watching(watching) {
    this.#hold.disabled = !watching;
  }

  #divide() {
    this.#panes.style.setProperty('--divider', `${this.#divider.value}%`);
  }
}
