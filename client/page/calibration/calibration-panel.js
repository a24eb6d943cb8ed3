/** The panel of the viewer's eyes: which camera is used, and the calibration – made, saved, checked. */

import { sessionProblem } from '../problem-texts.js';
import { byId, element, setText } from '../shared/dom.js';
import { describeCalibration, forgetCalibration, saveCalibration, savedCalibration } from './saved-calibration.js';

/** @typedef {import('../../sdk/camera.js').Camera} Camera */
/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */

/** A drift larger than this multiple of the calibration's accuracy is not worth correcting. */
const MAX_DRIFT_RATIO = 3;
const PROMPT_AFTER_MS = 4000;
const UNCALIBRATED = 'With the camera on, look at dots for twenty seconds, and the film follows your eyes closely.';

export class CalibrationPanel {
  #client;
  #camera;
  #isWatching;
  #enabled = false;
  /** @type {AbortController | null} */
  #dialog = null;
  #prompt = byId('calibration-prompt', HTMLElement);
  #wasPrompted = false;
  /** Whether the last gaze sample was calibrated. */
  #calibrated = false;
  /** Why a calibration ended early, until it is offered again. @type {string | null} */
  #interruption = null;

  /**
   * @param {GazeClient} client
   * @param {Camera} camera
   * @param {() => boolean} isWatching whether the film is shown
   */
  constructor(client, camera, isWatching) {
    this.#client = client;
    this.#camera = camera;
    this.#isWatching = isWatching;
    byId('calibrate', HTMLButtonElement).addEventListener('click', () => this.#calibrate());
    byId('drift-check', HTMLButtonElement).addEventListener('click', () => this.#checkDrift());
    byId('forget-calibration', HTMLButtonElement).addEventListener('click', () => {
      forgetCalibration();
      this.showSaved();
    });
    const choice = byId('camera-choice', HTMLSelectElement);
    choice.addEventListener('change', () => this.#useCamera(choice.value));
    camera.addEventListener('change', () => this.#listCameras());
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.#listCameras());
    client.on('gaze', ({ calibrated }) => this.#onCalibrated(calibrated));
  }

  /** Whether a dialog covers the page. */
  get busy() {
    return this.#dialog !== null;
  }

  /** @param {boolean} enabled whether a session uses the camera */
  set enabled(enabled) {
    this.#enabled = enabled;
    byId('calibrate', HTMLButtonElement).disabled = !enabled;
    byId('drift-check', HTMLButtonElement).hidden = !(enabled && this.calibration);
    if (!enabled) {
      this.#prompt.hidden = true;
      this.#calibrated = false;
    }
    this.#offerInterrupted();
  }

  /** The model that a session begins with; null for none. */
  get calibration() {
    return byId('use-calibration', HTMLInputElement).checked ? (savedCalibration()?.model ?? null) : null;
  }

  /** Show what is saved on this device. */
  showSaved() {
    const saved = savedCalibration();
    byId('saved-calibration', HTMLElement).hidden = saved === null;
    if (saved) setText('saved-calibration-text', `Use my calibration of ${describeCalibration(saved)}`);
    setText('calibration-text', saved ? `Calibrated on ${describeCalibration(saved)}.` : UNCALIBRATED);
  }

  closeDialog() {
    this.#dialog?.abort();
  }

  /** Once a visit, a while into the film, offer a calibration, or a drift check of the saved one. */
  schedulePrompt() {
    setTimeout(() => {
      if (this.#wasPrompted || !this.#enabled || this.busy || !this.#prompt.hidden) return;
      this.#wasPrompted = true;
      const saved = this.calibration ? savedCalibration() : null;
      if (saved) {
        const text = `Your calibration of ${describeCalibration(saved)} is in use.`;
        this.#showPrompt(text, 'Check with one dot', () => this.#checkDrift());
      } else {
        this.#showPrompt('The film knows only roughly where you look.', 'Calibrate', () => this.#calibrate());
      }
    }, PROMPT_AFTER_MS);
  }

  /** Offer to repeat a calibration that ended early, once there is a session for it. */
  #offerInterrupted() {
    if (this.#interruption === null || !this.#enabled || this.busy) return;
    this.#offerAgain(this.#interruption);
    this.#interruption = null;
  }

  /** @param {string} reason why the calibration was lost or ended early */
  #offerAgain(reason) {
    this.#showPrompt(reason, 'Calibrate again', () => this.#calibrate());
  }

  /**
   * @param {string} text
   * @param {string} label of the button
   * @param {() => unknown} action of the button
   */
  #showPrompt(text, label, action) {
    const accept = element('button', { type: 'button', class: 'primary', 'data-testid': 'calibration-prompt-accept' }, label);
    const dismiss = element('button', { type: 'button', class: 'quiet', 'data-testid': 'calibration-prompt-dismiss' }, 'Not now');
    accept.addEventListener('click', action);
    dismiss.addEventListener('click', () => (this.#prompt.hidden = true));
    this.#prompt.replaceChildren(element('p', {}, text), accept, dismiss);
    this.#prompt.hidden = false;
  }

  /** A session loses its calibration where the server's gaze tracker was lost. @param {boolean} calibrated */
  #onCalibrated(calibrated) {
    const wasLost = this.#calibrated && !calibrated;
    this.#calibrated = calibrated;
    if (!wasLost || !this.#enabled || this.busy) return;
    setText('calibration-text', 'The server has lost your calibration.');
    this.#offerAgain('The server has lost your calibration.');
  }

  /**
   * Cover the page with a dialog; the film is paused.
   *
   * @template T
   * @param {(container: HTMLElement, signal: AbortSignal) => Promise<T>} show
   * @returns {Promise<T | null>} null where it is impossible
   */
  async #inDialog(show) {
    if (this.#dialog || !this.#enabled) return null;
    this.#prompt.hidden = true;
    this.#dialog = new AbortController();
    const wasPaused = this.#client.paused;
    this.#client.pause();
    try {
      return await show(byId('calibration', HTMLElement), this.#dialog.signal);
    } catch (error) {
      const { title, text } = sessionProblem(error);
      setText('calibration-text', `${title}. ${text}`);
      this.#interruption = `The calibration was interrupted: ${title.charAt(0).toLowerCase()}${title.slice(1)}.`;
      return null;
    } finally {
      this.#dialog = null;
      const isFocusLost = document.activeElement === null || document.activeElement === document.body;
      if (isFocusLost) byId('calibrate', HTMLButtonElement).focus();
      if (!wasPaused && this.#isWatching()) this.#client.play();
      this.#offerInterrupted();
    }
  }

  async #calibrate() {
    const result = await this.#inDialog(async (container, signal) => {
      const [{ checkCamera }, { calibrate }] = await Promise.all([
        import('./camera-check.js'),
        import('./calibration-run.js'),
      ]);
      const { stream } = this.#camera;
      const plan = stream && !signal.aborted ? await checkCamera(this.#client, stream, container, signal) : null;
      return plan === null ? null : calibrate(this.#client, container, plan, signal);
    });
    if (!result) return;
    if (result.save) {
      saveCalibration(result);
      this.showSaved();
    }
    const { accuracy_px } = result.quality;
    const accuracy = typeof accuracy_px === 'number' ? `: ± ${Math.round(accuracy_px)} px` : '';
    setText('calibration-text', `Calibrated${accuracy}${result.save ? ', saved on this device' : ''}.`);
    byId('drift-check', HTMLButtonElement).hidden = false;
  }

  async #checkDrift() {
    const done = await this.#inDialog(async (container, signal) => {
      const { checkDrift } = await import('./drift-check.js');
      return { drift: await checkDrift(this.#client, container, signal) };
    });
    if (!done) return;
    setText('calibration-text', done.drift ? driftText(done.drift.offset_px) : 'Your eyes were not seen. Is your face in the camera picture?');
  }

  async #listCameras() {
    const cameras = this.#camera.track ? await this.#camera.list() : [];
    const choice = byId('camera-choice', HTMLSelectElement);
    byId('camera-row', HTMLElement).hidden = cameras.length < 2;
    const current = this.#camera.track?.getSettings().deviceId;
    choice.replaceChildren(
      ...cameras.map(({ deviceId, label }, number) =>
        element('option', { value: deviceId, selected: deviceId === current }, label || `Camera ${number + 1}`),
      ),
    );
  }

  /** @param {string} deviceId */
  async #useCamera(deviceId) {
    try {
      await this.#camera.open(deviceId);
      if (this.#camera.track) await this.#client.setCamera(this.#camera.track);
    } catch (error) {
      setText('calibration-text', `That camera did not start (${error instanceof Error ? error.message : error}).`);
      await this.#listCameras();
    }
  }
}

/** @param {number} offset_px */
function driftText(offset_px) {
  const { accuracy_px, accuracy_deg } = savedCalibration()?.quality ?? {};
  const degrees = accuracy_px && accuracy_deg ? ` (${((offset_px * accuracy_deg) / accuracy_px).toFixed(1)}°)` : '';
  const offset = `The offset was ${Math.round(offset_px)} px${degrees}`;
  const isTooLarge = accuracy_px && offset_px > MAX_DRIFT_RATIO * accuracy_px;
  return isTooLarge ? `${offset}, which is large. Please calibrate again.` : `${offset} and has been corrected.`;
}
