/**
 * Calibration in full screen: dots to look at or one to follow, four more to see how well it went,
 * and a picture of the result. The server judges each dot (`calibration` events) and the page moves
 * on. Everything can be done by keyboard, mouse or finger.
 */

import { FOLLOW_S, PLACES, VALIDATION_PLACES, placeOnPath } from './calibration-targets.js';
import { failurePanel, followFailure, resultPanel } from './calibration-result.js';
import { element } from '../shared/dom.js';
import { GazeError } from '../../gaze-client.js';
import { cover } from '../shared/modal.js';

/** @typedef {import('./calibration-targets.js').PlanName} PlanName */
/** @typedef {import('./calibration-result.js').Decision} Decision */
/** @typedef {import('./calibration-result.js').Next} Next */
/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../../gaze-client.js').CalibrationEvent} CalibrationEvent */
/** @typedef {import('../../gaze-client.js').CalibrationQuality} CalibrationQuality */
/** @typedef {import('../../sdk/layout.js').Point} Point */

/**
 * @typedef {object} CalibrationResult
 * @property {object} model
 * @property {CalibrationQuality} quality
 * @property {Point} screen its width and height
 * @property {boolean} keep for the next visit
 */

const TRIES = 2;
const ANSWER_TIMEOUT_MS = 10_000;
const LAYOUT_SETTLES_MS = 400;
const GET_READY_MS = 1200;

class Cancelled extends Error {}

/**
 * Calibrate; the viewer may leave with Escape at any time.
 *
 * @param {GazeClient} client
 * @param {HTMLElement} place covers the page, and is empty and hidden otherwise
 * @param {PlanName} plan
 * @param {AbortSignal} signal cancels it
 * @returns {Promise<CalibrationResult | null>} null where it was cancelled
 */
export async function calibrate(client, place, plan, signal) {
  const run = new Run(client, place, plan);
  signal.addEventListener('abort', () => run.cancel(), { once: true });
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
  #hint = element('p', { class: 'hint', 'aria-live': 'polite' });
  #progress = element('progress', { max: 1, value: 0, 'aria-label': 'Progress' });
  /** @type {CalibrationEvent[]} */
  #unread = [];
  /** @type {(() => void) | null} */
  #wake = null;
  /** @type {GazeError | null} */
  #refusal = null;
  #active = false;
  /** Whether the server collects a dot at this moment, as far as is known here. */
  #collecting = false;
  /** Whether the viewer has skipped the dot. */
  #skipped = false;
  /** Whether the dot's new beginning is still to be heard of, and all before it is past. */
  #repeating = false;
  /** What Escape decides while a panel asks. @type {(() => void) | null} */
  #escape = null;
  /** Samples of the gaze while a dot moves, and those of them with open eyes. */
  #seen = 0;
  #sawOpen = 0;
  #plan;
  #uncover = () => {};

  /**
   * @param {GazeClient} client
   * @param {HTMLElement} place
   * @param {PlanName} plan
   */
  constructor(client, place, plan) {
    this.#plan = plan;
    this.#client = client;
    this.#place = place;
  }

  /** @returns {Promise<CalibrationResult>} */
  async go() {
    await this.#open();
    for (;;) {
      const { fitted, checked } = await this.#collectOrExplain();
      const decision = await this.#showResult(fitted, checked);
      const { model, quality } = checked ?? fitted;
      if (decision === 'again' || !model || !quality) continue;
      return { model, quality, screen: [screen.width, screen.height], keep: decision === 'keep' };
    }
  }

  async end() {
    this.#stopping.abort();
    if (this.#active) this.#client.calibrate('cancel');
    if (document.fullscreenElement === this.#place) await document.exitFullscreen().catch(() => {});
    this.#uncover();
  }

  async #open() {
    const { signal } = this.#stopping;
    /** @param {string} text @param {string} id @param {string} key @param {() => void} action */
    const button = (text, id, key, action) => {
      const made = element(
        'button',
        { type: 'button', class: 'quiet', 'aria-keyshortcuts': key, 'data-testid': `calibration-${id}` },
        text,
        element('kbd', {}, key === 'Escape' ? 'Esc' : key),
      );
      made.addEventListener('click', action);
      return made;
    };
    const steps = element(
      'div',
      { class: 'steps' },
      button('Skip', 'skip', 'S', () => this.#skip()),
      button('Repeat', 'repeat', 'R', () => this.#repeat()),
      button('Cancel', 'cancel', 'Escape', () => this.cancel()),
    );
    this.#uncover = cover(this.#place, this.#dot, element('div', { class: 'guide' }, this.#hint, this.#progress, steps));
    await this.#place.requestFullscreen?.().catch(() => {});
    const entered = document.fullscreenElement === this.#place;
    document.addEventListener(
      'keydown',
      (event) => this.#onKey(event),
      { signal },
    );
    document.addEventListener(
      'fullscreenchange',
      () => entered && !document.fullscreenElement && this.cancel(),
      { signal },
    );
    const stops = [
      this.#client.on('calibration', (event) => this.#hear(event)),
      this.#client.on('gaze', ({ event }) => {
        this.#seen += 1;
        if (event !== 'lost' && event !== 'blink') this.#sawOpen += 1;
      }),
      this.#client.on('state', ({ state }) => {
        if (state !== 'connected') this.#refuse(new GazeError({ title: 'Connection lost' }));
      }),
    ];
    signal.addEventListener('abort', () => stops.forEach((stop) => stop()));
    await this.#wait(LAYOUT_SETTLES_MS);
  }

  /** @returns {Promise<{ fitted: CalibrationEvent, checked: CalibrationEvent | null }>} */
  async #collectOrExplain() {
    for (;;) {
      try {
        return await this.#collect();
      } catch (error) {
        if (!(error instanceof GazeError) || this.#client.state !== 'connected') throw error;
        const next = await this.#explain(error);
        if (next === 'leave') throw new Cancelled();
        if (next === 'dots') this.#plan = '9';
      }
    }
  }

  /** @returns {Promise<{ fitted: CalibrationEvent, checked: CalibrationEvent | null }>} */
  async #collect() {
    const follows = this.#plan === 'follow';
    this.#guide(follows ? 'Follow the dot with your eyes.' : 'Look at each dot until it closes.');
    this.#progress.value = 0;
    this.#unread = [];
    this.#repeating = false;
    this.#active = true;
    this.#tell('start');
    await this.#next(['collecting']);
    const places = this.#plan === 'follow' ? [] : PLACES[this.#plan];
    this.#showDot(places[0] ?? placeOnPath(0));
    await this.#wait(GET_READY_MS);
    const steps = (follows ? PLACES[9].length : places.length) + VALIDATION_PLACES.length;
    let step = 0;
    if (follows) step = await this.#follow(steps);
    for (const place of places) {
      await this.#collectPoint('point', place);
      this.#progress.value = ++step / steps;
    }
    this.#unread = [];
    this.#tell('finish');
    const fitted = await this.#next(['fitted', 'rejected']);
    if (fitted.state === 'rejected') {
      if (follows) throw new GazeError(followFailure(this.#seen / FOLLOW_S, this.#sawOpen / FOLLOW_S, fitted.reason));
      throw new GazeError({ title: 'Too few dots worked', detail: fitted.reason ?? 'Try it with more light on your face.' });
    }
    this.#guide('Four more, to see how well it went.');
    let checks = 0;
    for (const place of VALIDATION_PLACES) {
      if (await this.#collectPoint('validate', place)) checks += 1;
      this.#progress.value = ++step / steps;
    }
    this.#unread = [];
    this.#tell('finish');
    const checked = checks > 0 ? await this.#next(['validated']) : null;
    this.#active = false;
    return { fitted, checked };
  }

  /**
   * Move the dot along its way, and tell the server where it is with every frame.
   *
   * @param {number} steps of the whole calibration
   * @returns {Promise<number>} how many of them this was
   */
  async #follow(steps) {
    this.#dot.classList.add('moving');
    this.#seen = this.#sawOpen = 0;
    const began_ms = performance.now();
    for (let share = 0; share < 1; share = (performance.now() - began_ms) / (1000 * FOLLOW_S)) {
      const place = placeOnPath(share);
      this.#showDot(place);
      this.#client.follow(this.#onScreen(place));
      this.#progress.value = (share * PLACES[9].length) / steps;
      await this.#or(new Promise((resolve) => requestAnimationFrame(resolve)));
    }
    this.#dot.classList.remove('moving');
    return PLACES[9].length;
  }

  /** @param {Point} place @returns {Point} */
  #onScreen([x, y]) {
    return this.#client.toScreen([x * innerWidth, y * innerHeight]);
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
    this.#skipped = false;
    for (let tried = 1; tried <= TRIES; tried += 1) {
      this.#unread = [];
      if (tried === 1) {
        this.#tell(action, this.#onScreen(place));
      } else {
        this.#tell('repeat');
      }
      this.#collecting = true;
      const answer = await this.#next(['accepted', 'rejected']);
      this.#collecting = false;
      if (answer.state === 'accepted') {
        this.#guide('');
        return true;
      }
      this.#dot.style.setProperty('--progress', '0');
      if (this.#skipped) return false;
      this.#guide(answer.reason ? spoken(answer.reason) : 'Once more, please.');
    }
    return false;
  }

  /**
   * The result, until the viewer says what to do with it.
   *
   * @param {CalibrationEvent} fitted
   * @param {CalibrationEvent | null} checked
   * @returns {Promise<Decision>}
   */
  async #showResult(fitted, checked) {
    const { points = [], quality } = checked ?? fitted;
    return this.#ask((/** @type {(decision: Decision) => void} */ decide) => resultPanel(points, quality, decide), 'use');
  }

  /** @param {GazeError} error @returns {Promise<Next>} */
  async #explain(error) {
    this.#client.calibrate('cancel').catch(() => {});
    this.#active = this.#collecting = false;
    this.#refusal = null;
    const moving = this.#plan === 'follow';
    return this.#ask((/** @type {(next: Next) => void} */ decide) => failurePanel(error, moving, decide), 'leave');
  }

  /**
   * Show a panel until the viewer has decided.
   *
   * @template T
   * @param {(decide: (decision: T) => void) => HTMLElement} panelFor
   * @param {T} onEscape
   * @returns {Promise<T>}
   */
  async #ask(panelFor, onEscape) {
    const stage = [...this.#place.children];
    const decision = new Promise((/** @type {(decision: T) => void} */ resolve) => {
      this.#escape = () => resolve(onEscape);
      this.#place.replaceChildren(panelFor(resolve));
    });
    this.#place.querySelector('button')?.focus();
    const decided = await decision;
    this.#escape = null;
    this.#place.replaceChildren(...stage);
    return decided;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const actions = { escape: () => this.cancel(), s: () => this.#skip(), r: () => this.#repeat() };
    const action = /** @type {Record<string, () => void>} */ (actions)[event.key.toLowerCase()];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  /** Where the dot is done already, as the page may not know yet, this is refused, and past too. */
  #skip() {
    if (!this.#collecting) return;
    this.#collecting = false;
    this.#skipped = true;
    this.#client.calibrate('skip').catch(() => {});
  }

  /** Begin the dot that is on the screen anew. */
  #repeat() {
    if (!this.#collecting) return;
    this.#dot.style.setProperty('--progress', '0');
    this.#repeating = true;
    this.#tell('repeat');
  }

  /**
   * A step without which the calibration cannot go on.
   *
   * @param {import('../../gaze-client.js').CalibrationAction} action
   * @param {Point} [target]
   */
  #tell(action, target) {
    this.#client.calibrate(action, target).catch((error) => this.#refuse(error));
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

  cancel() {
    if (this.#escape) this.#escape();
    else this.#stopping.abort(new Cancelled());
  }

  /** @param {CalibrationEvent} event */
  #hear(event) {
    if (event.state === 'collecting' && event.progress === 0) this.#repeating = false;
    if (this.#repeating) return;
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

/** @param {string} reason */
function spoken(reason) {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}
