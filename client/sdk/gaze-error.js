/** The one kind of error that the SDK throws and reports. */

/** What the server or the network refused, as a problem detail (RFC 9457). */
export class GazeError extends Error {
  /**
   * @param {object} problem
   * @param {number} [problem.status] HTTP status; 0, the default, where no response came
   * @param {string} [problem.title]
   * @param {string} [problem.detail] what was wrong, and what would be right
   * @param {string} [problem.field] the member of the request that was wrong
   * @param {number | null} [problem.retryAfter_s] when to try again, in seconds; null is unknown
   */
  constructor({ status = 0, title = 'Something went wrong', detail = '', field, retryAfter_s = null }) {
    super(detail || title);
    this.name = 'GazeError';
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.field = field;
    this.retryAfter_s = retryAfter_s;
  }

  /**
   * Make an error of an HTTP response that is not OK.
   *
   * @param {Response} response its body is read
   * @returns {Promise<GazeError>}
   */
  static async fromResponse(response) {
    const problem = await response.json().catch(() => ({}));
    const retryAfter = response.headers.get('Retry-After');
    return new GazeError({
      status: response.status,
      title: problem.title ?? response.statusText,
      detail: problem.detail ?? '',
      field: problem.field,
      retryAfter_s: retryAfter === null || Number.isNaN(Number(retryAfter)) ? null : Number(retryAfter),
    });
  }
}

/**
 * Turn whatever was thrown into a `GazeError`.
 *
 * @param {unknown} error
 * @returns {GazeError}
 */
export function asGazeError(error) {
  if (error instanceof GazeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new GazeError({ title: 'The browser refused', detail: message });
}

/**
 * Turn an error's message into a sentence for the viewer, without the command's name in front.
 *
 * @param {{ message: string }} error
 * @returns {string}
 */
export function errorSentence({ message }) {
  const reason = message.replace(/^(calibrate|calibration|gaze|media): /, '');
  const sentence = reason.replace(/^[a-z](?!\w*:\/\/)/, (letter) => letter.toUpperCase());
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
