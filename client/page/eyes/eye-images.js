/**
 * Enlarged images of the viewer's eyes, cropped from the local camera. Only their positions come
 * from the server (`eyes` of `stats`, fractions of the camera frame).
 */

import { element } from '../shared/dom.js';

/** @typedef {import('../../sdk/layout.js').Point} Point */

const WIDTH_PX = 160;
const HEIGHT_PX = 96;
const DRAW_INTERVAL_MS = 66;
/** Width of a crop, as a fraction of the distance between the eyes. */
const CROP_WIDTH = 0.62;

export class EyeImages {
  #container;
  #video = document.createElement('video');
  #canvases = ['Right eye', 'Left eye'].map((label) =>
    element('canvas', { width: WIDTH_PX, height: HEIGHT_PX, role: 'img', 'aria-label': label }),
  );
  /** @type {Point[] | null} */
  #eyes = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /** @param {HTMLElement} container */
  constructor(container) {
    this.#container = container;
    this.#video.muted = true;
    this.#video.playsInline = true;
  }

  /** @param {MediaStream | null} stream of the camera */
  open(stream) {
    this.close();
    this.#container.hidden = stream === null;
    if (!stream) return;
    this.#container.replaceChildren(...this.#canvases);
    this.#video.srcObject = stream;
    this.#video.play().catch(() => {});
    this.#timer = setInterval(() => this.#draw(), DRAW_INTERVAL_MS);
  }

  close() {
    clearInterval(this.#timer);
    this.#video.srcObject = null;
    this.#eyes = null;
  }

  /** @param {Point[] | null | undefined} eyes positions of the right and the left eye, not mirrored */
  set eyes(eyes) {
    this.#eyes = eyes ?? null;
  }

  #draw() {
    const { videoWidth, videoHeight } = this.#video;
    const [right, left] = this.#eyes ?? [];
    if (document.hidden || !videoWidth) return;
    for (const [number, canvas] of this.#canvases.entries()) {
      const eye = number === 0 ? right : left;
      const context = canvas.getContext('2d');
      if (!context) continue;
      context.setTransform(-1, 0, 0, 1, WIDTH_PX, 0);
      if (!eye || !right || !left) {
        context.clearRect(0, 0, WIDTH_PX, HEIGHT_PX);
        continue;
      }
      const distance = Math.hypot((left[0] - right[0]) * videoWidth, (left[1] - right[1]) * videoHeight);
      const width = CROP_WIDTH * distance;
      const height = (width * HEIGHT_PX) / WIDTH_PX;
      context.drawImage(
        this.#video,
        eye[0] * videoWidth - width / 2,
        eye[1] * videoHeight - height / 2,
        width,
        height,
        0,
        0,
        WIDTH_PX,
        HEIGHT_PX,
      );
    }
  }
}
