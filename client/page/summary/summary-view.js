/**
 * The summary after a session: heat map, scanpath, fixations, blinks and pupil. It is made of the
 * recording in this tab's memory, and can be saved.
 */

import { byId, element, svg } from '../shared/dom.js';
import { formatTime } from '../shared/time-format.js';
import { Heatmap } from '../shared/heatmap.js';
import { fixations, fixationsToCsv, measuresOf } from './eye-movement-measures.js';

/** @typedef {import('./eye-movement-measures.js').Fixation} Fixation */
/** @typedef {import('./gaze-recording.js').GazeRecording} GazeRecording */
/** @typedef {'heatmap' | 'scanpath'} Visualization */

const WIDTH_PX = 960;
const MAX_LISTED = 40;
const PUPIL_PLOT = { width: 600, height: 120, points: 200 };

export class SummaryView {
  #root = byId('summary', HTMLElement);
  #onAgain;
  #onDone;

  /** @param {() => void} onAgain watch again @param {() => void} onDone back to the start */
  constructor(onAgain, onDone) {
    this.#onAgain = onAgain;
    this.#onDone = onDone;
  }

  /**
   * @param {GazeRecording} recording
   * @param {CanvasImageSource & { width: number, height: number } | null} still of the film
   */
  open(recording, still) {
    const list = fixations(recording.rows());
    const canvas = element('canvas', { role: 'img', 'data-testid': 'summary-picture' });
    canvas.width = WIDTH_PX;
    canvas.height = still ? Math.round((WIDTH_PX * still.height) / still.width) : Math.round((WIDTH_PX * 9) / 16);
    /** @param {Visualization} visualization */
    const draw = (visualization) => {
      drawPicture(canvas, still, list, visualization);
      canvas.setAttribute('aria-label', visualization === 'heatmap' ? 'Heat map of your fixations on the film' : 'Scanpath of your fixations over the film');
    };
    draw('heatmap');
    this.#root.replaceChildren(
      element('h2', { id: 'summary-title', tabindex: '-1' }, 'Where you looked'),
      element('p', { class: 'small' }, 'This is kept in the memory of this tab only, and is lost when you leave the page, unless you save it.'),
      element('dl', { class: 'figures', 'data-testid': 'summary-figures' }, ...measureRows(recording)),
      element('div', { class: 'summary-parts' },
        element('figure', { class: 'summary-picture' }, canvas, visualizationChoice(draw)),
        element('div', { class: 'summary-lists' }, pupilPlot(recording), fixationTable(list)),
      ),
      this.#actions(recording, list, canvas),
    );
    this.#root.hidden = false;
    /** @type {HTMLElement | null} */ (this.#root.querySelector('h2'))?.focus();
    scrollTo(0, 0);
  }

  close() {
    this.#root.hidden = true;
    this.#root.replaceChildren();
  }

  /** @param {GazeRecording} recording @param {Fixation[]} list @param {HTMLCanvasElement} canvas */
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

/** @param {GazeRecording} recording */
function measureRows(recording) {
  const measures = measuresOf(recording);
  const unknown = 'unknown';
  /** @type {[string, string][]} */
  const rows = [
    ['Watched', formatTime(Math.round(measures.duration_s))],
    ['Fixations', String(measures.fixations)],
    ['Mean fixation', measures.fixation_s === null ? unknown : `${measures.fixation_s.toFixed(2)} s`],
    ['Blinks a minute', measures.blinks_per_minute === null ? unknown : measures.blinks_per_minute.toFixed(0)],
    ['Pupil', measures.pupil_mm === null ? unknown : `${measures.pupil_mm.toFixed(1)} mm`],
    ['Attention', `${Math.round(measures.attentive * 100)} %`],
  ];
  return rows.map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, value)));
}

/** @param {(visualization: Visualization) => void} draw */
function visualizationChoice(draw) {
  /** @param {Visualization} value @param {string} title */
  const option = (value, title) => {
    const input = element('input', { type: 'radio', name: 'summary-visualization', value, checked: value === 'heatmap', 'data-testid': `summary-${value}` });
    input.addEventListener('change', () => draw(value));
    return element('label', {}, input, element('span', {}, title));
  };
  return element(
    'fieldset',
    { class: 'parameter' },
    element('legend', { class: 'visually-hidden' }, 'Visualization'),
    element('div', { class: 'segments' }, option('heatmap', 'Heat map'), option('scanpath', 'Scanpath')),
  );
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasImageSource | null} still
 * @param {Fixation[]} list
 * @param {Visualization} visualization
 */
function drawPicture(canvas, still, list, visualization) {
  const context = canvas.getContext('2d');
  if (!context) return;
  const { width, height } = canvas;
  context.fillStyle = '#14141a';
  context.fillRect(0, 0, width, height);
  if (still) context.drawImage(still, 0, 0, width, height);
  context.fillStyle = 'rgb(0 0 0 / 35%)';
  context.fillRect(0, 0, width, height);
  if (visualization === 'heatmap') {
    const heat = new Heatmap();
    for (const { x, y, duration_s } of list) heat.add([x, y], duration_s);
    heat.draw(context, 0, 0, width, height);
  } else drawScanpath(context, list, width, height);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Fixation[]} list
 * @param {number} width
 * @param {number} height
 */
function drawScanpath(context, list, width, height) {
  context.strokeStyle = 'rgb(255 255 255 / 70%)';
  context.lineWidth = 2;
  context.beginPath();
  for (const { x, y } of list) context.lineTo(x * width, y * height);
  context.stroke();
  context.font = '600 13px system-ui';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  list.forEach(({ x, y, duration_s }, number) => {
    context.fillStyle = 'rgb(244 184 96 / 85%)';
    context.beginPath();
    context.arc(x * width, y * height, 7 + 14 * Math.sqrt(Math.min(duration_s, 3)), 0, 7);
    context.fill();
    context.fillStyle = '#211704';
    context.fillText(String(number + 1), x * width, y * height);
  });
}

/** @param {Fixation[]} list */
function fixationTable(list) {
  const rows = list.slice(0, MAX_LISTED).map(({ start_s, duration_s, x, y }, number) =>
    element('tr', {},
      element('th', { scope: 'row' }, String(number + 1)),
      ...[formatTime(Math.round(start_s)), `${duration_s.toFixed(2)} s`, `${Math.round(x * 100)} %`, `${Math.round(y * 100)} %`].map((text) => element('td', {}, text)),
    ),
  );
  const head = ['', 'Start', 'Duration', 'X', 'Y'].map((text) => (text ? element('th', { scope: 'col' }, text) : element('td')));
  const more = list.length > MAX_LISTED ? ` (the first ${MAX_LISTED} of ${list.length}; all are in the file)` : '';
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

/** @param {GazeRecording} recording */
function pupilPlot(recording) {
  /** @type {[number, number][]} */
  const known = [];
  /** @type {number | null} */
  let begin = null;
  for (const { t, pupil_mm } of recording.rows()) {
    const since_s = (t ?? 0) - (begin ??= t ?? 0);
    if (pupil_mm !== null) known.push([since_s, pupil_mm]);
  }
  const caption = element('figcaption', {}, 'Pupil diameter over time');
  if (known.length < 2) {
    return element('figure', { class: 'curve' }, caption, element('p', { class: 'small' }, 'The pupils were not measured.'));
  }
  const size = Math.max(1, Math.floor(known.length / PUPIL_PLOT.points));
  const means = Array.from({ length: Math.floor(known.length / size) }, (_, number) => {
    const part = known.slice(number * size, (number + 1) * size);
    return [0, 1].map((axis) => part.reduce((sum, point) => sum + (point[axis] ?? 0), 0) / part.length);
  });
  const values = means.map(([, mm]) => mm ?? 0);
  const [low, high] = [Math.min(...values) - 0.1, Math.max(...values) + 0.1];
  const end_s = known.at(-1)?.[0] ?? 1;
  const points = means.map(([t = 0, mm = 0]) => `${((t / end_s) * PUPIL_PLOT.width).toFixed(1)},${((1 - (mm - low) / (high - low)) * PUPIL_PLOT.height).toFixed(1)}`);
  const label = `Pupil diameter over time, from ${low.toFixed(1)} to ${high.toFixed(1)} mm`;
  return element(
    'figure',
    { class: 'curve' },
    caption,
    svg('svg', { viewBox: `0 0 ${PUPIL_PLOT.width} ${PUPIL_PLOT.height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
      svg('polyline', { points: points.join(' ') }),
    ),
    element('p', { class: 'small' }, `${low.toFixed(1)} to ${high.toFixed(1)} mm, over ${formatTime(Math.round(end_s))}`),
  );
}
