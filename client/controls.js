/**
 * The effects' cards: one for each effect the server offers, with controls made from its JSON
 * Schema. A number becomes a slider, a choice a row of buttons, a yes or no a switch, and every
 * bindable number can follow a signal of the eyes instead.
 */

import { element, icon } from './element.js';

/** @typedef {import('./gaze-client.js').Effect} Effect */
/** @typedef {import('./gaze-client.js').EffectSpec} EffectSpec */
/** @typedef {import('./gaze-client.js').ParameterValue} ParameterValue */
/** @typedef {import('./gaze-client.js').Binding} Binding */
/** @typedef {import('./gaze-client.js').GazeEvent} GazeEvent */

/**
 * @typedef {object} ParameterSchema
 * @property {string} [type]
 * @property {string[]} [enum]
 * @property {string} [title]
 * @property {string} [description]
 * @property {any} [default]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {string} [unit]
 * @property {boolean} [bindable]
 * @property {{ type?: string }[]} [anyOf]
 */
/** @typedef {{ properties?: Record<string, ParameterSchema> }} ParametersSchema */

/**
 * @typedef {object} Signal
 * @property {string} title
 * @property {[number, number]} range where a binding begins
 * @property {(gaze: GazeEvent) => number | null | undefined} [read] its value now, where the page
 *   is told
 */

/** @type {Record<string, Signal>} */
const SIGNALS = {
  'pupil.relative': { title: 'Pupil, wider or narrower', range: [-0.1, 0.15], read: (gaze) => gaze.pupil?.relative },
  'pupil.mm': { title: 'Pupil, mm', range: [2, 6], read: (gaze) => gaze.pupil?.mm },
  dwell: { title: 'How long you look, s', range: [0.2, 2], read: (gaze) => gaze.dwell },
  openness: {
    title: 'How open your eyes are',
    range: [0.2, 1],
    read: (gaze) => gaze.openness && (gaze.openness[0] + gaze.openness[1]) / 2,
  },
  attention: { title: 'Attention', range: [0, 1], read: (gaze) => (gaze.attentive ? 1 : 0) },
  eccentricity: { title: 'Away from the middle, °', range: [0, 15] },
  'head.distance': { title: 'Distance, mm', range: [800, 400], read: (gaze) => gaze.head?.distance },
  'head.yaw': { title: 'Head turned left, °', range: [-25, 25], read: (gaze) => gaze.head?.yaw },
  'head.pitch': { title: 'Head up, °', range: [-15, 15], read: (gaze) => gaze.head?.pitch },
  'blink.rate': { title: 'Blinks a minute', range: [5, 30], read: (gaze) => gaze.blink_rate },
};

const DEFAULT_SMOOTH_S = 0.5;
const SLIDER_STEPS = 1000;
/** A default this near to the range's beginning asks for a slider that is finer there. */
const LOW_DEFAULT = 0.1;
const CHOICES_IN_A_ROW = 4;

/** @type {Record<string, (value: number) => string>} */
const UNITS = {
  share: (value) => `${Math.round(value * 100)} %`,
  'picture heights': (value) => `${Math.round(value * 100)} % of height`,
  'relative diameter': (value) => `${value > 0 ? '+' : ''}${Math.round(value * 100)} %`,
  times: (value) => `${Number(value.toFixed(2))}×`,
};

/**
 * A number with its unit, as a person would write it.
 *
 * @param {number} value
 * @param {string} [unit]
 */
export function formatted(value, unit) {
  const known = unit && UNITS[unit];
  if (known) return known(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const number = String(Number(value.toFixed(digits)));
  return unit ? `${number} ${unit}` : number;
}

/** @param {ParameterSchema} schema */
function isNumber({ type, anyOf, minimum, maximum }) {
  const types = [type, ...(anyOf ?? []).map((one) => one.type)];
  return (
    (types.includes('number') || types.includes('integer')) && minimum !== undefined && maximum !== undefined
  );
}

/** @param {string} words */
function spoken(words) {
  const text = words.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** All cards; dispatches `change` when the viewer changed the chain. */
export class EffectControls extends EventTarget {
  #place;
  #catalogue;
  /** @type {Map<string, Card>} */
  #cards = new Map();
  /** @type {string[]} */
  #order = [];

  /**
   * @param {HTMLElement} place
   * @param {Effect[]} catalogue
   */
  constructor(place, catalogue) {
    super();
    this.#place = place;
    this.#catalogue = catalogue;
    for (const effect of catalogue) {
      const card = new Card(effect, (switched) => this.#onChange(effect.name, switched));
      this.#cards.set(effect.name, card);
    }
    place.replaceChildren(...[...this.#cards.values()].map((card) => card.node));
  }

  /** The chain as the cards show it. */
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
    this.#number();
  }

  /**
   * Whether the viewer is changing something at this moment.
   */
  get busy() {
    return this.#place.contains(document.activeElement) && this.#place.querySelector(':active') !== null;
  }

  /** @param {GazeEvent} gaze moves the meters of bound parameters */
  follow(gaze) {
    for (const card of this.#cards.values()) if (card.on) card.follow(gaze);
  }

  /** @param {string} name */
  has(name) {
    return this.#catalogue.some((effect) => effect.name === name);
  }

  /**
   * The effect with all its parameters, defaults filled in, as `chain` has it.
   *
   * @param {EffectSpec} spec
   */
  completed(spec) {
    return this.#cards.get(spec.name)?.completed(spec) ?? spec;
  }

  /**
   * @param {string} name
   * @param {boolean} switched the card was switched on or off
   */
  #onChange(name, switched) {
    if (switched) {
      this.#order = this.#order.filter((one) => one !== name);
      if (this.#cards.get(name)?.on) this.#order.push(name);
      this.#number();
    }
    this.dispatchEvent(new Event('change'));
  }

  #number() {
    for (const [name, card] of this.#cards) {
      card.place = this.#order.length > 1 ? this.#order.indexOf(name) + 1 : 0;
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
    this.#badge = element('span', { class: 'badge', title: 'Place in the chain', hidden: true });
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

  /** @param {number} place in the chain, 0 for not worth saying */
  set place(place) {
    this.#badge.hidden = place < 1;
    this.#badge.textContent = String(place);
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
  completed(spec) {
    /** @type {EffectSpec} */
    const full = { name: this.#name };
    for (const [key, control] of this.#controls) full[key] = spec[key] ?? control.fallback;
    return full;
  }

  /** @param {EffectSpec} spec missing parameters take their defaults */
  show(spec) {
    this.on = true;
    for (const [key, control] of this.#controls) control.value = spec[key] ?? control.fallback;
  }

  /** @param {GazeEvent} gaze */
  follow(gaze) {
    for (const control of this.#controls.values()) control.follow?.(gaze);
  }
}

/**
 * @typedef {object} Control
 * @property {HTMLElement} node
 * @property {ParameterValue} value
 * @property {ParameterValue} fallback
 * @property {(gaze: GazeEvent) => void} [follow]
 */

/**
 * @param {string} id
 * @param {string} key
 * @param {ParameterSchema} schema
 * @param {() => void} onChange
 * @returns {Control | null} null for a kind of parameter that this page does not know
 */
function controlFor(id, key, schema, onChange) {
  const title = schema.title ?? spoken(key);
  if (schema.enum) return choiceControl(id, title, schema, schema.enum, onChange);
  if (schema.type === 'boolean') return switchControl(id, title, schema, onChange);
  if (isNumber(schema)) return new NumberControl(id, title, schema, onChange);
  return null;
}

/**
 * @param {string} id
 * @param {string} title
 * @param {ParameterSchema} schema
 * @param {string[]} choices
 * @param {() => void} onChange
 * @returns {Control}
 */
function choiceControl(id, title, schema, choices, onChange) {
  if (choices.length > CHOICES_IN_A_ROW) {
    const select = element(
      'select',
      { id, 'data-testid': id },
      ...choices.map((choice) => element('option', { value: choice }, spoken(choice))),
    );
    select.addEventListener('change', onChange);
    return {
      node: element('div', { class: 'parameter', title: schema.description }, element('label', { for: id }, title), select),
      fallback: schema.default,
      get value() {
        return select.value;
      },
      set value(value) {
        select.value = String(value);
      },
    };
  }
  const inputs = choices.map((choice) =>
    element('input', { type: 'radio', name: id, value: choice, 'data-testid': `${id}-${choice}` }),
  );
  const row = element(
    'div',
    { class: 'segments' },
    ...inputs.map((input) => element('label', {}, input, element('span', {}, spoken(input.value)))),
  );
  row.addEventListener('change', onChange);
  return {
    node: element(
      'fieldset',
      { class: 'parameter', title: schema.description },
      element('legend', {}, title),
      row,
    ),
    fallback: schema.default,
    get value() {
      return inputs.find((input) => input.checked)?.value ?? schema.default;
    },
    set value(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}

/**
 * @param {string} id
 * @param {string} title
 * @param {ParameterSchema} schema
 * @param {() => void} onChange
 * @returns {Control}
 */
function switchControl(id, title, schema, onChange) {
  const input = element('input', { id, type: 'checkbox', role: 'switch', class: 'switch', 'data-testid': id });
  input.addEventListener('change', onChange);
  return {
    node: element(
      'div',
      { class: 'parameter inline', title: schema.description },
      element('label', { for: id }, title),
      input,
    ),
    fallback: schema.default,
    get value() {
      return input.checked;
    },
    set value(value) {
      input.checked = Boolean(value);
    },
  };
}

/** A slider that can be handed over to a signal of the eyes. */
class NumberControl {
  node;
  fallback;
  #schema;
  #onChange;
  #low;
  #high;
  #curve;
  #slider;
  #reading;
  #bindingBody;
  #bound;
  #id;
  #title;
  /** @type {number} */
  #number;
  /** @type {Required<Binding> | null} */
  #binding = null;
  /** @type {HTMLElement | null} */
  #meter = null;

  /**
   * @param {string} id
   * @param {string} title
   * @param {ParameterSchema} schema
   * @param {() => void} onChange
   */
  constructor(id, title, schema, onChange) {
    this.#id = id;
    this.#title = title;
    this.#schema = schema;
    this.#onChange = onChange;
    this.#low = /** @type {number} */ (schema.minimum);
    this.#high = /** @type {number} */ (schema.maximum);
    this.fallback = /** @type {number} */ (schema.default ?? this.#low);
    this.#number = this.fallback;
    const share = (this.fallback - this.#low) / (this.#high - this.#low);
    this.#curve = share > 0 && share < LOW_DEFAULT ? 3 : 1;

    this.#slider = element('input', {
      id,
      type: 'range',
      min: 0,
      max: SLIDER_STEPS,
      step: 1,
      'data-testid': id,
    });
    this.#slider.addEventListener('input', () => {
      this.#number = this.#numberAt(Number(this.#slider.value) / SLIDER_STEPS);
      this.#showNumber();
      onChange();
    });
    this.#reading = element('output', { for: id, class: 'reading' });
    this.#bindingBody = element('div', { class: 'binding', hidden: true });
    this.#bound = element('button', {
      type: 'button',
      class: 'follow',
      'aria-pressed': 'false',
      'aria-label': `${title} follows your eyes`,
      title: 'Let it follow your eyes',
      'data-testid': `${id}-follow`,
      hidden: !schema.bindable,
    }, icon('link'));
    this.#bound.addEventListener('click', () => {
      this.#bind(this.#binding ? null : this.#newBinding('pupil.relative'));
      onChange();
    });
    this.node = element(
      'div',
      { class: 'parameter', title: schema.description },
      element('label', { for: id }, title),
      this.#reading,
      this.#bound,
      this.#slider,
      this.#bindingBody,
    );
    this.#showNumber();
  }

  /** @returns {ParameterValue} */
  get value() {
    return this.#binding ?? this.#number;
  }

  set value(value) {
    if (typeof value === 'object' && value !== null) {
      const binding = this.#newBinding(value.follow);
      this.#bind({ ...binding, ...value });
    } else {
      this.#number = Number(value);
      this.#bind(null);
    }
  }

  /** @param {GazeEvent} gaze */
  follow(gaze) {
    if (!this.#binding || !this.#meter) return;
    const value = SIGNALS[this.#binding.follow]?.read?.(gaze);
    const [from, to] = this.#binding.from;
    this.#meter.hidden = typeof value !== 'number';
    if (typeof value !== 'number') return;
    const share = Math.min(1, Math.max(0, (value - from) / (to - from)));
    this.#meter.style.setProperty('--share', String(share));
  }

  /** @param {number} position 0..1 of the slider */
  #numberAt(position) {
    const number = this.#low + (this.#high - this.#low) * position ** this.#curve;
    const digits = Math.max(0, 3 - Math.ceil(Math.log10(this.#high - this.#low)));
    return Math.min(this.#high, Math.max(this.#low, Number(number.toFixed(digits))));
  }

  #showNumber() {
    const share = (this.#number - this.#low) / (this.#high - this.#low);
    const position = Math.max(0, share) ** (1 / this.#curve);
    this.#slider.value = String(Math.round(position * SLIDER_STEPS));
    this.#slider.style.setProperty('--share', String(position));
    const text = formatted(this.#number, this.#schema.unit);
    this.#slider.setAttribute('aria-valuetext', text);
    this.#reading.textContent = this.#binding ? 'follows' : text;
  }

  /**
   * @param {string} follow
   * @returns {Required<Binding>}
   */
  #newBinding(follow) {
    return {
      follow,
      from: [...(SIGNALS[follow]?.range ?? [0, 1])],
      to: [this.#low, this.#curve === 1 ? this.#high : Math.min(this.#high, 4 * this.fallback)],
      smooth: DEFAULT_SMOOTH_S,
    };
  }

  /** @param {Required<Binding> | null} binding */
  #bind(binding) {
    const rebuilt = JSON.stringify(binding) !== JSON.stringify(this.#binding);
    this.#binding = binding;
    this.#bound.setAttribute('aria-pressed', String(binding !== null));
    this.#slider.hidden = binding !== null;
    this.#bindingBody.hidden = binding === null;
    this.#showNumber();
    if (rebuilt) this.#bindingBody.replaceChildren(...(binding ? this.#bindingForm(binding) : []));
  }

  /** @param {Required<Binding>} binding */
  #bindingForm(binding) {
    const names = binding.follow in SIGNALS ? Object.keys(SIGNALS) : [binding.follow, ...Object.keys(SIGNALS)];
    const menu = element(
      'select',
      { 'aria-label': `${this.#title} follows`, 'data-testid': `${this.#id}-signal` },
      ...names.map((name) =>
        element('option', { value: name, selected: name === binding.follow }, SIGNALS[name]?.title ?? name),
      ),
    );
    menu.addEventListener('change', () => {
      this.#bind({ ...this.#newBinding(menu.value), to: binding.to, smooth: binding.smooth });
      this.#bindingBody.querySelector('select')?.focus();
      this.#onChange();
    });
    this.#meter = element('div', { class: 'meter', role: 'presentation' });
    /**
     * @param {'from' | 'to'} range
     * @param {0 | 1} end
     * @param {string} label
     */
    const field = (range, end, label) => {
      const limits = range === 'to' ? { min: this.#low, max: this.#high } : {};
      const input = element('input', { type: 'number', step: 'any', value: binding[range][end], 'aria-label': label, required: true, ...limits });
      input.addEventListener('change', () => {
        const number = input.valueAsNumber;
        const other = binding[range][end ? 0 : 1];
        if (!input.checkValidity() || Number.isNaN(number) || (range === 'from' && number === other)) {
          input.value = String(binding[range][end]);
          return;
        }
        binding[range][end] = number;
        this.#onChange();
      });
      return input;
    };
    return [
      menu,
      this.#meter,
      element('div', { class: 'ends' },
        element('span', {}, 'from'), field('from', 0, 'Signal from'), field('from', 1, 'Signal to'),
        element('span', {}, 'to'), field('to', 0, `${this.#title} from`), field('to', 1, `${this.#title} to`),
      ),
    ];
  }
}
