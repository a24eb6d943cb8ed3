/** A graph of a signal of the eyes and of the range that a parameter takes from it. */

import { element } from '../shared/dom.js';
import { SIGNALS } from './gaze-signals.js';

/** @typedef {import('../../gaze-client.js').Binding} Binding */
/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */

const SHOWN_S = 8;
const DRAW_INTERVAL_S = 0.1;
const WIDTH_PX = 320;
const HEIGHT_PX = 56;
/** Margin above and below the binding's range, as a fraction of it. */
const MARGIN = 0.25;

export class SignalGraph {
  node;
  #canvas;
  #text;
  #binding;
  #format;
  /** @type {[t_s: number, value: number | null][]} */
  #history = [];
  #lastDrawn_s = -Infinity;

  /**
   * @param {Required<Binding>} binding read at every drawing
   * @param {(value: number) => string} format of the parameter's value
   */
  constructor(binding, format) {
    this.#binding = binding;
    this.#format = format;
    this.#canvas = element('canvas', { width: WIDTH_PX, height: HEIGHT_PX, 'aria-hidden': 'true' });
    this.#text = element('figcaption', { class: 'small' }, 'No signal yet.');
    this.node = element('figure', { class: 'signal-graph' }, this.#canvas, this.#text);
  }

  /** @param {GazeEvent} gaze */
  add(gaze) {
    const signal = SIGNALS[this.#binding.follow];
    if (!signal?.read) {
      this.#text.textContent = 'The server computes this signal; it is not shown here.';
      return;
    }
    const value = signal.read(gaze) ?? null;
    this.#history.push([gaze.t, value]);
    while (this.#history[0] && this.#history[0][0] < gaze.t - SHOWN_S) this.#history.shift();
    if (gaze.t - this.#lastDrawn_s < DRAW_INTERVAL_S) return;
    this.#lastDrawn_s = gaze.t;
    this.#draw(gaze.t);
    this.#text.textContent =
      value === null ? 'Unknown at the moment.' : `Now ${signal.format(value)} → ${this.#format(this.mapped(value))}`;
  }

  /** @param {number} value of the signal @returns {number} of the parameter */
  mapped(value) {
    const { to } = this.#binding;
    return to[0] + this.#fraction(value, true) * (to[1] - to[0]);
  }

  /** @param {number} value @param {boolean} clipped */
  #fraction(value, clipped) {
    const [low, high] = this.#binding.from;
    const fraction = (value - low) / (high - low);
    return clipped ? Math.min(1, Math.max(0, fraction)) : fraction;
  }

  /** @param {number} now_s */
  #draw(now_s) {
    const context = this.#canvas.getContext('2d');
    if (!context) return;
    const style = getComputedStyle(this.#canvas);
    /** @param {number} fraction */
    const y = (fraction) => HEIGHT_PX * (1 - (fraction + MARGIN) / (1 + 2 * MARGIN));
    context.clearRect(0, 0, WIDTH_PX, HEIGHT_PX);
    context.fillStyle = style.getPropertyValue('--border');
    context.fillRect(0, y(1), WIDTH_PX, y(0) - y(1));
    context.strokeStyle = style.color;
    context.lineWidth = 2;
    context.beginPath();
    let drawing = false;
    for (const [t_s, value] of this.#history) {
      if (value === null) {
        drawing = false;
        continue;
      }
      const fraction = Math.min(1 + MARGIN, Math.max(-MARGIN, this.#fraction(value, false)));
      const x = WIDTH_PX * (1 - (now_s - t_s) / SHOWN_S);
      if (drawing) context.lineTo(x, y(fraction));
      else context.moveTo(x, y(fraction));
      drawing = true;
    }
    context.stroke();
  }
}
