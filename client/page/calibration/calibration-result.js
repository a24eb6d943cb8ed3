/** The picture of a calibration: the targets, where the gaze fell, figures and what to do next. */

import { FOLLOW_FEWEST_HZ } from './calibration-targets.js';
import { element, svg } from '../shared/dom.js';

/** @typedef {import('../../gaze-client.js').CalibrationPoint} CalibrationPoint */
/** @typedef {import('../../gaze-client.js').CalibrationQuality} CalibrationQuality */
/** @typedef {'keep' | 'use' | 'again'} Decision */
/** @typedef {'again' | 'dots' | 'leave'} Next after a failure */

const VERDICTS = {
  good: { title: 'Very good', advice: 'Sit as you sit now, and it will follow you closely.' },
  usable: {
    title: 'Usable',
    advice: 'Fine for watching. More light on your face from the front, and a still head, make it better.',
  },
  retry: {
    title: 'Not precise yet',
    advice: 'Sit at arm’s length from the screen, put a light in front of you rather than behind, and keep your head still.',
  },
};

/**
 * @param {CalibrationPoint[]} points
 * @param {CalibrationQuality | undefined} quality
 * @param {(decision: Decision) => void} decide
 */
export function resultPanel(points, quality, decide) {
  const verdict = VERDICTS[quality?.verdict ?? 'retry'];
  const again = quality?.verdict === 'retry';
  /** @param {string} text @param {Decision} decision @param {string} kind */
  const button = (text, decision, kind) => {
    const made = element('button', { type: 'button', class: kind, 'data-testid': `calibration-${decision}` }, text);
    made.addEventListener('click', () => decide(decision));
    return made;
  };
  const choices = [
    button('Keep it on this device', 'keep', again ? '' : 'primary'),
    button('Use it just now', 'use', ''),
    button('Calibrate again', 'again', again ? 'primary' : 'quiet'),
  ];
  return element(
    'div',
    { class: `result ${quality?.verdict ?? ''}`, 'data-testid': 'calibration-result' },
    element('h2', {}, verdict.title),
    element('p', { class: 'lead' }, verdict.advice),
    map(points),
    element('dl', { class: 'figures' }, ...figures(quality, points)),
    element('div', { class: 'actions' }, ...(again ? choices.reverse() : choices)), // the best one first
  );
}

/**
 * Why a moving dot came to nothing, and what would help.
 *
 * @param {number} seen_hz how many pictures of the camera were looked at
 * @param {number} open_hz in how many of them open eyes were seen
 * @param {string | null} reason the server's
 * @returns {{ title: string, detail: string }}
 */
export function followFailure(seen_hz, open_hz, reason) {
  if (seen_hz < FOLLOW_FEWEST_HZ) {
    const times = seen_hz < 1 ? 'less than once' : `only ${Math.floor(seen_hz)} times`;
    return {
      title: 'Too slow for the moving dot',
      detail:
        `Your eyes were looked at ${times} a second, and it needs ${FOLLOW_FEWEST_HZ}. ` +
        'The nine dots need less; more light or closing other programs may help, too.',
    };
  }
  if (open_hz < FOLLOW_FEWEST_HZ) {
    return {
      title: 'Your eyes were lost on the way',
      detail: 'Keep your face in the picture and your eyes open, or take the nine dots, which wait for you.',
    };
  }
  return { title: 'The moving dot did not work', detail: `The server says: ${reason ?? 'no reason'}. Nine dots may.` };
}

/**
 * Why nothing came of it, and another try.
 *
 * @param {{ title: string, detail: string }} error
 * @param {boolean} moving the nine dots are worth a try
 * @param {(next: Next) => void} decide
 */
export function failurePanel({ title, detail }, moving, decide) {
  /** @param {string} text @param {string} id @param {Next} next @param {string} kind */
  const button = (text, id, next, kind) => {
    const made = element('button', { type: 'button', class: kind, 'data-testid': `calibration-${id}` }, text);
    made.addEventListener('click', () => decide(next));
    return made;
  };
  const dots = moving ? [button('Take nine dots', 'dots', 'dots', 'primary')] : [];
  const again = button('Try again', 'retry', 'again', moving ? '' : 'primary');
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
 * Targets and where the gaze fell, drawn to the screen's scale.
 *
 * @param {CalibrationPoint[]} points
 */
function map(points) {
  const { width, height } = screen;
  const unit = width / 100;
  const marks = points.flatMap(({ target, gaze }) => {
    const [x, y] = target;
    const ring = svg('circle', { class: 'aim', cx: x, cy: y, r: 1.6 * unit });
    if (!gaze) return [ring];
    return [
      svg('line', { class: 'miss', x1: x, y1: y, x2: gaze[0], y2: gaze[1] }),
      ring,
      svg('circle', { class: 'hit', cx: gaze[0], cy: gaze[1], r: 0.8 * unit }),
    ];
  });
  return element(
    'figure',
    { class: 'map' },
    svg(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Your screen with the dots and where your gaze fell' },
      ...marks,
    ),
    element('figcaption', {}, element('span', { class: 'key-aim' }, 'dot'), element('span', { class: 'key-hit' }, 'your gaze')),
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
  if (used + discarded > 0) rows.push(['Samples', `${used} used, ${discarded} left out`]);
  return rows.map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, value)));
}
