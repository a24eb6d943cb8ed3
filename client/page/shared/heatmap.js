/** A heat map of fixations: Gaussians summed up on a coarse grid, drawn over a picture. */

import { element } from './dom.js';

const COLUMNS = 96;
const ROWS = 54;
/** Standard deviation of one fixation's Gaussian, in cells. */
const SIGMA = 3;
const RADIUS = 3 * SIGMA;

/** Red, green, blue and alpha at fractions of the largest cell. */
const COLOUR_STOPS = [
  [0, [40, 60, 200, 0]],
  [0.15, [50, 90, 230, 90]],
  [0.4, [60, 200, 190, 140]],
  [0.7, [250, 205, 80, 175]],
  [1, [255, 70, 40, 205]],
];

export class Heatmap {
  #cells = new Float32Array(COLUMNS * ROWS);
  #canvas = element('canvas', { width: COLUMNS, height: ROWS });

  clear() {
    this.#cells.fill(0);
  }

  /**
   * @param {[x: number, y: number]} point 0..1 of the picture
   * @param {number} weight as the fixation's duration
   */
  add([x, y], weight) {
    const [column, row] = [x * COLUMNS, y * ROWS];
    for (let r = Math.max(0, Math.ceil(row - RADIUS)); r < Math.min(ROWS, row + RADIUS); r += 1) {
      for (let c = Math.max(0, Math.ceil(column - RADIUS)); c < Math.min(COLUMNS, column + RADIUS); c += 1) {
        const exponent = ((c - column) ** 2 + (r - row) ** 2) / (2 * SIGMA ** 2);
        const cell = r * COLUMNS + c;
        this.#cells[cell] = (this.#cells[cell] ?? 0) + weight * Math.exp(-exponent);
      }
    }
  }

  /**
   * Draw the map into a rectangle.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {number} x px
   * @param {number} y px
   * @param {number} width px
   * @param {number} height px
   */
  draw(context, x, y, width, height) {
    const largest = this.#cells.reduce((most, value) => Math.max(most, value), 0);
    if (largest === 0) return;
    const grid = this.#canvas.getContext('2d');
    if (!grid) return;
    const image = grid.createImageData(COLUMNS, ROWS);
    this.#cells.forEach((value, cell) => image.data.set(colourAt(value / largest), 4 * cell));
    grid.putImageData(image, 0, 0);
    context.imageSmoothingQuality = 'high';
    context.drawImage(this.#canvas, x, y, width, height);
  }
}

/** @param {number} fraction 0..1 @returns {number[]} red, green, blue, alpha */
function colourAt(fraction) {
  for (let number = 1; number < COLOUR_STOPS.length; number += 1) {
    const [start, low] = /** @type {[number, number[]]} */ (COLOUR_STOPS[number - 1]);
    const [end, high] = /** @type {[number, number[]]} */ (COLOUR_STOPS[number]);
    if (fraction > end) continue;
    const part = (fraction - start) / (end - start);
    return low.map((value, channel) => value + part * (/** @type {number} */ (high[channel]) - value));
  }
  return /** @type {number[]} */ (COLOUR_STOPS.at(-1)?.[1]);
}
