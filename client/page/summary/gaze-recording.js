/**
 * The gaze samples of a session, kept for the summary in this tab's memory and nowhere else. Its
 * capacity is half an hour at 30 samples a second; after that the oldest are overwritten.
 */

/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */

/** @type {NonNullable<GazeEvent['event']>[]} */
const EVENTS = ['fixation', 'saccade', 'pursuit', 'blink', 'lost'];
const CAPACITY_SAMPLES = 30 * 60 * 30;
const COLUMNS = /** @type {const} */ ([
  't', 'position', 'film_x', 'film_y', 'shown_x', 'shown_y', 'screen_x', 'screen_y', 'confidence', 'event',
  'dwell', 'attentive', 'openness_left', 'openness_right', 'pupil_mm', 'pupil_relative',
  'pupil_confidence', 'distance_mm', 'blink_rate',
]);

/** @typedef {(typeof COLUMNS)[number]} Column */
/** @typedef {Record<Column, number | null> & { name: string | null }} Row `name` of the event */

/** A ring buffer of samples; unknown values are NaN in it and null in its rows. */
export class GazeRecording {
  /** @type {Record<string, Float64Array>} */
  #columns = Object.fromEntries(COLUMNS.map((name) => [name, new Float64Array(CAPACITY_SAMPLES)]));
  #count = 0;

  clear() {
    this.#count = 0;
  }

  /** Number of samples. */
  get length() {
    return Math.min(this.#count, CAPACITY_SAMPLES);
  }

  /**
   * @param {GazeEvent} gaze
   * @param {number | null} position_s in the film
   */
  add(gaze, position_s) {
    /** @type {Record<Column, number | null | undefined>} */
    const values = {
      t: gaze.t,
      position: position_s,
      film_x: gaze.film?.[0],
      film_y: gaze.film?.[1],
      shown_x: gaze.shown?.[0],
      shown_y: gaze.shown?.[1],
      screen_x: gaze.screen?.[0],
      screen_y: gaze.screen?.[1],
      confidence: gaze.confidence,
      event: gaze.event && EVENTS.indexOf(gaze.event),
      dwell: gaze.dwell,
      attentive: gaze.attentive ? 1 : 0,
      openness_left: gaze.openness?.[0],
      openness_right: gaze.openness?.[1],
      pupil_mm: gaze.pupil?.mm,
      pupil_relative: gaze.pupil?.relative,
      pupil_confidence: gaze.pupil?.confidence,
      distance_mm: gaze.head?.distance,
      blink_rate: gaze.blink_rate,
    };
    const index = this.#count++ % CAPACITY_SAMPLES;
    for (const name of COLUMNS) this.#column(name)[index] = values[name] ?? NaN;
  }

  /** @param {Column} name */
  #column(name) {
    return /** @type {Float64Array} */ (this.#columns[name]);
  }

  /** @returns {Generator<Row>} oldest first */
  *rows() {
    const first = this.#count - this.length;
    for (let number = first; number < this.#count; number += 1) {
      const index = number % CAPACITY_SAMPLES;
      /** @type {any} */
      const row = {};
      for (const name of COLUMNS) {
        const value = /** @type {number} */ (this.#column(name)[index]);
        row[name] = Number.isNaN(value) ? null : value;
      }
      row.name = row.event === null ? null : EVENTS[row.event];
      yield row;
    }
  }

  /** Time from the first to the last sample, in seconds. */
  get duration_s() {
    if (this.length === 0) return 0;
    const times = this.#column('t');
    const first = /** @type {number} */ (times[(this.#count - this.length) % CAPACITY_SAMPLES]);
    return /** @type {number} */ (times[(this.#count - 1) % CAPACITY_SAMPLES]) - first;
  }

  /** @returns {string} all samples as CSV, times relative to the first sample; unknown is empty */
  toCsv() {
    const lines = [COLUMNS.join()];
    /** @type {number | null} */
    let begin = null;
    for (const row of this.rows()) {
      const since_s = (row.t ?? 0) - (begin ??= row.t ?? 0);
      const cells = COLUMNS.map((name) => {
        if (name === 'event') return row.name ?? '';
        if (name === 't') return since_s.toFixed(3);
        const value = row[name];
        return value === null ? '' : String(Number(value.toFixed(4)));
      });
      lines.push(cells.join());
    }
    return `${lines.join('\n')}\n`;
  }
}
