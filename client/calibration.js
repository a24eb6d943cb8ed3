/**
 * Calibration in full screen: nine dots to look at, four more to see how well it went, and a
 * picture of the result. The server judges each dot (`calibration` events) and the page moves on.
 */

import { element, svg } from './element.js';
import { GazeError } from './gaze-client.js';

/** @typedef {import('./gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('./gaze-client.js').CalibrationEvent} CalibrationEvent */
/** @typedef {import('./gaze-client.js').CalibrationQuality} CalibrationQuality */
/** @typedef {import('./gaze-client.js').CalibrationPoint} CalibrationPoint */
/** @typedef {import('./layout.js').Point} Point */

/**
 * @typedef {object} CalibrationResult
 * @property {object} model
 * @property {CalibrationQuality} quality
 * @property {Point} screen its width and height
 * @property {boolean} keep for the next visit
 */

/** Places as fractions of the viewport, in an order that makes the eyes travel. */
const NEAR = 0.08;
const FAR = 0.92;
/** @type {Point[]} */
export const CALIBRATION_PLACES = [
  [0.5, 0.5], [NEAR, NEAR], [FAR, NEAR], [FAR, FAR], [NEAR, FAR],
  [0.5, NEAR], [FAR, 0.5], [0.5, FAR], [NEAR, 0.5],
];
/** @type {Point[]} */
export const VALIDATION_PLACES = [[0.29, 0.29], [0.71, 0.71], [0.71, 0.29], [0.29, 0.71]];

const TRIES = 2;
const ANSWER_TIMEOUT_MS = 10_000;
const LAYOUT_SETTLES_MS = 400;
const GET_READY_MS = 1200;

const VERDICTS = {
  good: { title: 'Very good', advice: 'Sit as you sit now, and it will follow you closely.' },
  usable: {
    title: 'Usable',
    advice: 'Fine for watching. More light on your face from the front, and a still head, make it better.',
  },
  retry: {
    title: 'Not precise yet',
    advice: 'Come a little closer, put a light in front of you rather than behind, and keep your head still.',
  },
};

class Cancelled extends Error {}

/**
 * Calibrate; the viewer may leave with Escape at any time.
 *
 * @param {GazeClient} client
 * @param {HTMLElement} place covers the page, and is empty and hidden otherwise
 * @returns {Promise<CalibrationResult | null>} null where it was cancelled
 */
export async function calibrate(client, place) {
  const run = new Run(client, place);
  try {
    return await run.go();
  } catch (error) {
    if (error instanceof Cancelled) return null;
    throw error;
  } finally {
    await run.end();
  }
}

class Run {
  #client;
  #place;
  #stopping = new AbortController();
  #dot = element('div', { class: 'target', 'data-testid': 'target' }, element('i'));
  #hint = element('p', { class: 'hint', id: 'calibration-title', 'aria-live': 'polite' });
  #progress = element('progress', { max: 1, value: 0, 'aria-label': 'Progress' });
  /** @type {CalibrationEvent[]} */
  #unread = [];
  /** @type {(() => void) | null} */
  #wake = null;
  /** @type {GazeError | null} */
  #refusal = null;
  /** @type {Element | null} */
  #focused = document.activeElement;
  #active = false;
  /** @type {((choice: boolean | null) => void) | null} */
  #decide = null;

  /**
   * @param {GazeClient} client
   * @param {HTMLElement} place
   */
  constructor(client, place) {
    this.#client = client;
    this.#place = place;
  }

  /** @returns {Promise<CalibrationResult>} */
  async go() {
    await this.#open();
    for (;;) {
      const { fitted, checked } = await this.#collect();
      const keep = await this.#showResult(fitted, checked);
      const { model, quality } = checked ?? fitted;
      if (keep === null || !model || !quality) continue;
      return { model, quality, screen: [screen.width, screen.height], keep };
    }
  }

  async end() {
    this.#stopping.abort();
    if (this.#active) this.#client.calibrate('cancel');
    this.#place.hidden = true;
    this.#place.replaceChildren();
    if (document.fullscreenElement === this.#place) await document.exitFullscreen().catch(() => {});
    if (this.#focused instanceof HTMLElement) this.#focused.focus();
  }

  async #open() {
    const { signal } = this.#stopping;
    const cancel = element('button', { type: 'button', class: 'quiet', title: 'Escape', 'data-testid': 'calibration-cancel' }, 'Cancel');
    cancel.addEventListener('click', () => this.#cancel());
    this.#place.replaceChildren(this.#dot, element('div', { class: 'guide' }, this.#hint, this.#progress, cancel));
    this.#place.hidden = false;
    cancel.focus();
    await this.#place.requestFullscreen?.().catch(() => {});
    const entered = document.fullscreenElement === this.#place;
    document.addEventListener(
      'keydown',
      (event) => event.key === 'Escape' && this.#cancel(),
      { signal },
    );
    document.addEventListener(
      'fullscreenchange',
      () => entered && !document.fullscreenElement && this.#cancel(),
      { signal },
    );
    const stops = [
      this.#client.on('calibration', (event) => this.#hear(event)),
      this.#client.on('error', (error) => this.#refuse(error)),
      this.#client.on('state', ({ state }) => {
        if (state !== 'connected') this.#refuse(new GazeError({ title: 'Connection lost' }));
      }),
    ];
    signal.addEventListener('abort', () => stops.forEach((stop) => stop()));
    await this.#wait(LAYOUT_SETTLES_MS);
  }

  /** @returns {Promise<{ fitted: CalibrationEvent, checked: CalibrationEvent | null }>} */
  async #collect() {
    this.#guide('Look at each dot until it closes.');
    this.#progress.value = 0;
    this.#client.calibrate('start');
    this.#active = true;
    await this.#next(['collecting']);
    this.#showDot(/** @type {Point} */ (CALIBRATION_PLACES[0]));
    await this.#wait(GET_READY_MS);
    const steps = CALIBRATION_PLACES.length + VALIDATION_PLACES.length;
    let step = 0;
    for (const place of CALIBRATION_PLACES) {
      await this.#collectPoint('point', place);
      this.#progress.value = ++step / steps;
    }
    this.#client.calibrate('finish');
    const fitted = await this.#next(['fitted', 'rejected']);
    if (fitted.state === 'rejected') {
      throw new GazeError({ title: 'Too few dots worked', detail: fitted.reason ?? 'Try it with more light on your face.' });
    }
    this.#guide('Four more, to see how well it went.');
    let checks = 0;
    for (const place of VALIDATION_PLACES) {
      if (await this.#collectPoint('validate', place)) checks += 1;
      this.#progress.value = ++step / steps;
    }
    this.#unread = [];
    this.#client.calibrate('finish');
    const checked = checks > 0 ? await this.#next(['validated']) : null;
    this.#active = false;
    return { fitted, checked };
  }

  /**
   * Show one dot until the server has seen enough of it; a dot that fails is tried once more.
   *
   * @param {'point' | 'validate'} action
   * @param {Point} place
   * @returns {Promise<boolean>} whether it was accepted
   */
  async #collectPoint(action, place) {
    this.#showDot(place);
    for (let tried = 1; tried <= TRIES; tried += 1) {
      this.#unread = [];
      if (tried === 1) {
        this.#client.calibrate(action, this.#client.toScreen([place[0] * innerWidth, place[1] * innerHeight]));
      } else {
        this.#client.calibrate('repeat');
      }
      const answer = await this.#next(['accepted', 'rejected']);
      if (answer.state === 'accepted') {
        this.#guide('');
        return true;
      }
      this.#dot.style.setProperty('--progress', '0');
      this.#guide(answer.reason ? spoken(answer.reason) : 'Once more, please.');
    }
    return false;
  }

  /**
   * The result, until the viewer says what to do with it.
   *
   * @param {CalibrationEvent} fitted
   * @param {CalibrationEvent | null} checked
   * @returns {Promise<boolean | null>} whether to keep it; null to calibrate again
   */
  async #showResult(fitted, checked) {
    const { points = [], quality } = checked ?? fitted;
    const verdict = VERDICTS[quality?.verdict ?? 'retry'];
    const decision = new Promise((/** @type {(choice: boolean | null) => void} */ resolve) => (this.#decide = resolve));
    /**
     * @param {string} text
     * @param {string} id
     * @param {boolean | null} choice
     * @param {string} kind
     */
    const button = (text, id, choice, kind = '') => {
      const made = element('button', { type: 'button', class: kind, 'data-testid': id }, text);
      made.addEventListener('click', () => this.#decide?.(choice));
      return made;
    };
    const again = quality?.verdict === 'retry';
    const panel = element(
      'div',
      { class: `result ${quality?.verdict ?? ''}`, 'data-testid': 'calibration-result' },
      element('h2', {}, verdict.title),
      element('p', { class: 'lead' }, verdict.advice),
      map(points),
      element('dl', {}, ...figures(quality, points)),
      element(
        'div',
        { class: 'actions' },
        button('Keep it on this device', 'calibration-keep', true, again ? '' : 'primary'),
        button('Use it just now', 'calibration-use', false),
        button('Calibrate again', 'calibration-again', null, again ? 'primary' : 'quiet'),
      ),
    );
    const stage = [...this.#place.children];
    this.#place.replaceChildren(panel);
    panel.querySelector('button')?.focus();
    const choice = await decision;
    this.#decide = null;
    this.#place.replaceChildren(...stage);
    return choice;
  }

  /** @param {Point} place */
  #showDot([x, y]) {
    this.#dot.style.setProperty('--x', `${x * 100}%`);
    this.#dot.style.setProperty('--y', `${y * 100}%`);
    this.#dot.style.setProperty('--progress', '0');
  }

  /** @param {string} text */
  #guide(text) {
    this.#hint.textContent = text;
  }

  #cancel() {
    if (this.#decide) this.#decide(false);
    else this.#stopping.abort(new Cancelled());
  }

  /** @param {CalibrationEvent} event */
  #hear(event) {
    if (event.state === 'collecting') this.#dot.style.setProperty('--progress', String(event.progress));
    this.#unread.push(event);
    this.#wake?.();
  }

  /** @param {GazeError} error */
  #refuse(error) {
    if (!this.#active) return;
    this.#refusal = error;
    this.#wake?.();
  }

  /**
   * @param {CalibrationEvent['state'][]} states
   * @returns {Promise<CalibrationEvent>}
   */
  async #next(states) {
    const deadline_ms = performance.now() + ANSWER_TIMEOUT_MS;
    for (;;) {
      while (this.#unread.length > 0) {
        const event = /** @type {CalibrationEvent} */ (this.#unread.shift());
        if (states.includes(event.state)) return event;
      }
      if (this.#refusal) throw this.#refusal;
      if (performance.now() > deadline_ms) {
        throw new GazeError({
          title: 'No camera picture arrives',
          detail: 'The server saw nothing of the camera. Check that it is not covered or in use elsewhere.',
        });
      }
      const woken = new Promise((/** @type {(value?: unknown) => void} */ resolve) => (this.#wake = resolve));
      await this.#or(Promise.race([woken, new Promise((resolve) => setTimeout(resolve, 1000))]));
    }
  }

  /** @param {number} duration_ms */
  async #wait(duration_ms) {
    await this.#or(new Promise((resolve) => setTimeout(resolve, duration_ms)));
  }

  /**
   * The promise, unless the viewer cancels before.
   *
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  #or(promise) {
    const { signal } = this.#stopping;
    return new Promise((resolve, reject) => {
      const cancel = () => reject(signal.reason);
      if (signal.aborted) cancel();
      signal.addEventListener('abort', cancel, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel));
    });
  }
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
    svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Targets and where your gaze fell' }, ...marks),
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
  if (typeof accuracy_px === 'number') {
    const degrees = typeof accuracy_deg === 'number' ? ` (${accuracy_deg.toFixed(1)}°)` : '';
    rows.push(['Accuracy', `± ${Math.round(accuracy_px)} px${degrees}`]);
  }
  if (typeof precision_px === 'number') rows.push(['Precision', `${Math.round(precision_px)} px`]);
  const used = points.reduce((sum, point) => sum + point.used, 0);
  const discarded = points.reduce((sum, point) => sum + point.discarded, 0);
  if (used + discarded > 0) rows.push(['Samples', `${used} used, ${discarded} left out`]);
  return rows.map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, value)));
}

/** @param {string} reason */
function spoken(reason) {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}
