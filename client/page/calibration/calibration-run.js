/**
 * The course of a calibration: fixed targets or a moving one, four more for validation, and the
 * result. The server decides on each target (`calibration` events), and the page then shows the
 * next one.
 */

import { GazeError } from '../../gaze-client.js';
import { errorSentence } from '../../sdk/gaze-error.js';
import { CalibrationDialog } from './calibration-dialog.js';
import { failurePanel, pursuitFailure, resultPanel } from './calibration-result.js';
import { PURSUIT_S, TARGETS, VALIDATION_TARGETS, pursuitPosition } from './calibration-targets.js';

/** @typedef {import('./calibration-targets.js').PlanName} PlanName */
/** @typedef {import('./calibration-result.js').ResultChoice} ResultChoice */
/** @typedef {import('./calibration-result.js').FailureChoice} FailureChoice */
/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../../gaze-client.js').CalibrationEvent} CalibrationEvent */
/** @typedef {import('../../gaze-client.js').CalibrationQuality} CalibrationQuality */
/** @typedef {import('../../sdk/layout.js').Point} Point */

/**
 * @typedef {object} CalibrationResult
 * @property {object} model
 * @property {CalibrationQuality} quality
 * @property {Point} screen its width and height, px
 * @property {boolean} save whether to save it on this device
 */
/** @typedef {{ fitted: CalibrationEvent, validated: CalibrationEvent | null }} Outcome */

const ATTEMPTS = 2;
const RESPONSE_TIMEOUT_MS = 10_000;
const LAYOUT_SETTLES_MS = 400;
const GET_READY_MS = 1200;
/** A moving target counts in the progress as so many fixed ones. */
const PURSUIT_STEPS = TARGETS[9].length;

class Cancelled extends Error {}

/**
 * Calibrate in a dialog. The viewer can cancel it with Escape at any time; where it fails, the
 * dialog says why and offers to start again.
 *
 * @param {GazeClient} client
 * @param {HTMLElement} container of the dialog
 * @param {PlanName} plan
 * @param {AbortSignal} signal cancels it
 * @returns {Promise<CalibrationResult | null>} null where it was cancelled
 * @throws {GazeError} as a rejection: the connection was lost
 */
export async function calibrate(client, container, plan, signal) {
  const run = new CalibrationRun(client, container, plan);
  signal.addEventListener('abort', () => run.dismiss(), { once: true });
  try {
    return await run.result();
  } catch (error) {
    if (error instanceof Cancelled) return null;
    throw error;
  } finally {
    await run.end();
  }
}

class CalibrationRun {
  #client;
  #plan;
  #dialog;
  #stopping = new AbortController();
  /** @type {(() => void)[]} */
  #listenerRemovers = [];
  /** Events that `#next` has not read yet. @type {CalibrationEvent[]} */
  #events = [];
  #wake = () => {};
  /** @type {GazeError | null} */
  #failure = null;
  /** Whether a calibration was started that is to be cancelled on the server. */
  #active = false;
  /** Whether the server has begun it: `cancelled` events from then on concern this calibration. */
  #begun = false;
  /** Whether the server collects samples of a target, as far as is known here. */
  #collecting = false;
  /** Whether the viewer has skipped the target. */
  #skipped = false;
  /** Whether a target was repeated and its new beginning is awaited; earlier events are outdated. */
  #repeating = false;
  /** Gaze samples while the target moves, and those of them with open eyes. */
  #samples = 0;
  #openSamples = 0;

  /**
   * @param {GazeClient} client
   * @param {HTMLElement} container
   * @param {PlanName} plan
   */
  constructor(client, container, plan) {
    this.#client = client;
    this.#plan = plan;
    this.#dialog = new CalibrationDialog(container, {
      skip: () => this.#skip(),
      repeat: () => this.#repeat(),
      cancel: () => this.#stopping.abort(new Cancelled()),
    });
  }

  dismiss() {
    this.#dialog.dismiss();
  }

  /** @returns {Promise<CalibrationResult>} */
  async result() {
    await this.#dialog.open();
    this.#listen();
    await this.#wait(LAYOUT_SETTLES_MS);
    for (;;) {
      const { fitted, validated } = await this.#collectUntilFitted();
      const { points = [], model, quality } = validated ?? fitted;
      const choice = await this.#dialog.choose(
        (/** @type {(choice: ResultChoice) => void} */ choose) => resultPanel(points, quality, choose),
        'use',
      );
      if (choice === 'again' || !model || !quality) continue;
      return { model, quality, screen: [screen.width, screen.height], save: choice === 'save' };
    }
  }

  async end() {
    this.#stopping.abort();
    for (const remove of this.#listenerRemovers) remove();
    if (this.#active) this.#client.calibrate('cancel');
    await this.#dialog.close();
  }

  #listen() {
    this.#listenerRemovers = [
      this.#client.on('calibration', (event) => this.#onCalibration(event)),
      this.#client.on('gaze', ({ event }) => {
        this.#samples += 1;
        if (event !== 'lost' && event !== 'blink') this.#openSamples += 1;
      }),
      this.#client.on('state', ({ state }) => {
        if (state !== 'connected') this.#fail(new GazeError({ title: 'Connection lost' }));
      }),
    ];
  }

  /** @returns {Promise<Outcome>} */
  async #collectUntilFitted() {
    for (;;) {
      try {
        return await this.#collect();
      } catch (error) {
        if (!(error instanceof GazeError) || this.#client.state !== 'connected') throw error;
        const choice = await this.#showFailure(error);
        if (choice === 'leave') throw new Cancelled();
        if (choice === 'dots') this.#plan = '9';
      }
    }
  }

  /** @param {GazeError} error @returns {Promise<FailureChoice>} */
  #showFailure(error) {
    if (this.#active) this.#client.calibrate('cancel').catch(() => {});
    this.#active = this.#begun = this.#collecting = false;
    this.#failure = null;
    this.#dialog.targetMoves = false;
    const offerDots = this.#plan === 'pursuit';
    return this.#dialog.choose(
      (/** @type {(choice: FailureChoice) => void} */ choose) => failurePanel(error, offerDots, choose),
      'leave',
    );
  }

  /** @returns {Promise<Outcome>} */
  async #collect() {
    const targets = this.#plan === 'pursuit' ? null : TARGETS[this.#plan];
    const steps = (targets?.length ?? PURSUIT_STEPS) + VALIDATION_TARGETS.length;
    await this.#start(targets?.[0] ?? pursuitPosition(0));
    let step = 0;
    if (!targets) {
      await this.#pursue(PURSUIT_STEPS / steps);
      step = PURSUIT_STEPS;
    }
    for (const target of targets ?? []) {
      await this.#collectTarget('point', target);
      this.#dialog.progress = ++step / steps;
    }
    const fitted = await this.#fit();
    this.#dialog.hint = 'Four more dots, to measure the accuracy.';
    let accepted = 0;
    for (const target of VALIDATION_TARGETS) {
      if (await this.#collectTarget('validate', target)) accepted += 1;
      this.#dialog.progress = ++step / steps;
    }
    this.#events = [];
    this.#send('finish');
    const validated = accepted > 0 ? await this.#next(['validated']) : null;
    this.#active = this.#begun = false;
    return { fitted, validated };
  }

  /** @param {Point} target the first one, shown so that the viewer finds it */
  async #start(target) {
    this.#dialog.hint = this.#plan === 'pursuit' ? 'Follow the dot with your eyes.' : 'Look at each dot until it closes.';
    this.#dialog.progress = 0;
    this.#events = [];
    this.#repeating = false;
    this.#active = true;
    this.#send('start');
    await this.#next(['collecting']);
    this.#begun = true;
    this.#dialog.moveTarget(target);
    await this.#wait(GET_READY_MS);
  }

  /** @returns {Promise<CalibrationEvent>} */
  async #fit() {
    this.#events = [];
    this.#send('finish');
    const fitted = await this.#next(['fitted', 'rejected']);
    if (fitted.state === 'fitted') return fitted;
    if (this.#plan === 'pursuit') {
      throw new GazeError(pursuitFailure(this.#samples / PURSUIT_S, this.#openSamples / PURSUIT_S, fitted.reason));
    }
    throw new GazeError({ title: 'Too few dots worked', detail: fitted.reason ?? 'Try again with more light on your face.' });
  }

  /**
   * Move the target along its path, and report its position to the server with every frame.
   *
   * @param {number} progress of the whole calibration at the end of the path, 0..1
   */
  async #pursue(progress) {
    this.#dialog.targetMoves = true;
    this.#samples = this.#openSamples = 0;
    const start_ms = performance.now();
    for (let fraction = 0; fraction < 1; fraction = (performance.now() - start_ms) / (1000 * PURSUIT_S)) {
      if (this.#failure) throw this.#failure;
      const target = pursuitPosition(fraction);
      this.#dialog.moveTarget(target);
      this.#client.follow(this.#onScreen(target));
      this.#dialog.progress = fraction * progress;
      await this.#unlessStopped(new Promise((resolve) => requestAnimationFrame(resolve)));
    }
    this.#dialog.targetMoves = false;
  }

  /**
   * Show one target until the server has enough samples; one that is rejected is repeated once.
   *
   * @param {'point' | 'validate'} action
   * @param {Point} target
   * @returns {Promise<boolean>} whether it was accepted
   */
  async #collectTarget(action, target) {
    this.#dialog.moveTarget(target);
    this.#skipped = false;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      this.#events = [];
      if (attempt === 1) this.#send(action, this.#onScreen(target));
      else this.#send('repeat');
      this.#collecting = true;
      const { state, reason } = await this.#next(['accepted', 'rejected']);
      this.#collecting = false;
      if (state === 'accepted') {
        this.#dialog.hint = '';
        return true;
      }
      this.#dialog.targetProgress = 0;
      if (this.#skipped) return false;
      this.#dialog.hint = reason ? errorSentence({ message: reason }) : 'Once more, please.';
    }
    return false;
  }

  /** The server refuses it where the target has just ended, which the page may not know yet. */
  #skip() {
    if (!this.#collecting) return;
    this.#collecting = false;
    this.#skipped = true;
    this.#client.calibrate('skip').catch(() => {});
  }

  /** Collect the samples of the current target again. */
  #repeat() {
    if (!this.#collecting) return;
    this.#dialog.targetProgress = 0;
    this.#repeating = true;
    this.#send('repeat');
  }

  /**
   * Send an action without which the calibration fails.
   *
   * @param {import('../../gaze-client.js').CalibrationAction} action
   * @param {Point} [target] screen px
   */
  #send(action, target) {
    this.#client.calibrate(action, target).catch((error) => this.#fail(error));
  }

  /** @param {Point} target fractions of the viewport @returns {Point} screen px */
  #onScreen([x, y]) {
    return this.#client.toScreen([x * innerWidth, y * innerHeight]);
  }

  /** @param {CalibrationEvent} event */
  #onCalibration(event) {
    if (event.state === 'cancelled') return this.#onCancelled(event);
    if (event.state === 'collecting' && event.progress === 0) this.#repeating = false;
    if (this.#repeating) return;
    if (event.state === 'collecting') this.#dialog.targetProgress = event.progress;
    this.#events.push(event);
    this.#wake();
  }

  /** The server gave up: its gaze tracker was lost, say. @param {CalibrationEvent} event */
  #onCancelled({ reason }) {
    if (!this.#begun) return; // responds to the cancel of an earlier attempt
    this.#fail(
      new GazeError({
        title: 'The calibration was interrupted',
        detail: errorSentence({ message: reason ?? 'the server has cancelled it' }),
      }),
    );
    this.#active = false;
  }

  /** @param {GazeError} error ends the calibration, where it is the first one */
  #fail(error) {
    if (!this.#active) return;
    this.#failure ??= error;
    this.#wake();
  }

  /**
   * Wait for an event in one of these states; others before it are skipped.
   *
   * @param {CalibrationEvent['state'][]} states
   * @returns {Promise<CalibrationEvent>}
   * @throws {GazeError} as a rejection: the calibration has failed, or no event comes
   */
  async #next(states) {
    const deadline_ms = performance.now() + RESPONSE_TIMEOUT_MS;
    for (;;) {
      while (this.#events.length > 0) {
        const event = /** @type {CalibrationEvent} */ (this.#events.shift());
        if (states.includes(event.state)) return event;
      }
      if (this.#failure) throw this.#failure;
      if (performance.now() > deadline_ms) {
        throw new GazeError({
          title: 'No camera picture arrives',
          detail: 'The server receives nothing from the camera. Check that it is not covered or in use elsewhere.',
        });
      }
      const woken = new Promise((/** @type {(value?: unknown) => void} */ resolve) => (this.#wake = resolve));
      await this.#unlessStopped(Promise.race([woken, new Promise((resolve) => setTimeout(resolve, 1000))]));
    }
  }

  /** @param {number} duration_ms */
  async #wait(duration_ms) {
    await this.#unlessStopped(new Promise((resolve) => setTimeout(resolve, duration_ms)));
  }

  /**
   * Wait for a promise, unless the viewer cancels before.
   *
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  #unlessStopped(promise) {
    const { signal } = this.#stopping;
    return new Promise((resolve, reject) => {
      const cancel = () => reject(signal.reason);
      if (signal.aborted) cancel();
      signal.addEventListener('abort', cancel, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel));
    });
  }
}
