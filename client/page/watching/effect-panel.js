/** What the eyes do: presets, the effects' cards, and a link that takes them to others. */

import { EffectControls } from './effect-cards.js';
import { byId, element } from '../shared/dom.js';
import { keepPresets, keptPresets } from './saved-presets.js';

/** @typedef {import('../../gaze-client.js').Effect} Effect */
/** @typedef {import('../../gaze-client.js').EffectSpec} EffectSpec */
/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {import('../../gaze-client.js').Preset} Preset */

const SAID_MS = 2500;

/** Dispatches `change` when the viewer changed the chain. */
export class EffectPanel extends EventTarget {
  #hosted;
  #own = keptPresets();
  #controls;
  #keep;
  #share = byId('share', HTMLButtonElement);

  /**
   * @param {Effect[]} effects
   * @param {Preset[]} presets
   */
  constructor(effects, presets) {
    super();
    this.#hosted = presets;
    this.#keep = element('button', {
      type: 'button',
      class: 'chip',
      'data-testid': 'preset-keep',
    });
    this.#keep.addEventListener('click', () => this.#keepOrForget());
    this.#controls = new EffectControls(byId('effects', HTMLElement), effects);
    this.#controls.addEventListener('change', () => this.#changed());
    this.#share.addEventListener('click', () => this.#copyLink());
    this.#showPresets();
  }

  get #presets() {
    return [...this.#hosted, ...this.#own];
  }

  /** The chain with all parameters. */
  get chain() {
    return this.#controls.chain;
  }

  set chain(chain) {
    this.#controls.chain = chain;
    this.#markPreset();
  }

  /** The chain without what is at its default. */
  get short() {
    return this.chain.map((effect) => this.#controls.shortened(effect));
  }

  /** Whether the viewer is changing something at this moment. */
  get busy() {
    return this.#controls.busy;
  }

  /** @returns {string | null} name of the server's preset that is on, if it is one */
  get preset() {
    return this.#on(this.#hosted)?.name ?? null;
  }

  /**
   * The chain that an address asks for.
   *
   * @param {{ preset: string | null, effects: EffectSpec[] | null }} asked
   * @returns {EffectSpec[] | null} null where it asks for none
   */
  asked({ preset, effects }) {
    const found = this.#hosted.find(({ name }) => name === preset);
    return found?.effects ?? effects?.filter(({ name }) => this.#controls.has(name)) ?? null;
  }

  /** The chain to begin with. */
  get first() {
    return this.#hosted[0]?.effects ?? [];
  }

  /** @param {GazeEvent} gaze */
  follow(gaze) {
    this.#controls.follow(gaze);
  }

  /** @param {string} text what the server said against the chain; nothing when all is well */
  problem(text) {
    const place = byId('effects-problem', HTMLElement);
    place.hidden = text === '';
    place.textContent = text;
  }

  #changed() {
    this.#markPreset();
    this.dispatchEvent(new Event('change'));
  }

  #showPresets() {
    const chips = this.#presets.map((preset) => this.#chip(preset));
    byId('presets', HTMLElement).replaceChildren(...chips, this.#keep);
  }

  /** @param {Preset[]} presets */
  #on(presets) {
    const { chain } = this;
    return presets.find((preset) => this.#isPreset(preset, chain));
  }

  /** Keep the chain on this device, or forget it if it is kept. */
  #keepOrForget() {
    const kept = this.#on(this.#own);
    if (kept) {
      this.#own = this.#own.filter((one) => one !== kept);
    } else {
      const effects = this.short;
      const title = effects.map(({ name }) => name.charAt(0).toUpperCase() + name.slice(1)).join(' + ');
      const name = `own-${Date.now()}`;
      this.#own = [...this.#own, { name, title, description: 'A mix that you keep', effects }];
    }
    keepPresets(this.#own);
    this.#showPresets();
    this.#markPreset();
    this.#keep.focus();
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

  #markPreset() {
    const { chain } = this;
    const chips = byId('presets', HTMLElement).children;
    const text = byId('preset-text', HTMLElement);
    text.textContent = chain.length > 0 ? 'Your own mix.' : 'Nothing: the film plays as it is.';
    const own = this.#on(this.#own) !== undefined;
    this.#keep.hidden = chain.length === 0 || (!own && this.preset !== null);
    this.#keep.textContent = own ? 'Forget this mix' : 'Keep this mix';
    this.#presets.forEach((preset, index) => {
      const pressed = this.#isPreset(preset, chain);
      chips[index]?.setAttribute('aria-pressed', String(pressed));
      if (pressed) text.textContent = `${preset.description}.`;
    });
  }

  /**
   * @param {Preset} preset
   * @param {EffectSpec[]} chain with all parameters; a preset leaves out what is at its default
   */
  #isPreset({ effects }, chain) {
    if (effects.length !== chain.length) return false;
    return effects.every((effect, index) => {
      const full = this.#controls.completed(effect);
      return JSON.stringify(full) === JSON.stringify(chain[index]);
    });
  }

  async #copyLink() {
    const label = /** @type {HTMLElement} */ (this.#share.querySelector('span'));
    const url = new URL(location.href);
    url.searchParams.delete('view');
    try {
      await navigator.clipboard.writeText(url.href);
      label.textContent = 'Link copied';
    } catch {
      label.textContent = 'Copy it from the address bar';
    }
    setTimeout(() => (label.textContent = 'Copy a link to this'), SAID_MS);
  }
}
