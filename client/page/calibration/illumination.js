/** Illumination in the camera picture: of the face, around it, and glare near the eyes. */

const WIDTH_PX = 64;
const HEIGHT_PX = 48;
/** Luma of 255 from which a pixel counts as glare. */
const GLARE_LUMA = 250;

/**
 * @typedef {object} Illumination
 * @property {number} face mean luma of the middle, 0 black to 1 white
 * @property {number} around mean luma of the rest, 0..1
 * @property {number} glare fraction of saturated pixels in the upper middle, where the eyes are, 0..1
 */

/** Measures a video element. */
export class IlluminationMeter {
  #video;
  #context;

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#video = video;
    const canvas = document.createElement('canvas');
    canvas.width = WIDTH_PX;
    canvas.height = HEIGHT_PX;
    this.#context = canvas.getContext('2d', { willReadFrequently: true });
  }

  /** @returns {Illumination | null} null before there is a picture */
  measure() {
    if (!this.#context || this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
    this.#context.drawImage(this.#video, 0, 0, WIDTH_PX, HEIGHT_PX);
    return illuminationOf(this.#context.getImageData(0, 0, WIDTH_PX, HEIGHT_PX));
  }
}

/**
 * @param {ImageData} image of a face in the middle
 * @returns {Illumination}
 */
export function illuminationOf({ data, width, height }) {
  const sums = { face: 0, around: 0, glare: 0 };
  const counts = { face: 0, around: 0, glare: 0 };
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (y * width + x);
      const [red, green, blue] = [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
      const luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      const across = Math.abs(x / width - 0.5);
      const down = y / height;
      const isFace = across < 0.18 && down > 0.2 && down < 0.8;
      const part = isFace ? 'face' : 'around';
      sums[part] += luma / 255;
      counts[part] += 1;
      if (!isFace || down > 0.6) continue;
      sums.glare += luma > GLARE_LUMA ? 1 : 0;
      counts.glare += 1;
    }
  }
  return {
    face: sums.face / counts.face,
    around: sums.around / counts.around,
    glare: sums.glare / counts.glare,
  };
}
