/**
 * Requests over the data channel that wait for their response. The messages carry no request
 * numbers: the server responds in the order of the requests, so the oldest one that a message fits
 * is the one that it answers.
 */

import { GazeError } from './gaze-error.js';

/**
 * @typedef {object} PendingRequest
 * @property {(message: any) => boolean} isResponse
 * @property {(error: GazeError) => boolean} isRefusal
 * @property {import('./types.js').CalibrationAction | null} calibrationAction of a `calibrate`
 *   request; null of others
 * @property {object | null} resend the message to send again over the next connection; null where a
 *   lost connection ends the request
 * @property {(message: any) => void} resolve
 * @property {(error: GazeError) => void} reject
 */

/** The requests of one session, oldest first. */
export class PendingRequests {
  /** @type {PendingRequest[]} */
  #pending = [];

  /**
   * Add a request. Its promise need not be awaited: a refusal is an `error` event as well.
   *
   * @param {Pick<PendingRequest, 'isResponse'> & Partial<PendingRequest>} request
   * @returns {Promise<any>} the response; rejects with a `GazeError`
   */
  add({ isResponse, isRefusal = () => false, calibrationAction = null, resend = null }) {
    const response = new Promise((resolve, reject) => {
      this.#pending.push({ isResponse, isRefusal, calibrationAction, resend, resolve, reject });
    });
    response.catch(() => {});
    return response;
  }

  /** @param {any} message resolves the oldest request that it fits */
  resolve(message) {
    this.#take(({ isResponse }) => isResponse(message))?.resolve(message);
  }

  /** @param {any} message resolves every request that it fits, as the end of a target does */
  resolveAll(message) {
    for (let request; (request = this.#take(({ isResponse }) => isResponse(message))); ) request.resolve(message);
  }

  /** @param {GazeError} error of the server; rejects the oldest request that it refuses */
  reject(error) {
    this.#take(({ isRefusal }) => isRefusal(error))?.reject(error);
  }

  /**
   * Reject the requests about a calibration that has been cancelled: those that were made before
   * the next `start` or `cancel`.
   *
   * @param {GazeError} error
   */
  rejectCalibration(error) {
    const next = this.#pending.findIndex(({ calibrationAction: action }) => action === 'start' || action === 'cancel');
    const older = next < 0 ? this.#pending : this.#pending.slice(0, next);
    this.#rejectAll(older.filter(({ calibrationAction }) => calibrationAction !== null), error);
  }

  /** The messages to send again over a new connection, oldest first. */
  get messagesToResend() {
    return this.#pending.flatMap(({ resend }) => resend ?? []);
  }

  /**
   * Reject the requests that a lost connection ends.
   *
   * @param {GazeError} error
   */
  rejectLost(error) {
    this.#rejectAll(this.#pending.filter(({ resend }) => resend === null), error);
  }

  /**
   * Reject every request: there will be no other connection.
   *
   * @param {GazeError} error
   */
  rejectEverything(error) {
    this.#rejectAll(this.#pending, error);
  }

  /**
   * @param {PendingRequest[]} requests
   * @param {GazeError} error
   */
  #rejectAll(requests, error) {
    this.#pending = this.#pending.filter((request) => !requests.includes(request));
    for (const { reject } of requests) reject(error);
  }

  /** @param {(request: PendingRequest) => boolean} fits */
  #take(fits) {
    const index = this.#pending.findIndex(fits);
    return index < 0 ? undefined : this.#pending.splice(index, 1)[0];
  }
}
