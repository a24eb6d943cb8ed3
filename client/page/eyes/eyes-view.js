/** The view of the eyes while watching: live plots, images of the eyes, delays and frame counts. */

import { byId } from '../shared/dom.js';
import { EyeImages } from './eye-images.js';
import { SignalPlots } from './signal-plots.js';
import { StatsPanel } from './stats-panel.js';

/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */

export class EyesView {
  #panel = byId('eyes-panel', HTMLElement);
  #plots = new SignalPlots(byId('plots', HTMLElement));
  #eyeImages = new EyeImages(byId('eye-images', HTMLElement));
  #stats;
  /** @type {(() => void)[]} */
  #listeners = [];
  #client;

  /** @param {GazeClient} client */
  constructor(client) {
    this.#client = client;
    this.#stats = new StatsPanel(byId('stats-panel', HTMLElement), client);
  }

  /** @param {MediaStream | null} camera null with the mouse */
  async open(camera) {
    if (this.#listeners.length > 0) return;
    this.#panel.hidden = false;
    this.#listeners = [
      this.#client.on('gaze', (gaze) => this.#plots.add(gaze)),
      this.#client.on('stats', (stats) => {
        this.#eyeImages.eyes = stats.eyes;
        this.#stats.show(stats);
      }),
    ];
    this.#eyeImages.open(camera);
    await this.#plots.open();
  }

  close() {
    this.#listeners.forEach((removeListener) => removeListener());
    this.#listeners = [];
    this.#plots.close();
    this.#eyeImages.close();
    this.#panel.hidden = true;
  }
}
