/** A slider for a number parameter, which can be bound to a signal of the eyes. */

import { element, icon } from '../shared/dom.js';
import { SignalGraph } from './signal-graph.js';
import { SIGNALS } from './gaze-signals.js';

/** @typedef {import('../../gaze-client.js').Binding} Binding */
/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {import('../../gaze-client.js').ParameterValue} ParameterValue */
/** @typedef {import('./parameter-controls.js').ParameterSchema} ParameterSchema */

const DEFAULT_SMOOTH_S = 0.5;
const SLIDER_STEPS = 100; // few enough for the arrow keys
/** A default below this fraction of the range makes the slider finer at its beginning. */
const LOW_DEFAULT = 0.1;

/** @type {Record<string, (value: number) => string>} */
const UNIT_FORMATS = {
  share: (value) => `${Math.round(value * 100)} %`,
  'picture heights': (value) => `${Math.round(value * 100)} % of height`,
  'relative diameter': (value) => `${value > 0 ? '+' : ''}${Math.round(value * 100)} %`,
  times: (value) => `${Number(value.toFixed(2))}×`,
};

/**
 * Format a number with its unit.
 *
 * @param {number} value
 * @param {string} [unit] as the parameter's schema has it
 * @returns {string}
 */
export function formatNumber(value, unit) {
  const format = unit && UNIT_FORMATS[unit];
  if (format) return format(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const number = String(Number(value.toFixed(digits)));
  return unit ? `${number} ${unit}` : number;
}

/** The control of one number parameter. */
export class NumberControl {
  node;
  fallback;
  #schema;
  #onChange;
  #low;
  #high;
  /** The parameter grows with the slider's position to this power. */
  #exponent;
  #slider;
  #reading;
  #bindingForm;
  #bindButton;
  #id;
  #title;
  /** @type {number} */
  #number;
  /** @type {Required<Binding> | null} */
  #binding = null;
  /** @type {SignalGraph | null} */
  #graph = null;

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
    const fraction = (this.fallback - this.#low) / (this.#high - this.#low);
    this.#exponent = fraction > 0 && fraction < LOW_DEFAULT ? 3 : 1;

    this.#slider = element('input', {
      id,
      type: 'range',
      min: 0,
      max: SLIDER_STEPS,
      step: 1,
      'data-testid': id,
      'aria-describedby': `${id}-help`,
    });
    this.#slider.addEventListener('input', () => {
      this.#number = this.#numberAt(Number(this.#slider.value) / SLIDER_STEPS);
      this.#showNumber();
      onChange();
    });
    this.#reading = element('output', { for: id, class: 'reading' });
    this.#bindingForm = element('div', { class: 'binding', hidden: true });
    this.#bindButton = element('button', {
      type: 'button',
      class: 'follow',
      'aria-pressed': 'false',
      'aria-label': `${title} follows your eyes`,
      title: 'Bind to a signal of your eyes',
      'data-testid': `${id}-follow`,
      hidden: !schema.bindable,
    }, icon('link'));
    this.#bindButton.addEventListener('click', () => {
      this.#bind(this.#binding ? null : this.#newBinding('pupil.relative'));
      onChange();
    });
    this.node = element(
      'div',
      { class: 'parameter' },
      element('label', { for: id }, title),
      this.#reading,
      this.#bindButton,
      this.#slider,
      element('p', { class: 'help', id: `${id}-help` }, this.#help()),
      this.#bindingForm,
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

  /** @param {GazeEvent} gaze drawn in the graph of the binding */
  addGaze(gaze) {
    this.#graph?.add(gaze);
  }

  #help() {
    const { description, unit } = this.#schema;
    const range = `${formatNumber(this.#low, unit)} to ${formatNumber(this.#high, unit)}`;
    return description ? `${description} (${range})` : range;
  }

  /** @param {number} position 0..1 of the slider */
  #numberAt(position) {
    const number = this.#low + (this.#high - this.#low) * position ** this.#exponent;
    const digits = Math.max(0, 3 - Math.ceil(Math.log10(this.#high - this.#low)));
    return Math.min(this.#high, Math.max(this.#low, Number(number.toFixed(digits))));
  }

  #showNumber() {
    const fraction = (this.#number - this.#low) / (this.#high - this.#low);
    const position = Math.max(0, fraction) ** (1 / this.#exponent);
    this.#slider.value = String(Math.round(position * SLIDER_STEPS));
    this.#slider.style.setProperty('--fraction', String(position));
    const text = formatNumber(this.#number, this.#schema.unit);
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
      to: [this.#low, this.#exponent === 1 ? this.#high : Math.min(this.#high, 4 * this.fallback)],
      smooth: DEFAULT_SMOOTH_S,
    };
  }

  /** @param {Required<Binding> | null} binding */
  #bind(binding) {
    const hasChanged = JSON.stringify(binding) !== JSON.stringify(this.#binding);
    this.#binding = binding;
    if (!binding) this.#graph = null;
    this.#bindButton.setAttribute('aria-pressed', String(binding !== null));
    this.#slider.hidden = binding !== null;
    this.#bindingForm.hidden = binding === null;
    this.#showNumber();
    if (hasChanged) this.#bindingForm.replaceChildren(...(binding ? this.#bindingFields(binding) : []));
  }

  /** @param {Required<Binding>} binding */
  #bindingFields(binding) {
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
      this.#bindingForm.querySelector('select')?.focus();
      this.#onChange();
    });
    this.#graph = new SignalGraph(binding, (value) => formatNumber(value, this.#schema.unit));
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
      this.#graph.node,
      element('div', { class: 'ends' },
        element('span', {}, 'from'), field('from', 0, 'Signal from'), field('from', 1, 'Signal to'),
        element('span', {}, 'to'), field('to', 0, `${this.#title} from`), field('to', 1, `${this.#title} to`),
      ),
    ];
  }
}
