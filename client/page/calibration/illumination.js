/** How bright a camera's picture is where the face should be, around it, and where it is blinding. */

const WIDTH = 64;
const HEIGHT = 48;
const BLINDING = 250;

/**
 * @typedef {object} LightFigures shares, 0 black to 1 white
 * @property {number} face mean of the middle
 * @property {number} around mean of the edge
 * @property {number} glare share of the upper middle, where eyes are, that is blindingly white
 */

export class Light {
  #video;
  #pen;

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#video = video;
    const canvas = document.createElement('canvas');
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    this.#pen = canvas.getContext('2d', { willReadFrequently: true });
  }

  /** @returns {LightFigures | null} null before there is a picture */
  measure() {
    if (!this.#pen || this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
    this.#pen.drawImage(this.#video, 0, 0, WIDTH, HEIGHT);
    return lightOf(this.#pen.getImageData(0, 0, WIDTH, HEIGHT));
  }
}

/**
 * @param {ImageData} image
 * @returns {LightFigures}
 */
export function lightOf({ data, width, height }) {
  const sums = { face: 0, around: 0, glare: 0 };
  const counts = { face: 0, around: 0, glare: 0 };
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (y * width + x);
      const [red, green, blue] = [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
      const luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      const across = Math.abs(x / width - 0.5);
      const down = y / height;
      const middle = across < 0.18 && down > 0.2 && down < 0.8;
      const part = middle ? 'face' : 'around';
      sums[part] += luma / 255;
      counts[part] += 1;
      if (!middle || down > 0.6) continue;
      sums.glare += luma > BLINDING ? 1 : 0;
      counts.glare += 1;
    }
  }
  return {
    face: sums.face / counts.face,
    around: sums.around / counts.around,
    glare: sums.glare / counts.glare,
  };
}
