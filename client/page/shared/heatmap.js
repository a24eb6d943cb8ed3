/** A map of where the gaze rested: a coarse grid with soft blobs, drawn over a picture. */

import { element } from './dom.js';

const COLUMNS = 96;
const ROWS = 54;
/** Radius of one look's blob, in cells. */
const SIGMA = 3;
const REACH = 3 * SIGMA;

/** From cold to hot: red, green, blue, alpha at shares of the hottest cell. */
const COLOURS = [
  [0, [40, 60, 200, 0]],
  [0.15, [50, 90, 230, 90]],
  [0.4, [60, 200, 190, 140]],
  [0.7, [250, 205, 80, 175]],
  [1, [255, 70, 40, 205]],
];

export class HeatGrid {
  #cells = new Float32Array(COLUMNS * ROWS);
  #canvas = element('canvas', { width: COLUMNS, height: ROWS });

  clear() {
    this.#cells.fill(0);
  }

  /** @param {[number, number]} place 0..1 of the picture @param {number} weight */
  add([x, y], weight) {
    const [column, row] = [x * COLUMNS, y * ROWS];
    for (let r = Math.max(0, Math.ceil(row - REACH)); r < Math.min(ROWS, row + REACH); r += 1) {
      for (let c = Math.max(0, Math.ceil(column - REACH)); c < Math.min(COLUMNS, column + REACH); c += 1) {
        const away = ((c - column) ** 2 + (r - row) ** 2) / (2 * SIGMA ** 2);
        const cell = r * COLUMNS + c;
        this.#cells[cell] = (this.#cells[cell] ?? 0) + weight * Math.exp(-away);
      }
    }
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  draw(pen, x, y, width, height) {
    const hottest = this.#cells.reduce((most, value) => Math.max(most, value), 0);
    if (hottest === 0) return;
    const small = this.#canvas.getContext('2d');
    if (!small) return;
    const image = small.createImageData(COLUMNS, ROWS);
    this.#cells.forEach((value, cell) => image.data.set(colour(value / hottest), 4 * cell));
    small.putImageData(image, 0, 0);
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(this.#canvas, x, y, width, height);
  }
}

/** @param {number} share 0..1 @returns {number[]} red, green, blue, alpha */
function colour(share) {
  for (let number = 1; number < COLOURS.length; number += 1) {
    const [start, low] = /** @type {[number, number[]]} */ (COLOURS[number - 1]);
    const [end, high] = /** @type {[number, number[]]} */ (COLOURS[number]);
    if (share > end) continue;
    const part = (share - start) / (end - start);
    return low.map((value, channel) => value + part * (/** @type {number} */ (high[channel]) - value));
  }
  return /** @type {number[]} */ (COLOURS.at(-1)?.[1]);
}
