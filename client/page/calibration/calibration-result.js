/** The end of a calibration: its targets and gaze, accuracy and precision, or why it failed. */

import { element, svg } from '../shared/dom.js';
import { PURSUIT_MIN_HZ } from './calibration-targets.js';

/** @typedef {import('../../gaze-client.js').CalibrationPoint} CalibrationPoint */
/** @typedef {import('../../gaze-client.js').CalibrationQuality} CalibrationQuality */
/** @typedef {'save' | 'use' | 'again'} ResultChoice */
/** @typedef {'again' | 'dots' | 'leave'} FailureChoice */

const VERDICTS = {
  good: { title: 'Very good', advice: 'Keep sitting as you do now, and the film follows you closely.' },
  usable: {
    title: 'Usable',
    advice: 'Good enough for watching. More light on your face from the front, and a still head, improve it.',
  },
  retry: {
    title: 'Not precise yet',
    advice: 'Sit at arm’s length from the screen, put a light in front of you rather than behind, and keep your head still.',
  },
};

/**
 * The panel of a fitted calibration.
 *
 * @param {CalibrationPoint[]} points
 * @param {CalibrationQuality | undefined} quality
 * @param {(choice: ResultChoice) => void} decide
 */
export function resultPanel(points, quality, decide) {
  const verdict = VERDICTS[quality?.verdict ?? 'retry'];
  const shouldRepeat = quality?.verdict === 'retry';
  /** @param {string} text @param {ResultChoice} choice @param {string} kind */
  const button = (text, choice, kind) => {
    const made = element('button', { type: 'button', class: kind, 'data-testid': `calibration-${choice}` }, text);
    made.addEventListener('click', () => decide(choice));
    return made;
  };
  const choices = [
    button('Save on this device', 'save', shouldRepeat ? '' : 'primary'),
    button('Use for this session', 'use', ''),
    button('Calibrate again', 'again', shouldRepeat ? 'primary' : 'quiet'),
  ];
  return element(
    'div',
    { class: `result ${quality?.verdict ?? ''}`, 'data-testid': 'calibration-result' },
    element('h2', {}, verdict.title),
    element('p', { class: 'lead' }, verdict.advice),
    targetMap(points),
    element('dl', { class: 'figures' }, ...figures(quality, points)),
    element('div', { class: 'actions' }, ...(shouldRepeat ? choices.reverse() : choices)), // the recommended one first
  );
}

/**
 * Why a smooth-pursuit calibration failed, and what helps.
 *
 * @param {number} samples_hz rate of gaze samples
 * @param {number} open_hz rate of those with open eyes
 * @param {string | null} reason of the server
 * @returns {{ title: string, detail: string }}
 */
export function pursuitFailure(samples_hz, open_hz, reason) {
  if (samples_hz < PURSUIT_MIN_HZ) {
    const times = samples_hz < 1 ? 'less than once' : `only ${Math.floor(samples_hz)} times`;
    return {
      title: 'Too slow for the moving dot',
      detail:
        `Your gaze was measured ${times} a second, and the moving dot needs ${PURSUIT_MIN_HZ}. ` +
        'The nine dots need less; more light or closing other programs may help as well.',
    };
  }
  if (open_hz < PURSUIT_MIN_HZ) {
    return {
      title: 'Your eyes were not seen long enough',
      detail: 'Keep your face in the picture and your eyes open, or take the nine dots, which wait for you.',
    };
  }
  return { title: 'The moving dot did not work', detail: `The server says: ${reason ?? 'no reason'}. Nine dots may work.` };
}

/**
 * The panel of a calibration that failed, with an offer to start again.
 *
 * @param {{ title: string, detail: string }} error
 * @param {boolean} offerDots whether to offer the nine dots instead of the moving one
 * @param {(choice: FailureChoice) => void} decide
 */
export function failurePanel({ title, detail }, offerDots, decide) {
  /** @param {string} text @param {string} id @param {FailureChoice} choice @param {string} kind */
  const button = (text, id, choice, kind) => {
    const made = element('button', { type: 'button', class: kind, 'data-testid': `calibration-${id}` }, text);
    made.addEventListener('click', () => decide(choice));
    return made;
  };
  const dots = offerDots ? [button('Take nine dots', 'dots', 'dots', 'primary')] : [];
  const again = button('Try again', 'retry', 'again', offerDots ? '' : 'primary');
  const leave = button('Not now', 'leave', 'leave', 'quiet');
  return element(
    'div',
    { class: 'result retry', role: 'alert', 'data-testid': 'calibration-failure' },
    element('h2', {}, title),
    element('p', { class: 'lead' }, detail),
    element('div', { class: 'actions' }, ...dots, again, leave),
  );
}

/**
 * A map of the screen with the targets and the gaze at each.
 *
 * @param {CalibrationPoint[]} points
 */
function targetMap(points) {
  const { width, height } = screen;
  const unit = width / 100;
  const marks = points.flatMap(({ target, gaze }) => {
    const [x, y] = target;
    const ring = svg('circle', { class: 'target-mark', cx: x, cy: y, r: 1.6 * unit });
    if (!gaze) return [ring];
    return [
      svg('line', { class: 'offset-line', x1: x, y1: y, x2: gaze[0], y2: gaze[1] }),
      ring,
      svg('circle', { class: 'gaze-mark', cx: gaze[0], cy: gaze[1], r: 0.8 * unit }),
    ];
  });
  return element(
    'figure',
    { class: 'result-map' },
    svg(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Your screen with the dots and your gaze at each' },
      ...marks,
    ),
    element('figcaption', {}, element('span', { class: 'legend-target' }, 'dot'), element('span', { class: 'legend-gaze' }, 'your gaze')),
  );
}

/**
 * @param {CalibrationQuality | undefined} quality
 * @param {CalibrationPoint[]} points
 */
function figures(quality, points) {
  /** @type {[string, string][]} */
  const rows = [];
  const { accuracy_px, accuracy_deg, precision_px } = quality ?? {};
  /** @param {number} px */
  const length = (px) => {
    const degrees = accuracy_px && accuracy_deg ? ` (${((px * accuracy_deg) / accuracy_px).toFixed(1)}°)` : '';
    return `${Math.round(px)} px${degrees}`;
  };
  if (typeof accuracy_px === 'number') rows.push(['Accuracy', `± ${length(accuracy_px)}`]);
  if (typeof precision_px === 'number') rows.push(['Precision', length(precision_px)]);
  const used = points.reduce((sum, point) => sum + point.used, 0);
  const discarded = points.reduce((sum, point) => sum + point.discarded, 0);
  if (used + discarded > 0) rows.push(['Samples', `${used} used, ${discarded} discarded`]);
  return rows.map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, value)));
}
