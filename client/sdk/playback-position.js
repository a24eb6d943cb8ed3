/** Where a hosted film is, between two `playback` messages of the server. */

export class PlaybackPosition {
  /** Whether the film is paused, for whichever reason. */
  paused = false;
  /** @type {number | null} */
  #position_s = null;
  #since_ms = 0;

  /**
   * Take over what a `playback` message says.
   *
   * @param {{ paused: boolean, position: number | null }} playback
   * @param {number} now_ms when it came, as of `performance.now()`
   */
  update({ paused, position }, now_ms) {
    this.paused = paused;
    this.#position_s = position ?? null;
    this.#since_ms = now_ms;
  }

  /**
   * Assume that a seek succeeds.
   *
   * @param {number} position_s
   * @param {number} now_ms
   */
  seek(position_s, now_ms) {
    this.#position_s = position_s;
    this.#since_ms = now_ms;
  }

  /** There is no session any more. */
  reset() {
    this.paused = false;
    this.#position_s = null;
  }

  /**
   * @param {number} now_ms
   * @returns {number | null} seconds; null for a film without positions
   */
  at(now_ms) {
    if (this.#position_s === null || this.paused) return this.#position_s;
    return this.#position_s + Math.max(0, now_ms - this.#since_ms) / 1000;
  }
}
