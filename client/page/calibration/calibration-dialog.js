/**
 * What a calibration shows in full screen: the target, a hint, the progress, and panels to choose
 * from. Everything can be done by keyboard, mouse or touch.
 */

import { element } from '../shared/dom.js';
import { openModal } from '../shared/modal.js';

/** @typedef {import('../../sdk/layout.js').Point} Point */

/**
 * @typedef {object} DialogActions
 * @property {() => void} skip the current target
 * @property {() => void} repeat the current target
 * @property {() => void} cancel the calibration
 */

export class CalibrationDialog {
  #container;
  #actions;
  #closing = new AbortController();
  #target = element('div', { class: 'target', 'data-testid': 'target' }, element('i'));
  #hint = element('p', { class: 'hint', 'aria-live': 'polite' });
  #progress = element('progress', { max: 1, value: 0, 'aria-label': 'Progress' });
  /** What Escape chooses while a panel is shown. @type {(() => void) | null} */
  #dismissPanel = null;
  #closeModal = () => {};

  /**
   * @param {HTMLElement} container of the dialog
   * @param {DialogActions} actions
   */
  constructor(container, actions) {
    this.#container = container;
    this.#actions = actions;
  }

  /** Cover the page and, where the browser allows it, the screen. */
  async open() {
    const { signal } = this.#closing;
    const buttons = element(
      'div',
      { class: 'steps' },
      this.#button('Skip', 'skip', 'S', () => this.#actions.skip()),
      this.#button('Repeat', 'repeat', 'R', () => this.#actions.repeat()),
      this.#button('Cancel', 'cancel', 'Escape', () => this.#actions.cancel()),
    );
    const guide = element('div', { class: 'guide' }, this.#hint, this.#progress, buttons);
    this.#closeModal = openModal(this.#container, this.#target, guide);
    await this.#container.requestFullscreen?.().catch(() => {});
    const isFullScreen = document.fullscreenElement === this.#container;
    document.addEventListener('keydown', (event) => this.#onKey(event), { signal });
    document.addEventListener(
      'fullscreenchange',
      () => isFullScreen && !document.fullscreenElement && this.dismiss(),
      { signal },
    );
  }

  async close() {
    this.#closing.abort();
    if (document.fullscreenElement === this.#container) await document.exitFullscreen().catch(() => {});
    this.#closeModal();
  }

  /** @param {string} text */
  set hint(text) {
    this.#hint.textContent = text;
  }

  /** @param {number} fraction of the whole calibration, 0..1 */
  set progress(fraction) {
    this.#progress.value = fraction;
  }

  /** @param {number} fraction of the samples of the target, 0..1 */
  set targetProgress(fraction) {
    this.#target.style.setProperty('--progress', String(fraction));
  }

  /** @param {boolean} moving whether the target moves with every frame, and not in jumps */
  set targetMoves(moving) {
    this.#target.classList.toggle('moving', moving);
  }

  /** @param {Point} target fractions of the viewport */
  moveTarget([x, y]) {
    this.#target.style.setProperty('--x', `${x * 100}%`);
    this.#target.style.setProperty('--y', `${y * 100}%`);
    this.targetProgress = 0;
  }

  /**
   * Show a panel until the viewer chooses.
   *
   * @template T
   * @param {(choose: (choice: T) => void) => HTMLElement} panelFor
   * @param {T} onEscape
   * @returns {Promise<T>}
   */
  async choose(panelFor, onEscape) {
    const covered = [...this.#container.children];
    const choice = new Promise((/** @type {(choice: T) => void} */ resolve) => {
      this.#dismissPanel = () => resolve(onEscape);
      this.#container.replaceChildren(panelFor(resolve));
    });
    this.#container.querySelector('button')?.focus();
    const chosen = await choice;
    this.#dismissPanel = null;
    this.#container.replaceChildren(...covered);
    return chosen;
  }

  /** As Escape does: choose in the panel that is shown, or cancel the calibration. */
  dismiss() {
    if (this.#dismissPanel) this.#dismissPanel();
    else this.#actions.cancel();
  }

  /**
   * @param {string} text
   * @param {string} id
   * @param {string} key
   * @param {() => void} action
   */
  #button(text, id, key, action) {
    const button = element(
      'button',
      { type: 'button', class: 'quiet', 'aria-keyshortcuts': key, 'data-testid': `calibration-${id}` },
      text,
      element('kbd', {}, key === 'Escape' ? 'Esc' : key),
    );
    button.addEventListener('click', action);
    return button;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const { skip, repeat } = this.#actions;
    const action = { escape: () => this.dismiss(), s: skip, r: repeat }[event.key.toLowerCase()];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }
}
