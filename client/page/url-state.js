/**
 * What the page's address says, and how it is written: the film, the effects and the view are in
 * it, so that a link shows what its sender saw, and back and forward go through what was done.
 *
 *     ?media=demo                  a hosted film
 *     &preset=focus                a named chain of effects, or
 *     &effects=blur,zoom           effects by name, or as a JSON array as in the wire contract
 *     &gaze=pointer                the mouse stands in for the eyes (camera is the default)
 *     &marks=dot,trail,heat        what is drawn of the gaze (`dot=1` is the same as marks=dot)
 *     &view=watch                  `watch`, `eyes` or `summary`; none is the start
 *     &autostart=1                 start at once
 */

/** @typedef {import('../gaze-client.js').EffectSpec} EffectSpec */
/** @typedef {'home' | 'watch' | 'eyes' | 'summary'} View */
/** @typedef {'camera' | 'pointer'} GazeSource */

/**
 * @typedef {object} Place
 * @property {string | null} media
 * @property {string | null} preset
 * @property {EffectSpec[] | null} effects
 * @property {GazeSource} gaze
 * @property {string[]} marks
 * @property {View} view
 */

/** @type {View[]} */
const VIEWS = ['watch', 'eyes', 'summary'];

/**
 * @param {string} search of a location
 * @returns {Place & { autostart: boolean }} what is not said, or not understood, is null or the
 *   default
 */
export function readAddress(search) {
  const parameters = new URLSearchParams(search);
  const marks = parameters.get('marks')?.split(',').filter(Boolean) ?? [];
  if (parameters.get('dot') === '1') marks.push('dot');
  return {
    media: parameters.get('media'),
    preset: parameters.get('preset'),
    effects: readEffects(parameters.get('effects')),
    gaze: parameters.get('gaze') === 'pointer' ? 'pointer' : 'camera',
    marks,
    view: VIEWS.find((view) => view === parameters.get('view')) ?? 'home',
    autostart: parameters.get('autostart') === '1',
  };
}

/** @param {string | null} text */
function readEffects(text) {
  if (text === null) return null;
  if (!text.startsWith('[')) return text.split(',').filter(Boolean).map((name) => ({ name }));
  try {
    return /** @type {EffectSpec[]} */ (JSON.parse(text));
  } catch {
    return null;
  }
}

/** @param {Place} place @returns {string} the address's search part */
export function writeAddress({ media, preset, effects, gaze, marks, view }) {
  const parameters = new URLSearchParams();
  if (media !== null) parameters.set('media', media);
  if (preset !== null) parameters.set('preset', preset);
  else if (effects !== null) {
    const plain = effects.every((effect) => Object.keys(effect).length === 1);
    parameters.set('effects', plain ? effects.map(({ name }) => name).join() : JSON.stringify(effects));
  }
  if (gaze === 'pointer') parameters.set('gaze', gaze);
  if (marks.length > 0) parameters.set('marks', marks.join());
  if (view !== 'home') parameters.set('view', view);
  return `?${parameters.toString().replaceAll('%2C', ',')}`;
}

/** @param {string} search shown from now on; a new entry of the history only where it differs */
export function pushAddress(search) {
  if (search !== location.search) history.pushState(null, '', search);
}

/** @param {string} search shown from now on, in place of the one before */
export function replaceAddress(search) {
  if (search !== location.search) history.replaceState(null, '', search);
}
