/** The targets of a calibration and of its validation, as fractions of the viewport. */

/** @typedef {import('../../sdk/layout.js').Point} Point */
/** @typedef {'5' | '9' | '13' | 'pursuit'} PlanName */

const NEAR = 0.08;
const FAR = 0.92;
const INNER = [0.29, 0.71];

/** In orders with large saccades between the targets. @type {Record<'5' | '9' | '13', Point[]>} */
export const TARGETS = {
  5: [[0.5, 0.5], [NEAR, NEAR], [FAR, NEAR], [FAR, FAR], [NEAR, FAR]],
  9: [
    [0.5, 0.5], [NEAR, NEAR], [FAR, NEAR], [FAR, FAR], [NEAR, FAR],
    [0.5, NEAR], [FAR, 0.5], [0.5, FAR], [NEAR, 0.5],
  ],
  13: [
    [0.5, 0.5], [NEAR, NEAR], [FAR, NEAR], [FAR, FAR], [NEAR, FAR],
    [0.5, NEAR], [FAR, 0.5], [0.5, FAR], [NEAR, 0.5],
    ...INNER.flatMap((x) => INNER.map((y) => /** @type {Point} */ ([x, y]))),
  ],
};

/** Apart from all targets that a calibration is fitted to. @type {Point[]} */
export const VALIDATION_TARGETS = [[0.38, 0.24], [0.62, 0.76], [0.76, 0.38], [0.24, 0.62]];

/** Duration of the smooth-pursuit calibration. */
export const PURSUIT_S = 20;
/** The server uses a half second of the path only with samples of open eyes at this rate. */
export const PURSUIT_MIN_HZ = 8;

/** @type {{ name: PlanName, title: string, takes: string }[]} */
export const PLANS = [
  { name: '5', title: '5 dots', takes: 'about 15 seconds' },
  { name: '9', title: '9 dots', takes: 'about 20 seconds' },
  { name: '13', title: '13 dots', takes: 'about 30 seconds' },
  { name: 'pursuit', title: 'Moving dot', takes: 'about 25 seconds' },
];

/**
 * Position of the moving target: a Lissajous curve through the middle and near every corner, slow at
 * its beginning and end.
 *
 * @param {number} fraction of the duration, 0..1
 * @returns {Point}
 */
export function pursuitPosition(fraction) {
  const eased = fraction - Math.sin(2 * Math.PI * fraction) / (8 * Math.PI);
  const amplitude = (FAR - NEAR) / 2;
  return [
    0.5 + amplitude * Math.sin(2 * Math.PI * 3 * eased),
    0.5 + amplitude * Math.sin(2 * Math.PI * 2 * eased),
  ];
}
