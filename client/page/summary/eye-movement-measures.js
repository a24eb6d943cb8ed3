/** Measures of eye movements, computed from a recording: fixations, blinks, pupil, attention. */

/** @typedef {import('./gaze-recording.js').GazeRecording} GazeRecording */
/** @typedef {import('./gaze-recording.js').Row} Row */

const MIN_FIXATION_S = 0.1;
/** A gap between samples that is longer ends a fixation. */
const MAX_GAP_S = 0.3;

/**
 * @typedef {object} Fixation
 * @property {number} start_s since the beginning of the recording
 * @property {number} duration_s
 * @property {number} x median, 0..1 of the film's picture
 * @property {number} y median, 0..1 of the film's picture
 */

/**
 * Join consecutive samples of a fixation.
 *
 * @param {Iterable<Row>} rows oldest first
 * @returns {Fixation[]} those on the film's picture, of at least 0.1 s
 */
export function fixations(rows) {
  /** @type {Fixation[]} */
  const found = [];
  let begin = 0;
  let started = false;
  let last = -Infinity;
  /** @type {{ start: number, xs: number[], ys: number[] } | null} */
  let open = null;
  const close = () => {
    if (!open) return;
    const duration_s = last - open.start;
    const [x, y] = [median(open.xs), median(open.ys)];
    if (duration_s >= MIN_FIXATION_S && x >= 0 && x <= 1 && y >= 0 && y <= 1) {
      found.push({ start_s: open.start - begin, duration_s, x, y });
    }
    open = null;
  };
  for (const { t, name, film_x, film_y, dwell } of rows) {
    if (t === null) continue;
    if (!started) begin = t;
    started = true;
    if (t - last > MAX_GAP_S) close();
    const isFixation = name === 'fixation' && film_x !== null && film_y !== null;
    if (!isFixation || (open && dwell !== null && t - dwell > open.start + MAX_GAP_S)) close();
    if (isFixation) {
      open ??= { start: t, xs: [], ys: [] };
      open.xs.push(film_x);
      open.ys.push(film_y);
    }
    last = t;
  }
  close();
  return found;
}

/** @param {number[]} values @returns {number} NaN of none */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** @param {Fixation[]} list @returns {string} CSV */
export function fixationsToCsv(list) {
  const lines = list.map(({ start_s, duration_s, x, y }) =>
    [start_s, duration_s, x, y].map((value) => value.toFixed(3)).join(),
  );
  return `${['start_s,duration_s,film_x,film_y', ...lines].join('\n')}\n`;
}

/**
 * @typedef {object} EyeMovementMeasures null is unknown
 * @property {number} duration_s
 * @property {number} fixations their number
 * @property {number | null} fixation_s mean duration
 * @property {number | null} blinks_per_minute
 * @property {number | null} pupil_mm median
 * @property {number} attentive fraction of the samples, 0..1
 */

/**
 * @param {GazeRecording} recording
 * @returns {EyeMovementMeasures}
 */
export function measuresOf(recording) {
  const list = fixations(recording.rows());
  const { duration_s } = recording;
  let [blinks, attentive, count, blinking] = [0, 0, 0, false];
  let measuresLids = false;
  const pupils = [];
  for (const row of recording.rows()) {
    count += 1;
    attentive += row.attentive ?? 0;
    if (row.name === 'blink' && !blinking) blinks += 1;
    blinking = row.name === 'blink';
    measuresLids ||= row.openness_left !== null;
    if (row.pupil_mm !== null) pupils.push(row.pupil_mm);
  }
  const total_s = list.reduce((sum, one) => sum + one.duration_s, 0);
  return {
    duration_s,
    fixations: list.length,
    fixation_s: list.length > 0 ? total_s / list.length : null,
    blinks_per_minute: measuresLids && duration_s > 0 ? (60 * blinks) / duration_s : null,
    pupil_mm: pupils.length > 0 ? median(pupils) : null,
    attentive: count > 0 ? attentive / count : 0,
  };
}
