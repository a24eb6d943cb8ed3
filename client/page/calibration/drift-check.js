/** Drift check and correction of a saved calibration: one target, and its offset from the gaze. */

import { element } from '../shared/dom.js';
import { openModal } from '../shared/modal.js';

/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../../sdk/layout.js').Point} Point */

const SETTLE_MS = 900;
const COLLECT_MS = 1500;
const MIN_SAMPLES = 8;

/**
 * Show a target in the middle of the page, measure the offset of the gaze from it, and send the
 * target to the server as where the viewer looked, which corrects the drift.
 *
 * @param {GazeClient} client
 * @param {HTMLElement} container of the dialog
 * @param {AbortSignal} signal closes it
 * @returns {Promise<{ offset_px: number } | null>} null where the eyes were not seen, or on Escape
 */
export async function checkDrift(client, container, signal) {
  const dot = element('div', { class: 'target', 'data-testid': 'target' }, element('i'));
  const hint = element('p', { class: 'hint' }, 'Look at the dot.');
  const closeModal = openModal(container, dot, element('div', { class: 'guide' }, hint));
  const target = client.toScreen([innerWidth / 2, innerHeight / 2]);
  /** @type {Point[]} */
  const samples = [];
  let collecting = false;
  const removeListener = client.on('gaze', ({ screen, event }) => {
    if (!collecting || !screen || event === 'blink' || event === 'lost') return;
    samples.push(screen);
  });
  const closing = new AbortController();
  signal.addEventListener('abort', () => closing.abort(), { once: true });
  document.addEventListener('keydown', ({ key }) => key === 'Escape' && closing.abort(), { signal: closing.signal });
  try {
    await delay(SETTLE_MS, closing.signal);
    collecting = true;
    dot.style.setProperty('--progress', '0.6');
    await delay(COLLECT_MS, closing.signal);
    if (samples.length < MIN_SAMPLES) return null;
    const offset_px = Math.hypot(median(samples, 0) - target[0], median(samples, 1) - target[1]);
    client.pointer({ screen: target, click: true });
    return { offset_px };
  } catch {
    return null;
  } finally {
    closing.abort();
    removeListener();
    closeModal();
  }
}

/** @param {number} duration_ms @param {AbortSignal} signal */
function delay(duration_ms, signal) {
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
