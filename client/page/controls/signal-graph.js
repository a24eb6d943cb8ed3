/** The last seconds of a signal of the eyes beside the range that a parameter takes from it. */

import { element } from '../shared/dom.js';
import { SIGNALS } from './gaze-signals.js';

/** @typedef {import('../../gaze-client.js').Binding} Binding */
/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */

const SHOWN_S = 8;
const DRAW_INTERVAL_S = 0.1;
const WIDTH_PX = 320;
const HEIGHT_PX = 56;
/** Room above and below the binding's range, as a share of it. */
const MARGIN = 0.25;

export class SignalGraph {
  node;
  #canvas;
  #text;
  #binding;
  #say;
  /** @type {[t_s: number, value: number | null][]} */
  #history = [];
  #drawn_s = -Infinity;

  /**
   * @param {Required<Binding>} binding read anew at every drawing
   * @param {(value: number) => string} say the parameter's value in words
   */
  constructor(binding, say) {
    this.#binding = binding;
    this.#say = say;
    this.#canvas = element('canvas', { width: WIDTH_PX, height: HEIGHT_PX, 'aria-hidden': 'true' });
    this.#text = element('figcaption', { class: 'small' }, 'No signal yet.');
    this.node = element('figure', { class: 'signal-graph' }, this.#canvas, this.#text);
  }

  /** @param {GazeEvent} gaze */
  add(gaze) {
    const signal = SIGNALS[this.#binding.follow];
    if (!signal?.read) {
      this.#text.textContent = 'Only the server knows this signal.';
      return;
    }
    const value = signal.read(gaze) ?? null;
    this.#history.push([gaze.t, value]);
    while (this.#history[0] && this.#history[0][0] < gaze.t - SHOWN_S) this.#history.shift();
    if (gaze.t - this.#drawn_s < DRAW_INTERVAL_S) return;
    this.#drawn_s = gaze.t;
    this.#draw(gaze.t);
    this.#text.textContent =
      value === null ? 'Unknown at the moment.' : `Now ${signal.say(value)} → ${this.#say(this.mapped(value))}`;
  }

  /** @param {number} value of the signal @returns {number} what the parameter makes of it */
  mapped(value) {
    const { to } = this.#binding;
    return to[0] + this.#share(value, true) * (to[1] - to[0]);
  }

  /** @param {number} value @param {boolean} clipped */
  #share(value, clipped) {
    const [low, high] = this.#binding.from;
    const share = (value - low) / (high - low);
    return clipped ? Math.min(1, Math.max(0, share)) : share;
  }

  /** @param {number} now_s */
  #draw(now_s) {
    const pen = this.#canvas.getContext('2d');
    if (!pen) return;
    const style = getComputedStyle(this.#canvas);
    /** @param {number} share */
    const y = (share) => HEIGHT_PX * (1 - (share + MARGIN) / (1 + 2 * MARGIN));
    pen.clearRect(0, 0, WIDTH_PX, HEIGHT_PX);
    pen.fillStyle = style.getPropertyValue('--edge');
    pen.fillRect(0, y(1), WIDTH_PX, y(0) - y(1));
    pen.strokeStyle = style.color;
    pen.lineWidth = 2;
    pen.beginPath();
    let down = false;
    for (const [t_s, value] of this.#history) {
      if (value === null) {
        down = false;
        continue;
      }
      const share = Math.min(1 + MARGIN, Math.max(-MARGIN, this.#share(value, false)));
      const x = WIDTH_PX * (1 - (now_s - t_s) / SHOWN_S);
      if (down) pen.lineTo(x, y(share));
      else pen.moveTo(x, y(share));
      down = true;
    }
    pen.stroke();
  }
}
