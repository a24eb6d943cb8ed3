/**
 * The control of an effect's parameter, made from its JSON Schema: a slider for a number, a row of
 * buttons or a menu for an enumeration, a switch for a boolean.
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

/** An enumeration with more values becomes a menu. */
const MAX_BUTTONS = 4;

/** @param {ParameterSchema} schema */
function isNumber({ type, anyOf, minimum, maximum }) {
  const types = [type, ...(anyOf ?? []).map((one) => one.type)];
  return (
    (types.includes('number') || types.includes('integer')) && minimum !== undefined && maximum !== undefined
  );
}

/** @param {string} name as `hold_s` @returns {string} as `Hold s` */
function titleOf(name) {
  const text = name.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * @typedef {object} Control
 * @property {HTMLElement} node
 * @property {ParameterValue} value
 * @property {ParameterValue} fallback the default
 * @property {(gaze: GazeEvent) => void} [addGaze] draws a sample in the graph of a binding
 */

/**
 * @param {string} id
 * @param {string} key
 * @param {ParameterSchema} schema
 * @param {() => void} onChange
 * @returns {Control | null} null for a type of parameter that the page has no control for
 */
export function controlFor(id, key, schema, onChange) {
  const title = schema.title ?? titleOf(key);
  if (schema.enum) return choiceControl(id, title, schema, schema.enum, onChange);
  if (schema.type === 'boolean') return switchControl(id, title, schema, onChange);
  if (isNumber(schema)) return new NumberControl(id, title, schema, onChange);
  return null;
}

/** @param {ParameterSchema} schema */
function helpText({ description }) {
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
  if (choices.length > MAX_BUTTONS) {
    const select = element(
      'select',
      { id, 'data-testid': id },
      ...choices.map((choice) => element('option', { value: choice }, titleOf(choice))),
    );
    select.addEventListener('change', onChange);
    return {
      node: element('div', { class: 'parameter' }, element('label', { for: id }, title), select, helpText(schema)),
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
    ...inputs.map((input) => element('label', {}, input, element('span', {}, titleOf(input.value)))),
  );
  row.addEventListener('change', onChange);
  return {
    node: element(
      'fieldset',
      { class: 'parameter' },
      element('legend', {}, title),
      row,
      helpText(schema),
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
      helpText(schema),
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
