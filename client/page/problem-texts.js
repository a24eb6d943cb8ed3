/** Errors in words that help: what happened, and what the viewer can do. */

import { GazeError } from '../gaze-client.js';

/** @typedef {import('../sdk/camera-problems.js').Problem} Problem */

/** A problem that is in its words already. */
export class ProblemError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** @returns {Problem | null} what this browser lacks */
export function browserProblem() {
  if (typeof RTCPeerConnection === 'undefined') {
    return {
      title: 'This browser cannot do it',
      text: 'It has no WebRTC. A current Chrome, Edge, Firefox or Safari has.',
      pointerHelps: false,
    };
  }
  return null;
}

/** @param {GazeError} error about the film that the server plays @returns {string} */
export function filmProblem({ message }) {
  const said = message.replace(/^media: /, '');
  return `${said.replace(/^[a-z](?!\w*:\/\/)/, (letter) => letter.toUpperCase())}.`;
}

/**
 * @param {unknown} error of the session, or of what goes before it
 * @returns {Problem}
 */
export function sessionProblem(error) {
  if (error instanceof ProblemError) return error.problem;
  if (!(error instanceof GazeError)) {
    return {
      title: 'Something went wrong',
      text: 'Try again.',
      detail: String(error),
      pointerHelps: false,
    };
  }
  const detail = error.status ? `${error.status} ${error.title}: ${error.detail}` : undefined;
  if (error.status === 503) {
    const wait = error.retryAfter_s;
    return {
      title: 'All seats are taken',
      text: `The server has no room for another viewer now. Try again ${wait ? `in ${wait} seconds` : 'in a while'}.`,
      detail,
      pointerHelps: false,
    };
  }
  if (error.status === 429) {
    return {
      title: 'That was too often',
      text: 'The server takes only so many tries a minute. Wait a little and try again.',
      detail,
      pointerHelps: false,
    };
  }
  if (error.field?.startsWith('calibration')) {
    return {
      title: 'The kept calibration does not fit any more',
      text: 'Forget it on the start page, and calibrate once again.',
      detail,
      pointerHelps: false,
    };
  }
  if (error.field === 'media') {
    return {
      title: 'This film cannot be watched',
      text: `${filmProblem(error)} Try again, or choose another film.`,
      pointerHelps: false,
    };
  }
  if (error.status) {
    return {
      title: 'The server refused',
      text: error.detail || error.title,
      detail,
      pointerHelps: false,
    };
  }
  return { title: error.title, text: error.detail || 'Try again.', pointerHelps: false };
}
