/** The view of the eyes and the summary: each is loaded when it is first opened. */

import { byId } from './shared/dom.js';

/** @typedef {import('../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('./summary/gaze-recording.js').GazeRecording} GazeRecording */

export class LazyViews {
  #client;
  /** @type {import('./eyes/eyes-view.js').EyesView | null} */
  #eyes = null;
  /** @type {import('./summary/summary-view.js').SummaryView | null} */
  #summary = null;
  /** @type {ImageBitmap | null} */
  #still = null;

  /** @param {GazeClient} client */
  constructor(client) {
    this.#client = client;
  }

  /** @param {boolean} shown @param {MediaStream | null} camera the local one, if it is on */
  async showEyes(shown, camera) {
    byId('eyes-toggle', HTMLButtonElement).setAttribute('aria-pressed', String(shown));
    if (!shown) return this.#eyes?.close();
    if (!this.#eyes) {
      const { EyesView } = await import('./eyes/eyes-view.js');
      this.#eyes ??= new EyesView(this.#client);
    }
    await this.#eyes.open(camera);
  }

  /**
   * Take a picture of the film without effects for the summary.
   *
   * @param {HTMLVideoElement | null} local the film, where this page sends it
   * @param {string | null} url of a hosted film's still
   */
  async takeStill(local, url) {
    this.#still = null;
    try {
      if (local) this.#still = await createImageBitmap(local);
      else if (url !== null) this.#still = await createImageBitmap(await (await fetch(url)).blob());
    } catch {
      // Without a picture the summary is drawn on a plain background.
    }
  }

  /** @param {GazeRecording} recording @param {() => void} onAgain @param {() => void} onDone */
  async showSummary(recording, onAgain, onDone) {
    const { SummaryView } = await import('./summary/summary-view.js');
    this.#summary ??= new SummaryView(onAgain, onDone);
    this.#summary.open(recording, this.#still);
  }

  closeSummary() {
    this.#summary?.close();
  }
}
