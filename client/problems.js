/** Errors in words that help: what happened, and what the viewer can do. */

import { GazeError } from './gaze-client.js';

/**
 * @typedef {object} Problem
 * @property {string} title
 * @property {string} text
 * @property {string} [detail] for whoever wants to know exactly
 * @property {boolean} pointerHelps whether watching with the mouse would get around it
 */

/** A problem that is in its words already. */
export class ProblemError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** @type {Record<string, { title: string, text: string }>} */
const CAMERA_PROBLEMS = {
  NotAllowedError: {
    title: 'The camera was not allowed',
    text: 'Allow it in the address bar (the camera symbol) and try again, or watch without it.',
  },
  NotFoundError: {
    title: 'No camera was found',
    text: 'Plug one in or switch it on and try again, or watch without one.',
  },
  NotReadableError: {
    title: 'The camera is busy',
    text: 'Another program seems to use it. Close that one and try again, or watch without it.',
  },
};

/**
 * @param {unknown} error of getUserMedia
 * @returns {Problem}
 */
export function cameraProblem(error) {
  const name = error instanceof Error ? error.name : '';
  const known = CAMERA_PROBLEMS[name] ?? {
    title: 'The camera did not start',
    text: 'Try again, or watch without it.',
  };
  return { ...known, detail: String(error), pointerHelps: true };
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

/** @returns {Problem | null} why there can be no camera on this page */
export function missingCameraAccess() {
  if (typeof navigator.mediaDevices?.getUserMedia === 'function') return null;
  if (!isSecureContext) {
    return {
      title: 'The camera needs a secure address',
      text: 'Open this page over https or as localhost, or watch without it.',
      pointerHelps: true,
    };
  }
  return {
    title: 'This browser gives no camera',
    text: 'A current Chrome, Edge, Firefox or Safari does. You can watch without one.',
    pointerHelps: true,
  };
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
