/** The calibration that the viewer wants kept on this device, one for a size of screen. */

/** @typedef {import('../../gaze-client.js').CalibrationQuality} CalibrationQuality */

/**
 * @typedef {object} KeptCalibration
 * @property {object} model
 * @property {CalibrationQuality} quality
 * @property {import('../../sdk/layout.js').Point} screen
 * @property {number} at when it was made, as Date.now() tells it
 */

const KEY = 'gaze.calibration';

/** @returns {KeptCalibration | null} the one kept for this screen */
export function keptCalibration() {
  /** @type {KeptCalibration | null} */
  let kept;
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
  const fits = kept?.screen?.[0] === screen.width && kept?.screen?.[1] === screen.height;
  return fits ? kept : null;
}

/** @param {Omit<KeptCalibration, 'at'>} calibration */
export function keepCalibration({ model, quality, screen }) {
  localStorage.setItem(KEY, JSON.stringify({ model, quality, screen, at: Date.now() }));
}

export function forgetCalibration() {
  localStorage.removeItem(KEY);
}

/** @param {KeptCalibration} kept */
export function describe({ at, quality }) {
  const day = new Date(at).toLocaleDateString('en', { day: 'numeric', month: 'long' });
  const accuracy = quality?.accuracy_px;
  return typeof accuracy === 'number' ? `${day} (± ${Math.round(accuracy)} px)` : day;
}
