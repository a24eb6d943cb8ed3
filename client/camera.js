/** The viewer's camera: opened when asked, found again when it comes back, and given back. */

/** @type {MediaStreamConstraints} */
const WANTED = {
  video: {
    width: { ideal: 640 },
    height: { ideal: 480 },
    frameRate: { ideal: 30 },
    facingMode: 'user',
  },
};

export class Camera {
  /** Called with a new track when a camera is there again after the last one ended. */
  onBack = (/** @type {MediaStreamTrack} */ _track) => {};

  /** @type {MediaStreamTrack | null} */
  #track = null;
  #wanted = false;
  #onDevices = () => this.#lookForIt();

  /**
   * @returns {Promise<MediaStreamTrack>}
   * @throws {DOMException} as getUserMedia does
   */
  async open() {
    if (this.#track?.readyState === 'live') return this.#track;
    this.#wanted = true;
    navigator.mediaDevices.addEventListener('devicechange', this.#onDevices);
    return this.#ask();
  }

  /** Switch it off; its light goes out. */
  close() {
    this.#wanted = false;
    navigator.mediaDevices?.removeEventListener('devicechange', this.#onDevices);
    this.#track?.stop();
    this.#track = null;
  }

  async #ask() {
    const stream = await navigator.mediaDevices.getUserMedia(WANTED);
    const track = /** @type {MediaStreamTrack} */ (stream.getVideoTracks()[0]);
    if (!this.#wanted) {
      track.stop();
      throw new DOMException('The camera is no longer wanted', 'AbortError');
    }
    this.#track = track;
    return track;
  }

  async #lookForIt() {
    if (this.#track?.readyState !== 'ended') return;
    const devices = await navigator.mediaDevices.enumerateDevices();
    if (!devices.some(({ kind }) => kind === 'videoinput')) return;
    try {
      this.onBack(await this.#ask());
    } catch {
      // Not allowed any more, or gone again: the next change of devices is the next chance.
    }
  }
}
