/** What every stage of the way takes: delays, frames, bitrates, as the server and browser tell. */

import { element } from '../shared/dom.js';

/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../../gaze-client.js').StatsEvent} StatsEvent */

/** @type {Record<string, string>} */
const STAGES = {
  camera_convert: 'Camera picture unpacked',
  track: 'Eyes found',
  effects: 'Effects drawn',
  encode: 'Film encoded',
  gaze_age: 'Age of the gaze when drawn',
};

/** @typedef {{ bytes: number, t_ms: number }} Counter */

export class StatsPanel {
  #place;
  #client;
  /** @type {Map<string, Counter>} */
  #counters = new Map();

  /** @param {HTMLElement} place @param {GazeClient} client */
  constructor(place, client) {
    this.#place = place;
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
      `${milliseconds(p50)}, at most ${milliseconds(p95)} in 95 of 100`,
    ]);
    if (typeof gaze_age_ms === 'number') delays.push(['Newest gaze', `${milliseconds(gaze_age_ms)} old`]);
    if (roundTrip_s !== null) delays.push(['Round trip of a message', milliseconds(1000 * roundTrip_s)]);
    /** @type {[string, string][]} */
    const counts = Object.entries(frames ?? {}).map(([stream, fate]) => [
      `${stream.charAt(0).toUpperCase()}${stream.slice(1)} frames`,
      `${fate.in} in, ${fate.out} out, ${fate.dropped} dropped`,
    ]);
    this.#place.replaceChildren(
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
      const name = `${sends ? 'Sends' : 'Gets'} ${entry.kind === 'video' ? 'pictures' : 'sound'}`;
      const size = entry.frameWidth ? `${entry.frameWidth} × ${entry.frameHeight}, ${Math.round(entry.framesPerSecond ?? 0)} a second, ` : '';
      const dropped = entry.framesDropped ? `, ${entry.framesDropped} dropped` : '';
      const lost = entry.packetsLost ? `, ${entry.packetsLost} packets lost` : '';
      rows.push([name, `${size}${kilobits(rate_bps)}${dropped}${lost}`]);
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
function milliseconds(value_ms) {
  return `${value_ms < 10 ? value_ms.toFixed(1) : Math.round(value_ms)} ms`;
}

/** @param {number | null} rate_bps */
function kilobits(rate_bps) {
  if (rate_bps === null) return '–';
  return rate_bps > 1e6 ? `${(rate_bps / 1e6).toFixed(1)} Mbit/s` : `${Math.round(rate_bps / 1000)} kbit/s`;
}
