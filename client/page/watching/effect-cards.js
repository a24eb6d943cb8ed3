/** One card for each effect that the server offers, with a sample picture and its controls. */

import { element } from '../shared/dom.js';
import { controlFor } from '../controls/parameter-controls.js';

/** @typedef {import('../../gaze-client.js').Effect} Effect */
/** @typedef {import('../../gaze-client.js').EffectSpec} EffectSpec */
/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {import('../controls/parameter-controls.js').Control} Control */
/** @typedef {import('../controls/parameter-controls.js').ParametersSchema} ParametersSchema */

/** All cards. Dispatches `change` when the viewer changes the chain. */
export class EffectCards extends EventTarget {
  #container;
  #catalogue;
  /** @type {Map<string, Card>} */
  #cards = new Map();
  /** @type {string[]} */
  #order = [];

  /**
   * @param {HTMLElement} container
   * @param {Effect[]} catalogue
   */
  constructor(container, catalogue) {
    super();
    this.#container = container;
    this.#catalogue = catalogue;
    for (const effect of catalogue) {
      const card = new Card(effect, (switched) => this.#onChange(effect.name, switched));
      this.#cards.set(effect.name, card);
    }
    container.replaceChildren(...[...this.#cards.values()].map((card) => card.node));
  }

  /** The chain as the cards show it, with all parameters. */
  get chain() {
    return this.#order.map((name) => /** @type {Card} */ (this.#cards.get(name)).spec);
  }

  /** @param {EffectSpec[]} specs */
  set chain(specs) {
    this.#order = specs.map(({ name }) => name).filter((name) => this.#cards.has(name));
    for (const [name, card] of this.#cards) {
      const spec = specs.find((one) => one.name === name);
      if (spec) card.show(spec);
      else card.on = false;
    }
    this.#numberCards();
  }

  /** Whether the viewer is changing a control at this moment. */
  get busy() {
    return this.#container.contains(document.activeElement) && this.#container.querySelector(':active') !== null;
  }

  /**
   * Leave out the parameters that are at their defaults.
   *
   * @param {EffectSpec} spec
   */
  withoutDefaults(spec) {
    return this.#cards.get(spec.name)?.withoutDefaults(spec) ?? spec;
  }

  /** @param {GazeEvent} gaze drawn in the graphs of bound parameters */
  addGaze(gaze) {
    for (const card of this.#cards.values()) if (card.on) card.addGaze(gaze);
  }

  /** @param {string} name */
  has(name) {
    return this.#catalogue.some((effect) => effect.name === name);
  }

  /**
   * Fill in the parameters that are missing, as `chain` has them.
   *
   * @param {EffectSpec} spec
   */
  withDefaults(spec) {
    return this.#cards.get(spec.name)?.withDefaults(spec) ?? spec;
  }

  /**
   * @param {string} name
   * @param {boolean} switched the card was switched on or off
   */
  #onChange(name, switched) {
    if (switched) {
      this.#order = this.#order.filter((one) => one !== name);
      if (this.#cards.get(name)?.on) this.#order.push(name);
      this.#numberCards();
    }
    this.dispatchEvent(new Event('change'));
  }

  #numberCards() {
    for (const [name, card] of this.#cards) {
      card.position = this.#order.length > 1 ? this.#order.indexOf(name) + 1 : 0;
    }
  }
}

/** One effect's card. */
class Card {
  node;
  #name;
  #onChange;
  /** @type {Map<string, Control>} */
  #controls = new Map();
  #switch;
  #badge;

  /**
   * @param {Effect} effect
   * @param {(switched: boolean) => void} onChange
   */
  constructor({ name, title, description, parameters }, onChange) {
    this.#name = name;
    this.#onChange = onChange;
    this.#switch = element('input', { type: 'checkbox', role: 'switch', class: 'switch', 'data-testid': `effect-${name}` });
    this.#badge = element('span', { class: 'badge', title: 'Position in the chain', hidden: true });
    const body = element('div', { class: 'parameters' });
    for (const [key, schema] of Object.entries(parameters.properties ?? {})) {
      const control = controlFor(`${name}-${key}`, key, schema, () => onChange(false));
      if (!control) continue;
      this.#controls.set(key, control);
      body.append(control.node);
    }
    this.node = element(
      'article',
      { class: 'card', 'data-effect': name },
      element(
        'label',
        { class: 'card-head' },
        element('span', { class: `effect-sample sample-${name}`, 'aria-hidden': 'true' }, element('i'), element('b')),
        element(
          'span',
          { class: 'card-title' },
          element('strong', {}, title, ' ', this.#badge),
          element('span', { class: 'small' }, description),
        ),
        this.#switch,
      ),
      body,
    );
    this.on = false;
    this.#switch.addEventListener('change', () => {
      this.on = this.#switch.checked;
      this.#onChange(true);
    });
  }

  get on() {
    return this.#switch.checked;
  }

  set on(on) {
    this.#switch.checked = on;
    this.node.classList.toggle('on', on);
  }

  /** @param {number} position in the chain from 1; 0 hides it */
  set position(position) {
    this.#badge.hidden = position < 1;
    this.#badge.textContent = String(position);
  }

  /** @returns {EffectSpec} */
  get spec() {
    /** @type {EffectSpec} */
    const spec = { name: this.#name };
    for (const [key, control] of this.#controls) spec[key] = control.value;
    return spec;
  }

  /**
   * @param {EffectSpec} spec
   * @returns {EffectSpec}
   */
  withDefaults(spec) {
    /** @type {EffectSpec} */
    const full = { name: this.#name };
    for (const [key, control] of this.#controls) full[key] = spec[key] ?? control.fallback;
    return full;
  }

  /**
   * @param {EffectSpec} spec
   * @returns {EffectSpec}
   */
  withoutDefaults(spec) {
    /** @type {EffectSpec} */
    const short = { name: this.#name };
    for (const [key, control] of this.#controls) {
      const value = spec[key];
      if (value !== undefined && JSON.stringify(value) !== JSON.stringify(control.fallback)) short[key] = value;
    }
    return short;
  }

  /** @param {EffectSpec} spec missing parameters take their defaults */
  show(spec) {
    this.on = true;
    for (const [key, control] of this.#controls) control.value = spec[key] ?? control.fallback;
  }

  /** @param {GazeEvent} gaze */
  addGaze(gaze) {
    for (const control of this.#controls.values()) control.addGaze?.(gaze);
  }
}
