/** What is drawn of the gaze over the film, on this page only: a dot, a trail, a map of heat. */

import { byId } from '../shared/dom.js';
import { HeatGrid } from '../shared/heatmap.js';
import { containedPicture } from '../../sdk/layout.js';

/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {'dot' | 'trail' | 'heat'} Mark */

/** @type {Mark[]} */
export const MARKS = ['dot', 'trail', 'heat'];
const TRAIL_S = 1.6;
const HEAT_INTERVAL_MS = 200;

/** Dispatches `change` when the viewer switched a mark on or off. */
export class Marks extends EventTarget {
  #film;
  #dot = byId('gaze-dot', HTMLElement);
  #canvas = byId('gaze-marks', HTMLCanvasElement);
  #buttons = new Map(MARKS.map((mark) => [mark, byId(mark, HTMLButtonElement)]));
  /** @type {{ t: number, shown: [number, number] | null }[]} */
  #trail = [];
  #heat = new HeatGrid();
  #heatDrawn_ms = 0;

  /** @param {HTMLVideoElement} film */
  constructor(film) {
    super();
    this.#film = film;
    for (const [mark, button] of this.#buttons) {
      button.addEventListener('click', () => {
        this.toggle(mark);
        this.dispatchEvent(new Event('change'));
      });
    }
  }

  /** The marks that are shown. */
  get shown() {
    return MARKS.filter((mark) => this.#shows(mark));
  }

  set shown(marks) {
    for (const mark of MARKS) this.#set(mark, marks.includes(mark));
  }

  /** @param {Mark} mark */
  toggle(mark) {
    this.#set(mark, !this.#shows(mark));
  }

  /** Nothing of what was seen stays on the screen. */
  clear() {
    this.#dot.hidden = true;
    this.#trail = [];
    this.#heat.clear();
    this.#canvas.hidden = true;
  }

  /** @param {GazeEvent} gaze */
  add({ t, shown, confidence, event }) {
    this.#dot.hidden = !(this.#shows('dot') && shown);
    const drawn = this.#shows('trail') || this.#shows('heat');
    this.#canvas.hidden = !drawn;
    if (this.#shows('heat') && shown && event === 'fixation') this.#heat.add(shown, 1);
    if (!drawn && this.#dot.hidden) return;
    const [x, y, width, height] = this.#picture();
    if (!this.#dot.hidden && shown) {
      this.#dot.style.transform = `translate(${x + shown[0] * width}px, ${y + shown[1] * height}px)`;
      this.#dot.style.opacity = String(0.35 + 0.65 * confidence);
      this.#dot.dataset.event = event ?? '';
    }
    if (this.#shows('trail')) {
      this.#trail.push({ t, shown });
      while (this.#trail[0] && this.#trail[0].t < t - TRAIL_S) this.#trail.shift();
    }
    const now_ms = performance.now();
    const heatIsDue = this.#shows('heat') && now_ms - this.#heatDrawn_ms > HEAT_INTERVAL_MS;
    if (!this.#shows('trail') && !heatIsDue) return;
    this.#heatDrawn_ms = now_ms;
    this.#draw([x, y, width, height], t);
  }

  /** @param {Mark} mark */
  #shows(mark) {
    return this.#buttons.get(mark)?.getAttribute('aria-pressed') === 'true';
  }

  /** @param {Mark} mark @param {boolean} on */
  #set(mark, on) {
    this.#buttons.get(mark)?.setAttribute('aria-pressed', String(on));
    if (on) return;
    if (mark === 'dot') this.#dot.hidden = true;
    if (mark === 'trail') this.#trail = [];
    if (mark === 'heat') this.#heat.clear();
    if (!this.#shows('trail') && !this.#shows('heat')) this.#canvas.hidden = true;
  }

  /** The film's picture in the box that the marks lie in, in CSS pixels. */
  #picture() {
    const box = this.#film.getBoundingClientRect();
    const around = /** @type {HTMLElement} */ (this.#dot.parentElement).getBoundingClientRect();
    return containedPicture(
      [box.x - around.x, box.y - around.y, box.width, box.height],
      this.#film.videoWidth,
      this.#film.videoHeight,
    );
  }

  /** @param {import('../../sdk/layout.js').Rectangle} picture @param {number} now_s */
  #draw([left, top, width, height], now_s) {
    const { clientWidth, clientHeight } = this.#canvas;
    if (this.#canvas.width !== clientWidth || this.#canvas.height !== clientHeight) {
      this.#canvas.width = clientWidth;
      this.#canvas.height = clientHeight;
    }
    const pen = this.#canvas.getContext('2d');
    if (!pen) return;
    pen.clearRect(0, 0, clientWidth, clientHeight);
    if (this.#shows('heat')) this.#heat.draw(pen, left, top, width, height);
    pen.lineCap = 'round';
    pen.lineWidth = 3;
    for (let number = 1; number < this.#trail.length; number += 1) {
      const [from, to] = [this.#trail[number - 1], this.#trail[number]];
      if (!from?.shown || !to?.shown) continue;
      pen.strokeStyle = `rgb(255 209 138 / ${Math.max(0, 1 - (now_s - to.t) / TRAIL_S)})`;
      pen.beginPath();
      pen.moveTo(left + from.shown[0] * width, top + from.shown[1] * height);
      pen.lineTo(left + to.shown[0] * width, top + to.shown[1] * height);
      pen.stroke();
    }
  }
}
