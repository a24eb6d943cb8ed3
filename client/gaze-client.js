/**
 * The SDK's entry point: `GazeClient`, one viewer's session with a gaze server, and the types of
 * what it takes and gives.
 *
 *     import { GazeClient } from 'https://gaze.example/client/gaze-client.js';
 */

export { GazeClient } from './sdk/client.js';
export { GazeError } from './sdk/gaze-error.js';

/** @typedef {import('./sdk/layout.js').Point} Point */
/** @typedef {import('./sdk/layout.js').Layout} Layout */
/** @typedef {import('./sdk/types.js').Binding} Binding */
/** @typedef {import('./sdk/types.js').ParameterValue} ParameterValue */
/** @typedef {import('./sdk/types.js').EffectSpec} EffectSpec */
/** @typedef {import('./sdk/types.js').SessionKey} SessionKey */
/** @typedef {import('./sdk/types.js').OpenOptions} OpenOptions */
/** @typedef {import('./sdk/types.js').GazeEvent} GazeEvent */
/** @typedef {import('./sdk/types.js').PlaybackEvent} PlaybackEvent */
/** @typedef {import('./sdk/types.js').CalibrationAction} CalibrationAction */
/** @typedef {import('./sdk/types.js').CalibrationPoint} CalibrationPoint */
/** @typedef {import('./sdk/types.js').CalibrationQuality} CalibrationQuality */
/** @typedef {import('./sdk/types.js').CalibrationEvent} CalibrationEvent */
/** @typedef {import('./sdk/types.js').StatsEvent} StatsEvent */
/** @typedef {import('./sdk/types.js').SessionState} SessionState */
/** @typedef {import('./sdk/types.js').StateEvent} StateEvent */
/** @typedef {import('./sdk/types.js').CameraEvent} CameraEvent */
/** @typedef {import('./sdk/types.js').GazeEvents} GazeEvents */
/** @typedef {import('./sdk/types.js').Effect} Effect */
/** @typedef {import('./sdk/types.js').Preset} Preset */
/** @typedef {import('./sdk/types.js').Film} Film */
