/** The calibration that the viewer saved on this device, for one screen size. */

/** @typedef {import('../../gaze-client.js').CalibrationQuality} CalibrationQuality */

/**
 * @typedef {object} SavedCalibration
 * @property {object} model
 * @property {CalibrationQuality} quality
 * @property {import('../../sdk/layout.js').Point} screen its width and height, px
 * @property {number} at when it was made, as of `Date.now()`
 */

const KEY = 'gaze.calibration';

/** @returns {SavedCalibration | null} null where there is none for this screen size */
export function savedCalibration() {
  /** @type {SavedCalibration | null} */
  let saved;
  try {
    saved = JSON.parse(localStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
  const fits = saved?.screen?.[0] === screen.width && saved?.screen?.[1] === screen.height;
  return fits ? saved : null;
}

/** @param {Omit<SavedCalibration, 'at'>} calibration */
export function saveCalibration({ model, quality, screen }) {
  localStorage.setItem(KEY, JSON.stringify({ model, quality, screen, at: Date.now() }));
}

export function forgetCalibration() {
  localStorage.removeItem(KEY);
}

/** @param {SavedCalibration} saved @returns {string} its date and accuracy, for the viewer */
export function describeCalibration({ at, quality }) {
  const day = new Date(at).toLocaleDateString('en', { day: 'numeric', month: 'long' });
  const accuracy = quality?.accuracy_px;
  return typeof accuracy === 'number' ? `${day} (± ${Math.round(accuracy)} px)` : day;
}
