/** The picture of a calibration: the targets, where the gaze fell, figures and what to do next. */

import { element, svg } from './element.js';

/** @typedef {import('./gaze-client.js').CalibrationPoint} CalibrationPoint */
/** @typedef {import('./gaze-client.js').CalibrationQuality} CalibrationQuality */
/** @typedef {'keep' | 'use' | 'again'} Decision */

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
 * Why nothing came of it, and another try.
 *
 * @param {{ title: string, detail: string }} error
 * @param {(again: boolean) => void} decide
 */
export function failurePanel({ title, detail }, decide) {
  const again = element('button', { type: 'button', class: 'primary', 'data-testid': 'calibration-retry' }, 'Try again');
  const leave = element('button', { type: 'button', class: 'quiet', 'data-testid': 'calibration-leave' }, 'Not now');
  again.addEventListener('click', () => decide(true));
  leave.addEventListener('click', () => decide(false));
  return element(
    'div',
    { class: 'result retry', role: 'alert', 'data-testid': 'calibration-failure' },
    element('h2', {}, title),
    element('p', { class: 'lead' }, detail),
    element('div', { class: 'actions' }, again, leave),
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
