/** Which places a calibration asks the eyes to look at, as fractions of the viewport. */

/** @typedef {import('../../sdk/layout.js').Point} Point */
/** @typedef {'5' | '9' | '13' | 'follow'} PlanName */

const NEAR = 0.08;
const FAR = 0.92;
const INNER = [0.29, 0.71];

/** In orders that make the eyes travel. @type {Record<'5' | '9' | '13', Point[]>} */
export const PLACES = {
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

/** Away from every place that a calibration learns from. @type {Point[]} */
export const VALIDATION_PLACES = [[0.38, 0.24], [0.62, 0.76], [0.76, 0.38], [0.24, 0.62]];

export const FOLLOW_S = 20;
/** The server learns from each half second of the way in which it has seen the eyes so often. */
export const FOLLOW_FEWEST_HZ = 8;

/** @type {{ name: PlanName, title: string, takes: string }[]} */
export const PLANS = [
  { name: '5', title: '5 dots', takes: 'about 15 seconds' },
  { name: '9', title: '9 dots', takes: 'about 20 seconds' },
  { name: '13', title: '13 dots', takes: 'about 30 seconds' },
  { name: 'follow', title: 'Moving dot', takes: 'about 25 seconds' },
];

/**
 * Where the moving dot is: a smooth way that passes through the middle and near every corner,
 * beginning and ending slowly.
 *
 * @param {number} share 0..1 of its time
 * @returns {Point}
 */
export function placeOnPath(share) {
  const eased = share - Math.sin(2 * Math.PI * share) / (8 * Math.PI);
  const reach = (FAR - NEAR) / 2;
  return [
    0.5 + reach * Math.sin(2 * Math.PI * 3 * eased),
    0.5 + reach * Math.sin(2 * Math.PI * 2 * eased),
  ];
}
