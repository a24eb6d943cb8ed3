/**
 * The page's state in its URL: film, effects and view, so that a link shows what its sender saw, and
 * the browser's back and forward undo and redo.
 *
 *     ?media=demo                  a hosted film
 *     &preset=focus                a named chain of effects, or
 *     &effects=blur,zoom           effects by name, or a JSON array as in the API
 *     &gaze=pointer                the mouse instead of the eyes; `camera` is the default
 *     &overlay=dot,trail,heatmap   what is drawn of the gaze; `dot=1` is short for `overlay=dot`
 *     &view=watch                  `watch`, `eyes` or `summary`; the start without one
 *     &autostart=1                 start at once
 */

/** @typedef {import('../gaze-client.js').EffectSpec} EffectSpec */
/** @typedef {'home' | 'watch' | 'eyes' | 'summary'} View */
/** @typedef {'camera' | 'pointer'} GazeSource */

/**
 * @typedef {object} UrlState
 * @property {string | null} media
 * @property {string | null} preset
 * @property {EffectSpec[] | null} effects
 * @property {GazeSource} gaze
 * @property {string[]} overlay names of its layers
 * @property {View} view
 */

/** @type {View[]} */
const VIEWS = ['watch', 'eyes', 'summary'];

/**
 * @param {string} search as of `location.search`
 * @returns {UrlState & { autostart: boolean }} what is missing or invalid is null or the default
 */
export function readUrl(search) {
  const parameters = new URLSearchParams(search);
  const overlay = parameters.get('overlay')?.split(',').filter(Boolean) ?? [];
  if (parameters.get('dot') === '1') overlay.push('dot');
  return {
    media: parameters.get('media'),
    preset: parameters.get('preset'),
    effects: readEffects(parameters.get('effects')),
    gaze: parameters.get('gaze') === 'pointer' ? 'pointer' : 'camera',
    overlay,
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

/** @param {UrlState} state @returns {string} as of `location.search` */
export function writeUrl({ media, preset, effects, gaze, overlay, view }) {
  const parameters = new URLSearchParams();
  if (media !== null) parameters.set('media', media);
  if (preset !== null) parameters.set('preset', preset);
  else if (effects !== null) {
    const hasDefaults = effects.every((effect) => Object.keys(effect).length === 1);
    parameters.set('effects', hasDefaults ? effects.map(({ name }) => name).join() : JSON.stringify(effects));
  }
  if (gaze === 'pointer') parameters.set('gaze', gaze);
  if (overlay.length > 0) parameters.set('overlay', overlay.join());
  if (view !== 'home') parameters.set('view', view);
  return `?${parameters.toString().replaceAll('%2C', ',')}`;
}

/** @param {string} search shown from now on, as a new entry of the history where it differs */
export function pushUrl(search) {
  if (search !== location.search) history.pushState(null, '', search);
}

/** @param {string} search shown from now on, in the current entry of the history */
export function replaceUrl(search) {
  if (search !== location.search) history.replaceState(null, '', search);
}
