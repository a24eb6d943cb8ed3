/**
 * One control for each parameter of an effect, made from its JSON Schema: a number becomes a slider,
 * a choice a row of buttons or a menu, a yes or no a switch.
 */

import { element } from '../shared/dom.js';
import { NumberControl } from './number-control.js';

/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {import('../../gaze-client.js').ParameterValue} ParameterValue */

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

const CHOICES_IN_A_ROW = 4;

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
export function controlFor(id, key, schema, onChange) {
  const title = schema.title ?? spoken(key);
  if (schema.enum) return choiceControl(id, title, schema, schema.enum, onChange);
  if (schema.type === 'boolean') return switchControl(id, title, schema, onChange);
  if (isNumber(schema)) return new NumberControl(id, title, schema, onChange);
  return null;
}

/** @param {ParameterSchema} schema */
function help({ description }) {
  return element('p', { class: 'help', hidden: !description }, description ?? '');
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
      node: element('div', { class: 'parameter' }, element('label', { for: id }, title), select, help(schema)),
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
      { class: 'parameter' },
      element('legend', {}, title),
      row,
      help(schema),
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
      { class: 'parameter inline' },
      element('label', { for: id }, title),
      input,
      help(schema),
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
