/** The signals of the eyes that a parameter can follow: title, initial range, format and source. */

/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */

/**
 * @typedef {object} Signal
 * @property {string} title
 * @property {[number, number]} range initial `from` of a binding
 * @property {(value: number) => string} format
 * @property {(gaze: GazeEvent) => number | null | undefined} [read] the signal's value in a gaze
 *   sample; missing where samples do not have it
 */

/** @param {number} digits @param {string} unit @returns {(value: number) => string} */
const withUnit = (digits, unit) => (value) => `${value.toFixed(digits)}${unit}`;
/** @param {number} value */
const percent = (value) => `${Math.round(value * 100)} %`;

/** @type {Record<string, Signal>} */
export const SIGNALS = {
  'pupil.relative': {
    title: 'Pupil, wider or narrower',
    range: [-0.1, 0.15],
    format: percent,
    read: (gaze) => gaze.pupil?.relative,
  },
  'pupil.mm': { title: 'Pupil, mm', range: [2, 6], format: withUnit(1, ' mm'), read: (gaze) => gaze.pupil?.mm },
  dwell: { title: 'How long you look, s', range: [0.2, 2], format: withUnit(1, ' s'), read: (gaze) => gaze.dwell },
  openness: {
    title: 'How open your eyes are',
    range: [0.2, 1],
    format: percent,
    read: (gaze) => gaze.openness && (gaze.openness[0] + gaze.openness[1]) / 2,
  },
  attention: { title: 'Attention', range: [0, 1], format: percent, read: (gaze) => (gaze.attentive ? 1 : 0) },
  eccentricity: { title: 'Away from the middle, °', range: [0, 15], format: withUnit(0, '°') },
  'head.distance': {
    title: 'Distance, mm',
    range: [800, 400],
    format: withUnit(0, ' mm'),
    read: (gaze) => gaze.head?.distance,
  },
  'head.yaw': { title: 'Head turned left, °', range: [-25, 25], format: withUnit(0, '°'), read: (gaze) => gaze.head?.yaw },
  'head.pitch': { title: 'Head up, °', range: [-15, 15], format: withUnit(0, '°'), read: (gaze) => gaze.head?.pitch },
  'blink.rate': {
    title: 'Blinks a minute',
    range: [5, 30],
    format: withUnit(0, ' a minute'),
    read: (gaze) => gaze.blink_rate,
  },
};
