/** The viewer's eyes: which camera sees them, and their calibration – made, kept, checked. */

import { describe, forgetCalibration, keepCalibration, keptCalibration } from './saved-calibration.js';
import { byId, element } from '../shared/dom.js';
import { sessionProblem } from '../problem-texts.js';
import { say } from '../page-state.js';

/** @typedef {import('../../sdk/camera.js').Camera} Camera */
/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */

/** A kept calibration that misses by more than this many of its own errors is not worth mending. */
const WORTH_MENDING = 3;
const OFFER_AFTER_MS = 4000;
const UNCALIBRATED = 'Twenty seconds of looking at dots make it follow you closely.';

export class EyesDesk {
  #client;
  #camera;
  #isWatching;
  #enabled = false;
  /** @type {AbortController | null} */
  #dialog = null;
  #offer = byId('offer', HTMLElement);
  #offered = false;

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
    byId('one-dot', HTMLButtonElement).addEventListener('click', () => this.#checkOneDot());
    byId('forget-calibration', HTMLButtonElement).addEventListener('click', () => {
      forgetCalibration();
      this.showKept();
    });
    const choice = byId('camera-choice', HTMLSelectElement);
    choice.addEventListener('change', () => this.#useCamera(choice.value));
    camera.addEventListener('change', () => this.#listCameras());
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.#listCameras());
  }

  /** Whether a dialog covers the page. */
  get busy() {
    return this.#dialog !== null;
  }

  /** @param {boolean} enabled there is a session that looks at the camera */
  set enabled(enabled) {
    this.#enabled = enabled;
    byId('calibrate', HTMLButtonElement).disabled = !enabled;
    byId('one-dot', HTMLButtonElement).hidden = !(enabled && this.calibration);
    if (!enabled) this.#offer.hidden = true;
  }

  /** The model that a session should begin with; null for none. */
  get calibration() {
    return byId('use-calibration', HTMLInputElement).checked ? (keptCalibration()?.model ?? null) : null;
  }

  /** Say what is kept from an earlier visit. */
  showKept() {
    const kept = keptCalibration();
    byId('kept-calibration', HTMLElement).hidden = kept === null;
    if (kept) say('kept-text', `Use my calibration of ${describe(kept)}`);
    say('calibration-text', kept ? `Calibrated on ${describe(kept)}.` : UNCALIBRATED);
  }

  closeDialog() {
    this.#dialog?.abort();
  }

  /** Once a visit, after a first look at the film: the dots, or whether the kept ones still hold. */
  offer() {
    if (this.#offered) return;
    this.#offered = true;
    setTimeout(() => this.#showOffer(), OFFER_AFTER_MS);
  }

  #showOffer() {
    if (!this.#enabled || this.busy) return;
    const kept = this.calibration ? keptCalibration() : null;
    const act = element('button', { type: 'button', class: 'primary', 'data-testid': 'offer-take' }, kept ? 'Check with one dot' : 'Calibrate');
    const later = element('button', { type: 'button', class: 'quiet', 'data-testid': 'offer-later' }, 'Not now');
    act.addEventListener('click', () => (kept ? this.#checkOneDot() : this.#calibrate()));
    later.addEventListener('click', () => (this.#offer.hidden = true));
    this.#offer.replaceChildren(
      element('p', {}, kept ? `Your calibration of ${describe(kept)} is on.` : 'The film knows only roughly where you look.'),
      act,
      later,
    );
    this.#offer.hidden = false;
  }

  /**
   * Cover the page with a dialog; the film waits.
   *
   * @template T
   * @param {(place: HTMLElement, signal: AbortSignal) => Promise<T>} show
   * @returns {Promise<T | null>} null where it is impossible
   */
  async #inDialog(show) {
    if (this.#dialog || !this.#enabled) return null;
    this.#offer.hidden = true;
    this.#dialog = new AbortController();
    const wasPaused = this.#client.paused;
    this.#client.pause();
    try {
      return await show(byId('calibration', HTMLElement), this.#dialog.signal);
    } catch (error) {
      const { title, text } = sessionProblem(error);
      say('calibration-text', `${title}. ${text}`);
      return null;
    } finally {
      this.#dialog = null;
      const lost = document.activeElement === null || document.activeElement === document.body;
      if (lost) byId('calibrate', HTMLButtonElement).focus();
      if (!wasPaused && this.#isWatching()) this.#client.play();
    }
  }

  async #calibrate() {
    const result = await this.#inDialog(async (place, signal) => {
      const [{ checkCamera }, { calibrate }] = await Promise.all([import('./camera-check.js'), import('./calibration-dialog.js')]);
      const { stream } = this.#camera;
      const plan = stream && !signal.aborted ? await checkCamera(this.#client, stream, place, signal) : null;
      return plan === null ? null : calibrate(this.#client, place, plan, signal);
    });
    if (!result) return;
    if (result.keep) {
      keepCalibration(result);
      this.showKept();
    }
    const { accuracy_px } = result.quality;
    const accuracy = typeof accuracy_px === 'number' ? `: ± ${Math.round(accuracy_px)} px` : '';
    say('calibration-text', `Calibrated${accuracy}${result.keep ? ', kept on this device' : ''}.`);
    byId('one-dot', HTMLButtonElement).hidden = false;
  }

  async #checkOneDot() {
    const done = await this.#inDialog(async (place, signal) => {
      const { checkOneDot } = await import('./drift-check.js');
      return { found: await checkOneDot(this.#client, place, signal) };
    });
    if (!done) return;
    say('calibration-text', done.found ? missText(done.found.miss_px) : 'Your eyes were not seen. Is your face in the picture?');
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
      say('calibration-text', `That camera did not start (${error instanceof Error ? error.message : error}).`);
      await this.#listCameras();
    }
  }
}

/** @param {number} miss_px */
function missText(miss_px) {
  const { accuracy_px, accuracy_deg } = keptCalibration()?.quality ?? {};
  const degrees = accuracy_px && accuracy_deg ? ` (${((miss_px * accuracy_deg) / accuracy_px).toFixed(1)}°)` : '';
  const off = `It was ${Math.round(miss_px)} px${degrees} off there`;
  const hopeless = accuracy_px && miss_px > WORTH_MENDING * accuracy_px;
  return hopeless ? `${off}, which is much. Better calibrate again.` : `${off}, and has been put right.`;
}
