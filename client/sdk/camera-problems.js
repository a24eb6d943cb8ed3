/** Explains why a camera is not available: what happened, and what the viewer can do. */

/**
 * @typedef {object} Problem
 * @property {string} title what happened
 * @property {string} text what the viewer can do
 * @property {string} [detail] the original error
 * @property {boolean} pointerHelps whether the mouse instead of the camera avoids the problem
 */

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
 * Explain why `getUserMedia` failed.
 *
 * @param {unknown} error
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

/**
 * Explain why this page can have no camera at all.
 *
 * @returns {Problem | null} null where it can
 */
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
