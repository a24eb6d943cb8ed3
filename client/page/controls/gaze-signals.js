/** The signals of the eyes that a parameter can follow, as the page names and reads them. */

/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */

/**
 * @typedef {object} Signal
 * @property {string} title
 * @property {[number, number]} range where a binding begins
 * @property {(value: number) => string} say a value in words
 * @property {(gaze: GazeEvent) => number | null | undefined} [read] its value now, where the page
 *   is told
 */

/** @param {number} digits @param {string} unit @returns {(value: number) => string} */
const measured = (digits, unit) => (value) => `${value.toFixed(digits)}${unit}`;
/** @param {number} value */
const percent = (value) => `${Math.round(value * 100)} %`;

/** @type {Record<string, Signal>} */
export const SIGNALS = {
  'pupil.relative': {
    title: 'Pupil, wider or narrower',
    range: [-0.1, 0.15],
    say: percent,
    read: (gaze) => gaze.pupil?.relative,
  },
  'pupil.mm': { title: 'Pupil, mm', range: [2, 6], say: measured(1, ' mm'), read: (gaze) => gaze.pupil?.mm },
  dwell: { title: 'How long you look, s', range: [0.2, 2], say: measured(1, ' s'), read: (gaze) => gaze.dwell },
  openness: {
    title: 'How open your eyes are',
    range: [0.2, 1],
    say: percent,
    read: (gaze) => gaze.openness && (gaze.openness[0] + gaze.openness[1]) / 2,
  },
  attention: { title: 'Attention', range: [0, 1], say: percent, read: (gaze) => (gaze.attentive ? 1 : 0) },
  eccentricity: { title: 'Away from the middle, °', range: [0, 15], say: measured(0, '°') },
  'head.distance': {
    title: 'Distance, mm',
    range: [800, 400],
    say: measured(0, ' mm'),
    read: (gaze) => gaze.head?.distance,
  },
  'head.yaw': { title: 'Head turned left, °', range: [-25, 25], say: measured(0, '°'), read: (gaze) => gaze.head?.yaw },
  'head.pitch': { title: 'Head up, °', range: [-15, 15], say: measured(0, '°'), read: (gaze) => gaze.head?.pitch },
  'blink.rate': {
    title: 'Blinks a minute',
    range: [5, 30],
    say: measured(0, ' a minute'),
    read: (gaze) => gaze.blink_rate,
  },
};
