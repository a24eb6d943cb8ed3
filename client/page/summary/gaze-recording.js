/**
 * What the eyes did in a session, kept in this tab's memory for the summary at its end and nowhere
 * else. Room is taken once, for half an hour at 30 samples a second; then the oldest give way.
 */

/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */

/** @type {NonNullable<GazeEvent['event']>[]} */
const EVENTS = ['fixation', 'saccade', 'pursuit', 'blink', 'lost'];
const CAPACITY = 30 * 60 * 30;
const COLUMNS = /** @type {const} */ ([
  't', 'position', 'film_x', 'film_y', 'shown_x', 'shown_y', 'screen_x', 'screen_y', 'confidence', 'event',
  'dwell', 'attentive', 'openness_left', 'openness_right', 'pupil_mm', 'pupil_relative',
  'pupil_confidence', 'distance_mm', 'blink_rate',
]);
const SHORTEST_FIXATION_S = 0.1;
/** A silence this long ends whatever went on before it. */
const LONGEST_GAP_S = 0.3;

/** @typedef {(typeof COLUMNS)[number]} Column */
/** @typedef {Record<Column, number | null> & { name: string | null }} Row `name` of the event */
/**
 * @typedef {object} Fixation
 * @property {number} start_s since the recording began
 * @property {number} duration_s
 * @property {number} x 0..1 of the film's picture
 * @property {number} y
 */

export class Recording {
  /** @type {Record<string, Float64Array>} */
  #columns = Object.fromEntries(COLUMNS.map((name) => [name, new Float64Array(CAPACITY)]));
  #count = 0;

  /** Forget everything. */
  clear() {
    this.#count = 0;
  }

  /** Samples there are. */
  get length() {
    return Math.min(this.#count, CAPACITY);
  }

  /**
   * @param {GazeEvent} gaze
   * @param {number | null} position_s of the film
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
    const place = this.#count++ % CAPACITY;
    for (const name of COLUMNS) this.#column(name)[place] = values[name] ?? NaN;
  }

  /** @param {Column} name */
  #column(name) {
    return /** @type {Float64Array} */ (this.#columns[name]);
  }

  /** @returns {Generator<Row>} oldest first */
  *rows() {
    const first = this.#count - this.length;
    for (let number = first; number < this.#count; number += 1) {
      const place = number % CAPACITY;
      /** @type {any} */
      const row = {};
      for (const name of COLUMNS) {
        const value = /** @type {number} */ (this.#column(name)[place]);
        row[name] = Number.isNaN(value) ? null : value;
      }
      row.name = row.event === null ? null : EVENTS[row.event];
      yield row;
    }
  }

  /** How much time it covers, in seconds. */
  get duration_s() {
    if (this.length === 0) return 0;
    const times = this.#column('t');
    const first = /** @type {number} */ (times[(this.#count - this.length) % CAPACITY]);
    return /** @type {number} */ (times[(this.#count - 1) % CAPACITY]) - first;
  }

  /** All samples as comma-separated values, times from the first sample on; unknown is empty. */
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

/**
 * @param {Iterable<Row>} rows
 * @returns {Fixation[]} those on the film's picture
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
    const [x, y] = [middle(open.xs), middle(open.ys)];
    if (duration_s >= SHORTEST_FIXATION_S && x >= 0 && x <= 1 && y >= 0 && y <= 1) {
      found.push({ start_s: open.start - begin, duration_s, x, y });
    }
    open = null;
  };
  for (const { t, name, film_x, film_y, dwell } of rows) {
    if (t === null) continue;
    if (!started) begin = t;
    started = true;
    if (t - last > LONGEST_GAP_S) close();
    const rests = name === 'fixation' && film_x !== null && film_y !== null;
    if (!rests || (open && dwell !== null && t - dwell > open.start + LONGEST_GAP_S)) close();
    if (rests) {
      open ??= { start: t, xs: [], ys: [] };
      open.xs.push(film_x);
      open.ys.push(film_y);
    }
    last = t;
  }
  close();
  return found;
}

/** @param {number[]} values @returns {number} their median */
function middle(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** @param {Fixation[]} list */
export function fixationsToCsv(list) {
  const lines = list.map(({ start_s, duration_s, x, y }) =>
    [start_s, duration_s, x, y].map((value) => value.toFixed(3)).join(),
  );
  return `${['start_s,duration_s,film_x,film_y', ...lines].join('\n')}\n`;
}

/**
 * @typedef {object} Figures whatever is unknown is null
 * @property {number} duration_s
 * @property {number} fixations
 * @property {number | null} fixation_s mean duration
 * @property {number | null} blinks_per_minute
 * @property {number | null} pupil_mm median
 * @property {number} attentive share of the samples
 */

/**
 * @param {Recording} recording
 * @returns {Figures}
 */
export function figuresOf(recording) {
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
    pupil_mm: pupils.length > 0 ? middle(pupils) : null,
    attentive: count > 0 ? attentive / count : 0,
  };
}
