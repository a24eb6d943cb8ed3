/** Seeing the eyes while watching: live plots, the eyes enlarged, and every stage's figures. */

import { byId } from '../shared/dom.js';
import { EyeCrops } from './eye-images.js';
import { Plots } from './signal-plots.js';
import { StatsPanel } from './stats-panel.js';

/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */

export class EyesView {
  #panel = byId('eyes-panel', HTMLElement);
  #plots = new Plots(byId('plots', HTMLElement));
  #crops = new EyeCrops(byId('crops', HTMLElement));
  #stats;
  /** @type {(() => void)[]} */
  #stops = [];
  #client;

  /** @param {GazeClient} client */
  constructor(client) {
    this.#client = client;
    this.#stats = new StatsPanel(byId('stats-panel', HTMLElement), client);
  }

  /** @param {MediaStream | null} camera the local one, if it is on */
  async open(camera) {
    if (this.#stops.length > 0) return;
    this.#panel.hidden = false;
    this.#stops = [
      this.#client.on('gaze', (gaze) => this.#plots.add(gaze)),
      this.#client.on('stats', (stats) => {
        this.#crops.eyes = stats.eyes;
        this.#stats.show(stats);
      }),
    ];
    this.#crops.open(camera);
    await this.#plots.open();
  }

  close() {
    this.#stops.forEach((stop) => stop());
    this.#stops = [];
    this.#plots.close();
    this.#crops.close();
    this.#panel.hidden = true;
  }
}
