/**
 * Keeps what the page sends at its full size and rate while the way to the server can carry it.
 *
 * Left alone, Chromium shares its first guess of the link evenly between camera and film, finds the
 * film too coarse at half of it, makes it smaller within the first second, and takes half a minute
 * to undo that. So the film comes first, and size and rate are given up only where the link is
 * really narrow: there a small picture that moves is better than a large one that stands.
 */

const FILM_FIRST = { film: 'medium', camera: 'low' };
const FULL = ['maintain-framerate-and-resolution', 'maintain-resolution'];
const YIELDING = ['maintain-framerate'];
const NARROW_BPS = 1_200_000;
const WIDE_BPS = 2_000_000;
const PATIENCE = 3; // looks in a row
const LOOK_MS = 1000;

/**
 * @param {'film' | 'camera'} role
 * @param {RTCRtpTransceiverInit} init
 * @returns {RTCRtpTransceiverInit} with the role's share of the link
 */
export function sharing(role, init) {
  const priority = /** @type {RTCPriorityType} */ (FILM_FIRST[role]);
  return { ...init, sendEncodings: [{ priority }] };
}

/** Watches one connection's estimate of its link. */
export class Uplink {
  #connection;
  #senders;
  #full = true;
  #contrary = 0;
  #timer;

  /**
   * @param {RTCPeerConnection} connection
   * @param {RTCRtpSender[]} senders of video
   */
  constructor(connection, senders) {
    this.#connection = connection;
    this.#senders = senders;
    this.#apply();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }

  async #look() {
    const reports = /** @type {any[]} */ ([...(await this.#connection.getStats()).values()]);
    const estimates_bps = reports
      .filter(({ type }) => type === 'candidate-pair')
      .map((pair) => pair.availableOutgoingBitrate ?? 0);
    const estimate_bps = Math.max(0, ...estimates_bps);
    if (!estimate_bps) return; // a browser that does not tell
    const contrary = this.#full ? estimate_bps < NARROW_BPS : estimate_bps > WIDE_BPS;
    this.#contrary = contrary ? this.#contrary + 1 : 0;
    if (this.#contrary < PATIENCE) return;
    this.#contrary = 0;
    this.#full = !this.#full;
    await this.#apply();
  }

  async #apply() {
    for (const sender of this.#senders) {
      for (const preference of this.#full ? FULL : YIELDING) {
        const parameters = /** @type {any} */ (sender.getParameters());
        parameters.degradationPreference = preference;
        try {
          await sender.setParameters(parameters);
          break;
        } catch {
          // A browser that does not know the preference: the next one, or as it likes.
        }
      }
    }
  }
}
