/**
 * The end of a session: where the eyes were on the film, in which order, how long, how often they
 * closed and how wide the pupils were. All of it comes from this tab's memory and can be saved.
 */

import { byId, element, svg } from '../shared/dom.js';
import { formatTime } from '../shared/time-format.js';
import { HeatGrid } from '../shared/heatmap.js';
import { figuresOf, fixations, fixationsToCsv } from './gaze-recording.js';

/** @typedef {import('./gaze-recording.js').Fixation} Fixation */
/** @typedef {import('./gaze-recording.js').Recording} Recording */
/** @typedef {'heat' | 'path'} Drawing */

const WIDTH_PX = 960;
const LISTED = 40;
const CURVE = { width: 600, height: 120, points: 200 };

export class Summary {
  #place = byId('summary', HTMLElement);
  #onAgain;
  #onDone;

  /** @param {() => void} onAgain watch again @param {() => void} onDone back to the start */
  constructor(onAgain, onDone) {
    this.#onAgain = onAgain;
    this.#onDone = onDone;
  }

  /**
   * @param {Recording} recording
   * @param {CanvasImageSource & { width: number, height: number } | null} still of the film
   */
  open(recording, still) {
    const list = fixations(recording.rows());
    const canvas = element('canvas', { role: 'img', 'data-testid': 'summary-picture' });
    canvas.width = WIDTH_PX;
    canvas.height = still ? Math.round((WIDTH_PX * still.height) / still.width) : Math.round((WIDTH_PX * 9) / 16);
    /** @param {Drawing} drawing */
    const draw = (drawing) => {
      drawPicture(canvas, still, list, drawing);
      canvas.setAttribute('aria-label', drawing === 'heat' ? 'Where your eyes rested on the film' : 'The way of your eyes over the film');
    };
    draw('heat');
    this.#place.replaceChildren(
      element('h2', { id: 'summary-title', tabindex: '-1' }, 'Where your eyes have been'),
      element('p', { class: 'small' }, 'This is in the memory of this tab only. Leave the page and it is gone, unless you save it.'),
      element('dl', { class: 'figures', 'data-testid': 'summary-figures' }, ...figureRows(recording)),
      element('div', { class: 'summary-parts' },
        element('figure', { class: 'summary-picture' }, canvas, choice(draw)),
        element('div', { class: 'summary-lists' }, pupilCurve(recording), fixationTable(list)),
      ),
      this.#actions(recording, list, canvas),
    );
    this.#place.hidden = false;
    /** @type {HTMLElement | null} */ (this.#place.querySelector('h2'))?.focus();
    scrollTo(0, 0);
  }

  close() {
    this.#place.hidden = true;
    this.#place.replaceChildren();
  }

  /** @param {Recording} recording @param {Fixation[]} list @param {HTMLCanvasElement} canvas */
  #actions(recording, list, canvas) {
    /** @param {string} text @param {string} id @param {() => void} action @param {string} kind */
    const button = (text, id, action, kind = '') => {
      const made = element('button', { type: 'button', class: kind, 'data-testid': id }, text);
      made.addEventListener('click', action);
      return made;
    };
    return element(
      'div',
      { class: 'actions' },
      button('Watch again', 'summary-again', this.#onAgain, 'primary'),
      button('Save the picture (PNG)', 'summary-png', () => canvas.toBlob((png) => png && save(png, 'gaze.png'))),
      button('Save all samples (CSV)', 'summary-csv', () => save(csv(recording.toCsv()), 'gaze-samples.csv')),
      button('Save the fixations (CSV)', 'summary-fixations', () => save(csv(fixationsToCsv(list)), 'gaze-fixations.csv')),
      button('Done', 'summary-done', this.#onDone, 'quiet'),
    );
  }
}

/** @param {string} text */
function csv(text) {
  return new Blob([text], { type: 'text/csv' });
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = element('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** @param {Recording} recording */
function figureRows(recording) {
  const figures = figuresOf(recording);
  const unknown = 'unknown';
  /** @type {[string, string][]} */
  const rows = [
    ['Watched', formatTime(Math.round(figures.duration_s))],
    ['Fixations', String(figures.fixations)],
    ['A fixation lasts', figures.fixation_s === null ? unknown : `${figures.fixation_s.toFixed(2)} s`],
    ['Blinks a minute', figures.blinks_per_minute === null ? unknown : figures.blinks_per_minute.toFixed(0)],
    ['Pupil', figures.pupil_mm === null ? unknown : `${figures.pupil_mm.toFixed(1)} mm`],
    ['Attentive', `${Math.round(figures.attentive * 100)} %`],
  ];
  return rows.map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, value)));
}

/** @param {(drawing: Drawing) => void} draw */
function choice(draw) {
  /** @param {Drawing} value @param {string} title */
  const option = (value, title) => {
    const input = element('input', { type: 'radio', name: 'summary-drawing', value, checked: value === 'heat', 'data-testid': `summary-${value}` });
    input.addEventListener('change', () => draw(value));
    return element('label', {}, input, element('span', {}, title));
  };
  return element(
    'fieldset',
    { class: 'parameter' },
    element('legend', { class: 'unseen' }, 'What is drawn'),
    element('div', { class: 'segments' }, option('heat', 'Heat map'), option('path', 'Scanpath')),
  );
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasImageSource | null} still
 * @param {Fixation[]} list
 * @param {Drawing} drawing
 */
function drawPicture(canvas, still, list, drawing) {
  const pen = canvas.getContext('2d');
  if (!pen) return;
  const { width, height } = canvas;
  pen.fillStyle = '#14141a';
  pen.fillRect(0, 0, width, height);
  if (still) pen.drawImage(still, 0, 0, width, height);
  pen.fillStyle = 'rgb(0 0 0 / 35%)';
  pen.fillRect(0, 0, width, height);
  if (drawing === 'heat') {
    const heat = new HeatGrid();
    for (const { x, y, duration_s } of list) heat.add([x, y], duration_s);
    heat.draw(pen, 0, 0, width, height);
  } else drawPath(pen, list, width, height);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Fixation[]} list
 * @param {number} width
 * @param {number} height
 */
function drawPath(pen, list, width, height) {
  pen.strokeStyle = 'rgb(255 255 255 / 70%)';
  pen.lineWidth = 2;
  pen.beginPath();
  for (const { x, y } of list) pen.lineTo(x * width, y * height);
  pen.stroke();
  pen.font = '600 13px system-ui';
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  list.forEach(({ x, y, duration_s }, number) => {
    pen.fillStyle = 'rgb(244 184 96 / 85%)';
    pen.beginPath();
    pen.arc(x * width, y * height, 7 + 14 * Math.sqrt(Math.min(duration_s, 3)), 0, 7);
    pen.fill();
    pen.fillStyle = '#211704';
    pen.fillText(String(number + 1), x * width, y * height);
  });
}

/** @param {Fixation[]} list */
function fixationTable(list) {
  const rows = list.slice(0, LISTED).map(({ start_s, duration_s, x, y }, number) =>
    element('tr', {},
      element('th', { scope: 'row' }, String(number + 1)),
      ...[formatTime(Math.round(start_s)), `${duration_s.toFixed(2)} s`, `${Math.round(x * 100)} %`, `${Math.round(y * 100)} %`].map((text) => element('td', {}, text)),
    ),
  );
  const head = ['', 'At', 'Lasts', 'Across', 'Down'].map((text) => (text ? element('th', { scope: 'col' }, text) : element('td')));
  const more = list.length > LISTED ? ` (the first ${LISTED} of ${list.length}; all are in the file)` : '';
  return element(
    'div',
    { class: 'table-frame', tabindex: '0', role: 'region', 'aria-label': 'Fixations' },
    element('table', { class: 'figures-table' },
      element('caption', {}, `Fixations${more}`),
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...rows),
    ),
  );
}

/** @param {Recording} recording */
function pupilCurve(recording) {
  /** @type {[number, number][]} */
  const known = [];
  /** @type {number | null} */
  let begin = null;
  for (const { t, pupil_mm } of recording.rows()) {
    const since_s = (t ?? 0) - (begin ??= t ?? 0);
    if (pupil_mm !== null) known.push([since_s, pupil_mm]);
  }
  const caption = element('figcaption', {}, 'Pupil over time');
  if (known.length < 2) {
    return element('figure', { class: 'curve' }, caption, element('p', { class: 'small' }, 'The pupils were not measured.'));
  }
  const size = Math.max(1, Math.floor(known.length / CURVE.points));
  const means = Array.from({ length: Math.floor(known.length / size) }, (_, number) => {
    const part = known.slice(number * size, (number + 1) * size);
    return [0, 1].map((axis) => part.reduce((sum, point) => sum + (point[axis] ?? 0), 0) / part.length);
  });
  const values = means.map(([, mm]) => mm ?? 0);
  const [low, high] = [Math.min(...values) - 0.1, Math.max(...values) + 0.1];
  const end_s = known.at(-1)?.[0] ?? 1;
  const points = means.map(([t = 0, mm = 0]) => `${((t / end_s) * CURVE.width).toFixed(1)},${((1 - (mm - low) / (high - low)) * CURVE.height).toFixed(1)}`);
  const label = `Pupil over time, from ${low.toFixed(1)} to ${high.toFixed(1)} mm`;
  return element(
    'figure',
    { class: 'curve' },
    caption,
    svg('svg', { viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
      svg('polyline', { points: points.join(' ') }),
    ),
    element('p', { class: 'small' }, `${low.toFixed(1)} to ${high.toFixed(1)} mm, ${formatTime(Math.round(end_s))} long`),
  );
}
