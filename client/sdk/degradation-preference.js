/**
 * Keeps the video that the page sends at its full resolution and frame rate while the network path
 * can carry it.
 *
 * By default Chromium shares its first bandwidth estimate evenly between camera and film, scales the
 * film down within the first second because half of it is too little, and takes half a minute to
 * undo that. So the film has the higher priority, and resolution is given up for frame rate only
 * where the estimate stays low: there a small picture that moves is better than a large one that
 * freezes.
 */

const PRIORITIES = { film: 'medium', camera: 'low' };
/** Preferences to try, the first that the browser knows: the former is newer. */
const FULL_QUALITY = ['maintain-framerate-and-resolution', 'maintain-resolution'];
const LOW_BANDWIDTH = ['maintain-framerate'];
/** Below this estimate resolution is given up. Chosen by hand; no benchmark covers it. */
const LOW_BANDWIDTH_BPS = 1_200_000;
/** Above this estimate it is restored. Chosen by hand, apart from the one above so as not to alternate. */
const FULL_QUALITY_BPS = 2_000_000;
const CHECKS_TO_SWITCH = 3;
const CHECK_INTERVAL_MS = 1000;

/**
 * Add a role's priority to what `addTransceiver` takes.
 *
 * @param {'film' | 'camera'} role
 * @param {RTCRtpTransceiverInit} init
 * @returns {RTCRtpTransceiverInit}
 */
export function prioritised(role, init) {
  const priority = /** @type {RTCPriorityType} */ (PRIORITIES[role]);
  return { ...init, sendEncodings: [{ priority }] };
}

/** Sets the degradation preference of one connection's senders by its bandwidth estimate. */
export class DegradationController {
  #connection;
  #senders;
  #fullQuality = true;
  #checksAgainst = 0;
  #timer;

  /**
   * @param {RTCPeerConnection} connection
   * @param {RTCRtpSender[]} senders of video
   */
  constructor(connection, senders) {
    this.#connection = connection;
    this.#senders = senders;
    this.#apply();
    this.#timer = setInterval(() => this.#check(), CHECK_INTERVAL_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }

  async #check() {
    const reports = /** @type {any[]} */ ([...(await this.#connection.getStats()).values()]);
    const estimates_bps = reports
      .filter(({ type }) => type === 'candidate-pair')
      .map((pair) => pair.availableOutgoingBitrate ?? 0);
    const estimate_bps = Math.max(0, ...estimates_bps);
    if (!estimate_bps) return; // this browser reports no estimate
    const shouldSwitch = this.#fullQuality ? estimate_bps < LOW_BANDWIDTH_BPS : estimate_bps > FULL_QUALITY_BPS;
    this.#checksAgainst = shouldSwitch ? this.#checksAgainst + 1 : 0;
    if (this.#checksAgainst < CHECKS_TO_SWITCH) return;
    this.#checksAgainst = 0;
    this.#fullQuality = !this.#fullQuality;
    await this.#apply();
  }

  async #apply() {
    for (const sender of this.#senders) {
      for (const preference of this.#fullQuality ? FULL_QUALITY : LOW_BANDWIDTH) {
        const parameters = /** @type {any} */ (sender.getParameters());
        parameters.degradationPreference = preference;
        try {
          await sender.setParameters(parameters);
          break;
        } catch {
          // A browser that does not know this preference: try the next one, or leave its default.
        }
      }
    }
  }
}
