/** Whether a kept calibration still holds: one dot to look at, and a correction where it is off. */

import { element } from '../shared/dom.js';
import { cover } from '../shared/modal.js';

/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../../sdk/layout.js').Point} Point */

const SETTLE_MS = 900;
const COLLECT_MS = 1500;
const FEWEST_SAMPLES = 8;

/**
 * Show a dot in the middle of the page, measure how far off the gaze is, and tell the server where
 * the viewer surely looked.
 *
 * @param {GazeClient} client
 * @param {HTMLElement} place
 * @param {AbortSignal} signal closes it
 * @returns {Promise<{ miss_px: number } | null>} null where the eyes were not seen, or Escape
 */
export async function checkOneDot(client, place, signal) {
  const dot = element('div', { class: 'target', 'data-testid': 'target' }, element('i'));
  const words = element('p', { class: 'hint' }, 'Look at the dot.');
  const uncover = cover(place, dot, element('div', { class: 'guide' }, words));
  const target = client.toScreen([innerWidth / 2, innerHeight / 2]);
  /** @type {Point[]} */
  const seen = [];
  let listening = false;
  const stop = client.on('gaze', ({ screen, event }) => {
    if (!listening || !screen || event === 'blink' || event === 'lost') return;
    seen.push(screen);
  });
  const leaving = new AbortController();
  signal.addEventListener('abort', () => leaving.abort(), { once: true });
  document.addEventListener('keydown', ({ key }) => key === 'Escape' && leaving.abort(), { signal: leaving.signal });
  try {
    await pause(SETTLE_MS, leaving.signal);
    listening = true;
    dot.style.setProperty('--progress', '0.6');
    await pause(COLLECT_MS, leaving.signal);
    if (seen.length < FEWEST_SAMPLES) return null;
    const miss_px = Math.hypot(median(seen, 0) - target[0], median(seen, 1) - target[1]);
    client.pointer({ screen: target, click: true });
    return { miss_px };
  } catch {
    return null;
  } finally {
    leaving.abort();
    stop();
    uncover();
  }
}

/** @param {number} duration_ms @param {AbortSignal} signal */
function pause(duration_ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, duration_ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** @param {Point[]} points @param {0 | 1} axis */
function median(points, axis) {
  const sorted = points.map((point) => point[axis]).toSorted((a, b) => a - b);
  return /** @type {number} */ (sorted[Math.floor(sorted.length / 2)]);
}
