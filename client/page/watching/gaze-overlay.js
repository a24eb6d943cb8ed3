/** What this page draws of the gaze over the film: a dot, a trail and a heat map. */

import { byId } from '../shared/dom.js';
import { Heatmap } from '../shared/heatmap.js';
import { containedPicture } from '../../sdk/layout.js';

/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {'dot' | 'trail' | 'heatmap'} OverlayLayer */

/** @type {OverlayLayer[]} */
const LAYERS = ['dot', 'trail', 'heatmap'];
const TRAIL_S = 1.6;
const HEATMAP_INTERVAL_MS = 200;

/** Dispatches `change` when the viewer switches a layer on or off. */
export class GazeOverlay extends EventTarget {
  #film;
  #dot = byId('gaze-dot', HTMLElement);
  #canvas = byId('gaze-overlay', HTMLCanvasElement);
  #buttons = new Map(LAYERS.map((layer) => [layer, byId(layer, HTMLButtonElement)]));
  /** @type {{ t: number, shown: [number, number] | null }[]} */
  #trail = [];
  #heatmap = new Heatmap();
  #heatmapDrawn_ms = 0;

  /** @param {HTMLVideoElement} film */
  constructor(film) {
    super();
    this.#film = film;
    for (const [layer, button] of this.#buttons) {
      button.addEventListener('click', () => {
        this.toggle(layer);
        this.dispatchEvent(new Event('change'));
      });
    }
  }

  /** The layers that are shown. */
  get layers() {
    return LAYERS.filter((layer) => this.#shows(layer));
  }

  set layers(layers) {
    for (const layer of LAYERS) this.#set(layer, layers.includes(layer));
  }

  /** @param {OverlayLayer} layer */
  toggle(layer) {
    this.#set(layer, !this.#shows(layer));
  }

  /** Forget the gaze so far. */
  clear() {
    this.#dot.hidden = true;
    this.#trail = [];
    this.#heatmap.clear();
    this.#canvas.hidden = true;
  }

  /** @param {GazeEvent} gaze */
  add({ t, shown, confidence, event }) {
    this.#dot.hidden = !(this.#shows('dot') && shown);
    const drawn = this.#shows('trail') || this.#shows('heatmap');
    this.#canvas.hidden = !drawn;
    if (this.#shows('heatmap') && shown && event === 'fixation') this.#heatmap.add(shown, 1);
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
    const heatmapIsDue = this.#shows('heatmap') && now_ms - this.#heatmapDrawn_ms > HEATMAP_INTERVAL_MS;
    if (!this.#shows('trail') && !heatmapIsDue) return;
    this.#heatmapDrawn_ms = now_ms;
    this.#draw([x, y, width, height], t);
  }

  /** @param {OverlayLayer} layer */
  #shows(layer) {
    return this.#buttons.get(layer)?.getAttribute('aria-pressed') === 'true';
  }

  /** @param {OverlayLayer} layer @param {boolean} on */
  #set(layer, on) {
    this.#buttons.get(layer)?.setAttribute('aria-pressed', String(on));
    if (on) return;
    if (layer === 'dot') this.#dot.hidden = true;
    if (layer === 'trail') this.#trail = [];
    if (layer === 'heatmap') this.#heatmap.clear();
    if (!this.#shows('trail') && !this.#shows('heatmap')) this.#canvas.hidden = true;
  }

  /** The film's picture in the box of the overlay, in CSS px. */
  #picture() {
    const box = this.#film.getBoundingClientRect();
    const parent = /** @type {HTMLElement} */ (this.#dot.parentElement).getBoundingClientRect();
    return containedPicture(
      [box.x - parent.x, box.y - parent.y, box.width, box.height],
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
    const context = this.#canvas.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, clientWidth, clientHeight);
    if (this.#shows('heatmap')) this.#heatmap.draw(context, left, top, width, height);
    context.lineCap = 'round';
    context.lineWidth = 3;
    for (let number = 1; number < this.#trail.length; number += 1) {
      const [from, to] = [this.#trail[number - 1], this.#trail[number]];
      if (!from?.shown || !to?.shown) continue;
      context.strokeStyle = `rgb(255 209 138 / ${Math.max(0, 1 - (now_s - to.t) / TRAIL_S)})`;
      context.beginPath();
      context.moveTo(left + from.shown[0] * width, top + from.shown[1] * height);
      context.lineTo(left + to.shown[0] * width, top + to.shown[1] * height);
      context.stroke();
    }
  }
}
