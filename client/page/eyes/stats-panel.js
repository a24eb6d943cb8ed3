/** Delays of the processing stages, frame counts and bitrates, from the server and the browser. */

import { element } from '../shared/dom.js';

/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../../gaze-client.js').StatsEvent} StatsEvent */

/** @type {Record<string, string>} */
const STAGES = {
  camera_convert: 'Camera frame conversion',
  track: 'Gaze tracking',
  effects: 'Effects',
  encode: 'Encoding',
  gaze_age: 'Age of the gaze in a frame',
};

/** @typedef {{ bytes: number, t_ms: number }} Counter */

export class StatsPanel {
  #container;
  #client;
  /** @type {Map<string, Counter>} */
  #counters = new Map();

  /** @param {HTMLElement} container @param {GazeClient} client */
  constructor(container, client) {
    this.#container = container;
    this.#client = client;
  }

  /** @param {StatsEvent} stats */
  async show({ frames, latency_ms, gaze_age_ms }) {
    const [roundTrip_s, report] = await Promise.all([
      this.#client.ping().catch(() => null),
      this.#client.transportStats(),
    ]);
    /** @type {[string, string][]} */
    const delays = Object.entries(latency_ms ?? {}).map(([stage, { p50, p95 }]) => [
      STAGES[stage] ?? stage.replaceAll('_', ' '),
      `median ${formatDelay(p50)}, 95 % below ${formatDelay(p95)}`,
    ]);
    if (typeof gaze_age_ms === 'number') delays.push(['Age of the newest gaze', formatDelay(gaze_age_ms)]);
    if (roundTrip_s !== null) delays.push(['Round-trip time', formatDelay(1000 * roundTrip_s)]);
    /** @type {[string, string][]} */
    const counts = Object.entries(frames ?? {}).map(([stream, count]) => [
      `${stream.charAt(0).toUpperCase()}${stream.slice(1)} frames`,
      `${count.in} in, ${count.out} out, ${count.dropped} dropped`,
    ]);
    this.#container.replaceChildren(
      table('Delays', delays),
      table('Frames on the server', counts),
      table('This browser', this.#transport(report)),
    );
  }

  /** @param {RTCStatsReport | null} report @returns {[string, string][]} */
  #transport(report) {
    /** @type {[string, string][]} */
    const rows = [];
    for (const entry of report?.values() ?? []) {
      const sends = entry.type === 'outbound-rtp';
      if (!sends && entry.type !== 'inbound-rtp') continue;
      const bytes = sends ? entry.bytesSent : entry.bytesReceived;
      const rate_bps = this.#rate_bps(entry.id, bytes ?? 0, entry.timestamp);
      const name = `${entry.kind === 'video' ? 'Video' : 'Audio'} ${sends ? 'sent' : 'received'}`;
      const size = entry.frameWidth ? `${entry.frameWidth} × ${entry.frameHeight}, ${Math.round(entry.framesPerSecond ?? 0)} fps, ` : '';
      const dropped = entry.framesDropped ? `, ${entry.framesDropped} dropped` : '';
      const lost = entry.packetsLost ? `, ${entry.packetsLost} packets lost` : '';
      rows.push([name, `${size}${formatBitrate(rate_bps)}${dropped}${lost}`]);
    }
    return rows;
  }

  /** @param {string} id @param {number} bytes @param {number} t_ms @returns {number | null} */
  #rate_bps(id, bytes, t_ms) {
    const before = this.#counters.get(id);
    this.#counters.set(id, { bytes, t_ms });
    if (!before || t_ms <= before.t_ms) return null;
    return (8000 * (bytes - before.bytes)) / (t_ms - before.t_ms);
  }
}

/** @param {string} title @param {[string, string][]} rows */
function table(title, rows) {
  return element(
    'table',
    { class: 'figures-table', hidden: rows.length === 0 },
    element('caption', {}, title),
    element('tbody', {}, ...rows.map(([name, value]) => element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, value)))),
  );
}

/** @param {number} value_ms */
function formatDelay(value_ms) {
  return `${value_ms < 10 ? value_ms.toFixed(1) : Math.round(value_ms)} ms`;
}

/** @param {number | null} rate_bps */
function formatBitrate(rate_bps) {
  if (rate_bps === null) return '–';
  return rate_bps > 1e6 ? `${(rate_bps / 1e6).toFixed(1)} Mbit/s` : `${Math.round(rate_bps / 1000)} kbit/s`;
}
