/** The shapes of what goes between a page and the server, as the SDK gives and takes them. */

/** @typedef {import('./layout.js').Point} Point */
/** @typedef {import('./gaze-error.js').GazeError} GazeError */

/**
 * @typedef {object} Binding a parameter that follows the eyes
 * @property {string} follow the signal
 * @property {Point} [from] range of the signal
 * @property {Point} [to] range of the parameter
 * @property {number} [smooth] time constant in seconds
 */
/** @typedef {number | string | boolean | null | Binding} ParameterValue */
/** @typedef {{ name: string } & Record<string, ParameterValue>} EffectSpec */
/** @typedef {{ id: string, token: string }} SessionKey what authorises to command a session */

/**
 * @typedef {object} OpenOptions
 * @property {MediaStreamTrack | null} [camera] the viewer's camera; none with `gaze: 'pointer'`
 * @property {MediaStreamTrack | null} [film] the film's picture, where this page sends it
 * @property {MediaStreamTrack | null} [audio] the film's sound, where this page sends it
 * @property {string} [media] name of a hosted film; then `film` and `audio` are left out
 * @property {number} [position] seconds into the hosted film
 * @property {EffectSpec[]} [effects]
 * @property {'camera' | 'pointer'} [gaze] where the gaze comes from; the camera by default
 * @property {object | null} [calibration] the `model` of an earlier `calibration` event
 * @property {SessionKey | null} [resume] a session to take up again
 */

/**
 * @typedef {object} GazeEvent
 * @property {number} t seconds on the server's clock
 * @property {Point | null} screen px
 * @property {Point | null} shown 0..1 of the returned frame
 * @property {Point | null} film 0..1 of the source picture
 * @property {number} confidence 0..1
 * @property {number | null} uncertainty px
 * @property {boolean} calibrated
 * @property {'fixation' | 'saccade' | 'pursuit' | 'blink' | 'lost' | null} event
 * @property {number | null} dwell seconds
 * @property {boolean} attentive
 * @property {Point | null} openness left, right, 0..1
 * @property {number | null} blink_rate per minute
 * @property {{ mm: number | null, relative: number | null, confidence: number } | null} pupil
 * @property {{ yaw: number, pitch: number, roll: number, distance: number | null } | null} head
 */
/**
 * @typedef {object} PlaybackEvent
 * @property {boolean} paused
 * @property {'attention' | 'pupil' | 'viewer' | 'ended' | null} reason
 * @property {number | null} position seconds, of hosted films
 * @property {boolean} lost a live stream is lost and tried again; its last picture is shown
 */
/**
 * @typedef {object} CalibrationPoint
 * @property {Point} target screen px
 * @property {Point | null} gaze screen px
 * @property {number} used samples
 * @property {number} discarded samples
 */
/**
 * @typedef {object} CalibrationQuality
 * @property {number | null} accuracy_px
 * @property {number | null} accuracy_deg
 * @property {number | null} precision_px
 * @property {'good' | 'usable' | 'retry'} verdict
 * @property {string | null} reason
 */
/**
 * @typedef {object} CalibrationEvent
 * @property {'collecting' | 'accepted' | 'rejected' | 'fitted' | 'validated' | 'cancelled'} state
 * @property {number} progress 0..1
 * @property {string | null} reason
 * @property {CalibrationPoint[]} [points]
 * @property {CalibrationQuality} [quality]
 * @property {object} [model]
 */
/**
 * @typedef {object} StatsEvent
 * @property {Record<string, { in: number, out: number, dropped: number }>} [frames]
 * @property {Record<string, { p50: number, p95: number }>} [latency_ms]
 * @property {number | null} [gaze_age_ms]
 * @property {[Point, Point] | null} [eyes] the viewer's right and left one, 0..1 of the camera's picture
 */
/** @typedef {'start' | 'point' | 'skip' | 'repeat' | 'validate' | 'finish' | 'cancel'} CalibrationAction */
/** @typedef {'idle' | 'opening' | 'connected' | 'reconnecting' | 'closed' | 'failed'} SessionState */
/**
 * @typedef {object} StateEvent
 * @property {SessionState} state
 * @property {GazeError} [error] why it failed
 * @property {boolean} [resumed] the server still had the session
 */
/** @typedef {{ live: boolean }} CameraEvent false once the camera's track has ended */
/**
 * @typedef {object} GazeEvents what can be listened to, and what comes as the event's `detail`
 * @property {GazeEvent} gaze
 * @property {PlaybackEvent} playback
 * @property {CalibrationEvent} calibration
 * @property {StatsEvent} stats
 * @property {{ effects: EffectSpec[] }} effects
 * @property {GazeError} error something was refused; the session goes on
 * @property {CameraEvent} camera
 * @property {StateEvent} state
 */

/**
 * @typedef {object} Effect
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {{ properties?: Record<string, any> }} parameters JSON Schema
 */
/** @typedef {{ name: string, title: string, description: string, effects: EffectSpec[] }} Preset */
/**
 * @typedef {object} Film a hosted one
 * @property {string} name
 * @property {string} title
 * @property {number} duration seconds
 * @property {number} width
 * @property {number} height
 */

export {};
