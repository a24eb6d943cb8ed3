/** The views that look at the eyes, live or afterwards; each is loaded when it is first wanted. */

import { byId } from './shared/dom.js';

/** @typedef {import('../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('./summary/gaze-recording.js').Recording} Recording */

export class Lookers {
  #client;
  /** @type {import('./eyes/eyes-view.js').EyesView | null} */
  #eyes = null;
  /** @type {import('./summary/summary-view.js').Summary | null} */
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
   * Keep a picture of the film for the summary.
   *
   * @param {HTMLVideoElement | null} own the film, where it is the viewer's own
   * @param {string | null} url of a hosted film's still
   */
  async takeStill(own, url) {
    this.#still = null;
    try {
      if (own) this.#still = await createImageBitmap(own);
      else if (url !== null) this.#still = await createImageBitmap(await (await fetch(url)).blob());
    } catch {
      // A film that gives no picture: the summary is drawn on a plain ground.
    }
  }

  /** @param {Recording} recording @param {() => void} onAgain @param {() => void} onDone */
  async showSummary(recording, onAgain, onDone) {
    const { Summary } = await import('./summary/summary-view.js');
    this.#summary ??= new Summary(onAgain, onDone);
    this.#summary.open(recording, this.#still);
  }

  closeSummary() {
    this.#summary?.close();
  }
}
