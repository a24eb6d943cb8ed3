/**
 * Live plots of gaze, pupil, eye openness and confidence, drawn by uPlot, which the set-up copies to
 * `client/vendor`. Where it is missing the page says so and works without.
 */

import { element } from '../shared/dom.js';

/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */

const SHOWN_S = 15;
const DRAW_INTERVAL_MS = 100;
const HEIGHT_PX = 108;

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {string} colour name of a CSS variable
 * @property {(gaze: GazeEvent) => number | null | undefined} read
 */
/** @typedef {{ title: string, series: Series[], range?: [number, number] }} PlotDefinition */

/** @type {PlotDefinition[]} */
const PLOTS = [
  {
    title: 'Gaze on the picture',
    range: [-0.2, 1.2],
    series: [
      { label: 'x', colour: '--accent', read: ({ shown }) => shown?.[0] },
      { label: 'y', colour: '--second-series', read: ({ shown }) => shown?.[1] },
    ],
  },
  {
    title: 'Pupil, mm',
    series: [{ label: 'diameter', colour: '--accent', read: ({ pupil }) => pupil?.mm }],
  },
  {
    title: 'Eye openness',
    range: [0, 1.1],
    series: [
      { label: 'left', colour: '--accent', read: ({ openness }) => openness?.[0] },
      { label: 'right', colour: '--second-series', read: ({ openness }) => openness?.[1] },
    ],
  },
  {
    title: 'Confidence',
    range: [0, 1.05],
    series: [
      { label: 'gaze', colour: '--accent', read: ({ confidence }) => confidence },
      { label: 'pupil', colour: '--second-series', read: ({ pupil }) => pupil?.confidence },
    ],
  },
];
const EVENT_COLOURS = { fixation: '--good', saccade: '--accent', pursuit: '--second-series', blink: '--text-muted', lost: '--warn' };

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

/** All plots over the same seconds. Nothing is drawn while the page is hidden. */
export class SignalPlots {
  #container;
  /** @type {{ definition: PlotDefinition, plot: any }[]} */
  #plots = [];
  #eventStrip = element('canvas', { class: 'event-strip', height: 14, role: 'img', 'aria-label': 'Fixations, saccades, smooth pursuits, blinks and tracking losses of the last seconds' });
  /** @type {GazeEvent[]} */
  #samples = [];
  #lastDrawn_ms = 0;
  #isOpen = false;

  /** @param {HTMLElement} container */
  constructor(container) {
    this.#container = container;
  }

  /** @returns {Promise<void>} */
  async open() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const uPlot = await loadLibrary();
    if (!this.#isOpen) return; // closed meanwhile
    if (!uPlot) {
      this.#container.replaceChildren(
        element('p', { class: 'small', 'data-testid': 'plots-off' }, 'The plots are off: the chart library is not installed on this server.'),
      );
      return;
    }
    this.#container.replaceChildren();
    const style = getComputedStyle(document.body);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--text-muted'), grid: { stroke: colour('--border'), width: 1 }, ticks: { show: false }, font: '11px system-ui' };
    this.#plots = PLOTS.map((definition) => {
      const figure = element('figure', { class: 'plot', 'data-testid': 'plot' }, element('figcaption', {}, definition.title, ...definition.series.map(legend)));
      this.#container.append(figure);
      const plot = new uPlot(
        {
          width: figure.clientWidth,
          height: HEIGHT_PX,
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { time: false }, y: definition.range ? { range: definition.range } : {} },
          axes: [{ ...axis, size: 22 }, { ...axis, size: 40 }],
          series: [{}, ...definition.series.map((series) => ({ stroke: colour(series.colour), width: 1.6, points: { show: false } }))],
        },
        [[], ...definition.series.map(() => [])],
        figure,
      );
      return { definition, plot };
    });
    const names = Object.entries(EVENT_COLOURS).map(([label, name]) => legend({ label, colour: name }));
    this.#container.append(element('figure', { class: 'plot' }, element('figcaption', {}, 'Events', ...names), this.#eventStrip));
  }

  close() {
    this.#isOpen = false;
    for (const { plot } of this.#plots) plot.destroy();
    this.#plots = [];
    this.#samples = [];
    this.#container.replaceChildren();
  }

  /** @param {GazeEvent} gaze */
  add(gaze) {
    if (this.#plots.length === 0) return;
    this.#samples.push(gaze);
    while (this.#samples[0] && this.#samples[0].t < gaze.t - SHOWN_S) this.#samples.shift();
    const now_ms = performance.now();
    if (document.hidden || now_ms - this.#lastDrawn_ms < DRAW_INTERVAL_MS) return;
    this.#lastDrawn_ms = now_ms;
    const times = this.#samples.map(({ t }) => t - gaze.t);
    for (const { definition, plot } of this.#plots) {
      const width = plot.root.parentElement.clientWidth;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT_PX });
      plot.setData([times, ...definition.series.map(({ read }) => this.#samples.map((sample) => read(sample) ?? null))], false);
      plot.setScale('x', { min: -SHOWN_S, max: 0 });
    }
    this.#drawEvents(gaze.t);
  }

  /** @param {number} now_s */
  #drawEvents(now_s) {
    const width = this.#eventStrip.clientWidth;
    if (this.#eventStrip.width !== width) this.#eventStrip.width = width;
    const context = this.#eventStrip.getContext('2d');
    if (!context) return;
    const style = getComputedStyle(this.#eventStrip);
    const colours = Object.fromEntries(Object.entries(EVENT_COLOURS).map(([name, variable]) => [name, style.getPropertyValue(variable)]));
    context.clearRect(0, 0, width, this.#eventStrip.height);
    this.#samples.forEach((gaze, number) => {
      if (!gaze.event) return;
      const start = (1 + (gaze.t - now_s) / SHOWN_S) * width;
      const next = this.#samples[number + 1]?.t ?? gaze.t + 0.04;
      context.fillStyle = colours[gaze.event] ?? '';
      context.fillRect(start, 0, Math.max(1, ((next - gaze.t) / SHOWN_S) * width), this.#eventStrip.height);
    });
  }
}

/** @param {{ label: string, colour: string }} series */
function legend({ label, colour }) {
  const node = element('span', { class: 'legend' }, label);
  node.style.setProperty('--legend', `var(${colour})`);
  return node;
}
