/** Explains errors to the viewer: what happened, and what to do about it. */

import { GazeError } from '../gaze-client.js';
import { errorSentence } from '../sdk/gaze-error.js';

/** @typedef {import('../sdk/camera-problems.js').Problem} Problem */

/** An error that is explained already. */
export class ProblemError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** @returns {Problem | null} why the page cannot work in this browser */
export function browserProblem() {
  if (typeof RTCPeerConnection === 'undefined') {
    return {
      title: 'This browser does not work here',
      text: 'It has no WebRTC. Use a current Chrome, Edge, Firefox or Safari.',
      pointerHelps: false,
    };
  }
  return null;
}

/**
 * Explain why a session was not opened, or failed.
 *
 * @param {unknown} error
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
      title: 'The server is full',
      text: `It has no capacity for another viewer now. Try again ${wait ? `in ${wait} seconds` : 'in a while'}.`,
      detail,
      pointerHelps: false,
    };
  }
  if (error.status === 429) {
    return {
      title: 'Too many attempts',
      text: 'The server limits how many sessions may be opened a minute. Wait a little and try again.',
      detail,
      pointerHelps: false,
    };
  }
  if (error.field?.startsWith('calibration')) {
    return {
      title: 'The saved calibration is no longer valid',
      text: 'Forget it on the start page, and calibrate again.',
      detail,
      pointerHelps: false,
    };
  }
  if (error.field === 'media') {
    return {
      title: 'This film cannot be watched',
      text: `${errorSentence(error)} Try again, or choose another film.`,
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
