/** Which `calibration` message responds to which action of the calibration protocol. */

import { GazeError } from './gaze-error.js';

/** @typedef {import('./types.js').CalibrationAction} CalibrationAction */
/** @typedef {import('./types.js').CalibrationEvent} CalibrationEvent */

/** States, or reasons of a state, that respond to an action. @type {Record<CalibrationAction, string[]>} */
const RESPONSES = {
  start: ['collecting'],
  point: ['accepted', 'rejected'],
  validate: ['accepted', 'rejected'],
  repeat: ['accepted', 'rejected'],
  skip: ['skipped'],
  finish: ['fitted', 'validated', 'accepted', 'rejected'],
  cancel: ['cancelled'],
};

/**
 * What `PendingRequests.add` takes for one action.
 *
 * @param {CalibrationAction} action
 */
export function calibrationRequest(action) {
  const responses = RESPONSES[action] ?? [];
  return {
    calibrationAction: action,
    isResponse: (/** @type {any} */ { type, state, reason }) =>
      type === 'calibration' && (responses.includes(state) || responses.includes(reason)),
    isRefusal: (/** @type {GazeError} */ { field }) => field === 'action' || Boolean(field?.startsWith('target')),
  };
}

/**
 * The error of the requests about a calibration that was cancelled.
 *
 * @param {Pick<CalibrationEvent, 'reason'>} event
 * @returns {GazeError}
 */
export function calibrationCancelled({ reason }) {
  return new GazeError({ title: 'The calibration was cancelled', detail: reason ?? '' });
}
