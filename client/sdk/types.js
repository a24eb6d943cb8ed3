/**
 * The types of what goes between a page and the server, as the SDK takes and gives them. The server's
 * API document defines the same messages.
 */

/** @typedef {import('./layout.js').Point} Point */
/** @typedef {import('./gaze-error.js').GazeError} GazeError */

/**
 * @typedef {object} Binding a parameter that follows a signal of the eyes
 * @property {string} follow name of the signal, as `pupil.relative`
 * @property {Point} [from] range of the signal, in its own unit
 * @property {Point} [to] range of the parameter, in its own unit
 * @property {number} [smooth] time constant of the smoothing, in seconds
 */
/** @typedef {number | string | boolean | null | Binding} ParameterValue */
/** @typedef {{ name: string } & Record<string, ParameterValue>} EffectSpec one effect of a chain */
/** @typedef {{ id: string, token: string }} SessionKey authorises commands to a session */

/**
 * @typedef {object} OpenOptions
 * @property {MediaStreamTrack | null} [camera] the viewer's camera; none with `gaze: 'pointer'`
 * @property {MediaStreamTrack | null} [film] the film's video, where this page sends it
 * @property {MediaStreamTrack | null} [audio] the film's audio, where this page sends it
 * @property {string} [media] name of a hosted film, or address of a live stream; then `film` and
 *   `audio` are left out
 * @property {number} [position] where a hosted film begins, in seconds
 * @property {EffectSpec[]} [effects] the chain of effects
 * @property {'camera' | 'pointer'} [gaze] where the gaze comes from; the camera by default
 * @property {object | null} [calibration] the `model` of an earlier `calibration` event
 * @property {SessionKey | null} [resume] a session to resume
 */

/**
 * @typedef {object} GazeEvent one gaze sample; null is unknown
 * @property {number} t time of the sample, seconds on the server's clock
 * @property {Point | null} screen point of gaze on the screen, px
 * @property {Point | null} shown point of gaze on the returned frame, 0..1
 * @property {Point | null} film point of gaze on the source frame, 0..1
 * @property {number} confidence 0..1
 * @property {number | null} uncertainty of the point of gaze, px on the screen
 * @property {boolean} calibrated whether a calibration is in use
 * @property {'fixation' | 'saccade' | 'pursuit' | 'blink' | 'lost' | null} event
 * @property {number | null} dwell duration of the fixation so far, seconds
 * @property {boolean} attentive whether the viewer looks at the film
 * @property {Point | null} openness of the left and the right eye, 0..1
 * @property {number | null} blink_rate blinks per minute
 * @property {{ mm: number | null, relative: number | null, confidence: number } | null} pupil
 *   diameter in mm, and its relative deviation from the baseline
 * @property {{ yaw: number, pitch: number, roll: number, distance: number | null } | null} head
 *   angles in degrees, distance from the camera in mm
 */
/**
 * @typedef {object} PlaybackEvent
 * @property {boolean} paused
 * @property {'attention' | 'pupil' | 'viewer' | 'ended' | null} reason of the pause
 * @property {number | null} position of a hosted film, seconds
 * @property {boolean} lost the server has lost a live stream and reconnects to it; its last frame
 *   is shown
 */
/**
 * @typedef {object} CalibrationPoint
 * @property {Point} target screen px
 * @property {Point | null} gaze where the fitted gaze falls, screen px
 * @property {number} used number of samples
 * @property {number} discarded number of samples
 */
/**
 * @typedef {object} CalibrationQuality
 * @property {number | null} accuracy_px mean offset from the targets
 * @property {number | null} accuracy_deg the same, in degrees of visual angle
 * @property {number | null} precision_px RMS from sample to sample
 * @property {'good' | 'usable' | 'retry'} verdict
 * @property {string | null} reason
 */
/**
 * @typedef {object} CalibrationEvent
 * @property {'collecting' | 'accepted' | 'rejected' | 'fitted' | 'validated' | 'cancelled'} state
 *   `cancelled` with a `reason` comes from the server, whose gaze tracker was lost, say
 * @property {number} progress of the target, 0..1
 * @property {string | null} reason
 * @property {CalibrationPoint[]} [points] when fitted or validated
 * @property {CalibrationQuality} [quality] when fitted or validated
 * @property {object} [model] when fitted or validated: what to keep and to give to `open`
 */
/**
 * @typedef {object} StatsEvent
 * @property {Record<string, { in: number, out: number, dropped: number }>} [frames] counts since
 *   the connection began, of `camera` and `film`
 * @property {Record<string, { p50: number, p95: number }>} [latency_ms] of each processing stage
 * @property {number | null} [gaze_age_ms] age of the newest gaze sample
 * @property {[Point, Point] | null} [eyes] positions of the right and the left eye in the camera
 *   frame, 0..1
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
 * @typedef {object} GazeEvents event types, and what comes as the event's `detail`
 * @property {GazeEvent} gaze
 * @property {PlaybackEvent} playback
 * @property {CalibrationEvent} calibration
 * @property {StatsEvent} stats
 * @property {{ effects: EffectSpec[] }} effects
 * @property {GazeError} error a command was refused (`status` below 500), or something failed on
 *   the server (500 and above); the session continues
 * @property {CameraEvent} camera
 * @property {StateEvent} state
 */

/**
 * @typedef {object} Effect one that the server offers
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {{ properties?: Record<string, any> }} parameters JSON Schema
 */
/** @typedef {{ name: string, title: string, description: string, effects: EffectSpec[] }} Preset a named chain */
/**
 * @typedef {object} Film a hosted film
 * @property {string} name
 * @property {string} title
 * @property {number} duration seconds
 * @property {number} width px
 * @property {number} height px
 */

export {};
