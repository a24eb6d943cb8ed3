/**
 * Live plots of what the eyes do, drawn by uPlot, which the set-up puts beside this page. Where it
 * is missing the page says so and goes on without.
 */

import { element } from '../shared/dom.js';

/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */

const SHOWN_S = 15;
const DRAW_INTERVAL_MS = 100;
const HEIGHT_PX = 108;

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {string} colour name of a CSS variable
 * @property {(gaze: GazeEvent) => number | null | undefined} read
 */
/** @typedef {{ title: string, lines: Line[], range?: [number, number] }} PlotKind */

/** @type {PlotKind[]} */
const PLOTS = [
  {
    title: 'Gaze on the picture',
    range: [-0.2, 1.2],
    lines: [
      { label: 'x', colour: '--light', read: ({ shown }) => shown?.[0] },
      { label: 'y', colour: '--cool', read: ({ shown }) => shown?.[1] },
    ],
  },
  {
    title: 'Pupil, mm',
    lines: [{ label: 'diameter', colour: '--light', read: ({ pupil }) => pupil?.mm }],
  },
  {
    title: 'Openness of the lids',
    range: [0, 1.1],
    lines: [
      { label: 'left', colour: '--light', read: ({ openness }) => openness?.[0] },
      { label: 'right', colour: '--cool', read: ({ openness }) => openness?.[1] },
    ],
  },
  {
    title: 'Confidence',
    range: [0, 1.05],
    lines: [
      { label: 'gaze', colour: '--light', read: ({ confidence }) => confidence },
      { label: 'pupil', colour: '--cool', read: ({ pupil }) => pupil?.confidence },
    ],
  },
];
const EVENT_COLOURS = { fixation: '--good', saccade: '--light', pursuit: '--cool', blink: '--soft', lost: '--warn' };

/** @type {Promise<any> | null} */
let library = null;

/** @returns {Promise<any>} uPlot; null where it is not installed */
function loadLibrary() {
  library ??= (async () => {
    try {
      const url = new URL('../../vendor/uplot.js', import.meta.url).href;
      const { default: uPlot } = await import(url);
      document.head.append(element('link', { rel: 'stylesheet', href: new URL('../../vendor/uplot.css', import.meta.url).href }));
      return uPlot;
    } catch {
      return null;
    }
  })();
  return library;
}

/** All plots over the same seconds; nothing is drawn while they are not seen. */
export class Plots {
  #place;
  /** @type {{ kind: PlotKind, plot: any }[]} */
  #plots = [];
  #strip = element('canvas', { class: 'event-strip', height: 14, role: 'img', 'aria-label': 'Fixations, saccades, pursuits, blinks and losses of the last seconds' });
  /** @type {GazeEvent[]} */
  #samples = [];
  #drawn_ms = 0;
  #wanted = false;

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
  }

  /** @returns {Promise<void>} */
  async open() {
    if (this.#wanted) return;
    this.#wanted = true;
    const uPlot = await loadLibrary();
    if (!this.#wanted) return; // closed meanwhile
    if (!uPlot) {
      this.#place.replaceChildren(
        element('p', { class: 'small', 'data-testid': 'plots-off' }, 'The plots are off: the chart library is not installed on this server.'),
      );
      return;
    }
    this.#place.replaceChildren();
    const style = getComputedStyle(document.body);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--soft'), grid: { stroke: colour('--edge'), width: 1 }, ticks: { show: false }, font: '11px system-ui' };
    this.#plots = PLOTS.map((kind) => {
      const figure = element('figure', { class: 'plot', 'data-testid': 'plot' }, element('figcaption', {}, kind.title, ...kind.lines.map(legend)));
      this.#place.append(figure);
      const plot = new uPlot(
        {
          width: figure.clientWidth,
          height: HEIGHT_PX,
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { time: false }, y: kind.range ? { range: kind.range } : {} },
          axes: [{ ...axis, size: 22 }, { ...axis, size: 40 }],
          series: [{}, ...kind.lines.map((line) => ({ stroke: colour(line.colour), width: 1.6, points: { show: false } }))],
        },
        [[], ...kind.lines.map(() => [])],
        figure,
      );
      return { kind, plot };
    });
    const names = Object.entries(EVENT_COLOURS).map(([label, name]) => legend({ label, colour: name }));
    this.#place.append(element('figure', { class: 'plot' }, element('figcaption', {}, 'Events', ...names), this.#strip));
  }

  close() {
    this.#wanted = false;
    for (const { plot } of this.#plots) plot.destroy();
    this.#plots = [];
    this.#samples = [];
    this.#place.replaceChildren();
  }

  /** @param {GazeEvent} gaze */
  add(gaze) {
    if (this.#plots.length === 0) return;
    this.#samples.push(gaze);
    while (this.#samples[0] && this.#samples[0].t < gaze.t - SHOWN_S) this.#samples.shift();
    const now_ms = performance.now();
    if (document.hidden || now_ms - this.#drawn_ms < DRAW_INTERVAL_MS) return;
    this.#drawn_ms = now_ms;
    const times = this.#samples.map(({ t }) => t - gaze.t);
    for (const { kind, plot } of this.#plots) {
      const width = plot.root.parentElement.clientWidth;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT_PX });
      plot.setData([times, ...kind.lines.map(({ read }) => this.#samples.map((sample) => read(sample) ?? null))], false);
      plot.setScale('x', { min: -SHOWN_S, max: 0 });
    }
    this.#drawEvents(gaze.t);
  }

  /** @param {number} now_s */
  #drawEvents(now_s) {
    const width = this.#strip.clientWidth;
    if (this.#strip.width !== width) this.#strip.width = width;
    const pen = this.#strip.getContext('2d');
    if (!pen) return;
    const style = getComputedStyle(this.#strip);
    const colours = Object.fromEntries(Object.entries(EVENT_COLOURS).map(([name, variable]) => [name, style.getPropertyValue(variable)]));
    pen.clearRect(0, 0, width, this.#strip.height);
    this.#samples.forEach((gaze, number) => {
      if (!gaze.event) return;
      const start = (1 + (gaze.t - now_s) / SHOWN_S) * width;
      const next = this.#samples[number + 1]?.t ?? gaze.t + 0.04;
      pen.fillStyle = colours[gaze.event] ?? '';
      pen.fillRect(start, 0, Math.max(1, ((next - gaze.t) / SHOWN_S) * width), this.#strip.height);
    });
  }
}

/** @param {{ label: string, colour: string }} line */
function legend({ label, colour }) {
  const key = element('span', { class: 'key' }, label);
  key.style.setProperty('--key', `var(${colour})`);
  return key;
}
