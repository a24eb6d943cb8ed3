/** The chain of effects: presets, the effects' cards, and a link to share the chain. */

import { EffectCards } from './effect-cards.js';
import { byId, element } from '../shared/dom.js';
import { savePresets, savedPresets } from './saved-presets.js';

/** @typedef {import('../../gaze-client.js').Effect} Effect */
/** @typedef {import('../../gaze-client.js').EffectSpec} EffectSpec */
/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {import('../../gaze-client.js').Preset} Preset */

const FEEDBACK_MS = 2500;

/** Dispatches `change` when the viewer changes the chain. */
export class EffectPanel extends EventTarget {
  #hosted;
  #saved = savedPresets();
  #cards;
  #saveButton;
  #linkButton = byId('copy-link', HTMLButtonElement);

  /**
   * @param {Effect[]} effects
   * @param {Preset[]} presets
   */
  constructor(effects, presets) {
    super();
    this.#hosted = presets;
    this.#saveButton = element('button', {
      type: 'button',
      class: 'chip',
      'data-testid': 'preset-save',
    });
    this.#saveButton.addEventListener('click', () => this.#saveOrForget());
    this.#cards = new EffectCards(byId('effects', HTMLElement), effects);
    this.#cards.addEventListener('change', () => this.#changed());
    this.#linkButton.addEventListener('click', () => this.#copyLink());
    this.#showPresets();
  }

  get #presets() {
    return [...this.#hosted, ...this.#saved];
  }

  /** The chain with all parameters. */
  get chain() {
    return this.#cards.chain;
  }

  set chain(chain) {
    this.#cards.chain = chain;
    this.#showChosenPreset();
  }

  /** The chain without the parameters that are at their defaults. */
  get chainWithoutDefaults() {
    return this.chain.map((effect) => this.#cards.withoutDefaults(effect));
  }

  /** Whether the viewer is changing a control at this moment. */
  get busy() {
    return this.#cards.busy;
  }

  /** @returns {string | null} name of the server's preset that the chain equals */
  get preset() {
    return this.#find(this.#hosted)?.name ?? null;
  }

  /**
   * The chain that a URL names.
   *
   * @param {{ preset: string | null, effects: EffectSpec[] | null }} urlState
   * @returns {EffectSpec[] | null} null where it names none
   */
  chainOf({ preset, effects }) {
    const found = this.#hosted.find(({ name }) => name === preset);
    return found?.effects ?? effects?.filter(({ name }) => this.#cards.has(name)) ?? null;
  }

  /** The chain of a first visit. */
  get defaultChain() {
    return this.#hosted[0]?.effects ?? [];
  }

  /** @param {GazeEvent} gaze drawn in the graphs of bound parameters */
  addGaze(gaze) {
    this.#cards.addGaze(gaze);
  }

  /** @param {string} text why the server refused the chain; empty to clear it */
  showProblem(text) {
    const node = byId('effects-problem', HTMLElement);
    node.hidden = text === '';
    node.textContent = text;
  }

  #changed() {
    this.#showChosenPreset();
    this.dispatchEvent(new Event('change'));
  }

  #showPresets() {
    const chips = this.#presets.map((preset) => this.#chip(preset));
    byId('presets', HTMLElement).replaceChildren(...chips, this.#saveButton);
  }

  /** @param {Preset[]} presets @returns {Preset | undefined} the one that the chain equals */
  #find(presets) {
    const { chain } = this;
    return presets.find((preset) => this.#equals(preset, chain));
  }

  /** Save the chain on this device, or forget it where it is saved. */
  #saveOrForget() {
    const saved = this.#find(this.#saved);
    if (saved) {
      this.#saved = this.#saved.filter((one) => one !== saved);
    } else {
      const effects = this.chainWithoutDefaults;
      const title = effects.map(({ name }) => name.charAt(0).toUpperCase() + name.slice(1)).join(' + ');
      const name = `own-${Date.now()}`;
      this.#saved = [...this.#saved, { name, title, description: 'Your own preset', effects }];
    }
    savePresets(this.#saved);
    this.#showPresets();
    this.#showChosenPreset();
    this.#saveButton.focus();
  }

  /** @param {Preset} preset */
  #chip(preset) {
    const chip = element(
      'button',
      {
        type: 'button',
        class: 'chip',
        'aria-pressed': 'false',
        title: preset.description,
        'data-testid': `preset-${preset.name}`,
      },
      preset.title,
    );
    chip.addEventListener('click', () => {
      this.chain = chip.getAttribute('aria-pressed') === 'true' ? [] : preset.effects;
      this.#changed();
    });
    return chip;
  }

  #showChosenPreset() {
    const { chain } = this;
    const chips = byId('presets', HTMLElement).children;
    const text = byId('preset-text', HTMLElement);
    text.textContent = chain.length > 0 ? 'Your own combination.' : 'No effects: the film plays as it is.';
    const isSaved = this.#find(this.#saved) !== undefined;
    this.#saveButton.hidden = chain.length === 0 || (!isSaved && this.preset !== null);
    this.#saveButton.textContent = isSaved ? 'Forget this preset' : 'Save as a preset';
    this.#presets.forEach((preset, index) => {
      const pressed = this.#equals(preset, chain);
      chips[index]?.setAttribute('aria-pressed', String(pressed));
      if (pressed) text.textContent = `${preset.description}.`;
    });
  }

  /**
   * @param {Preset} preset
   * @param {EffectSpec[]} chain with all parameters; presets leave out those at their defaults
   */
  #equals({ effects }, chain) {
    if (effects.length !== chain.length) return false;
    return effects.every((effect, index) => {
      const full = this.#cards.withDefaults(effect);
      return JSON.stringify(full) === JSON.stringify(chain[index]);
    });
  }

  async #copyLink() {
    const label = /** @type {HTMLElement} */ (this.#linkButton.querySelector('span'));
    const url = new URL(location.href);
    url.searchParams.delete('view');
    try {
      await navigator.clipboard.writeText(url.href);
      label.textContent = 'Link copied';
    } catch {
      label.textContent = 'Copy it from the address bar';
    }
    setTimeout(() => (label.textContent = 'Copy a link to this'), FEEDBACK_MS);
  }
}
