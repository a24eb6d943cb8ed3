/** The mixes of effects that the viewer keeps on this device, beside the server's presets. */

/** @typedef {import('../../gaze-client.js').Preset} Preset */

const KEY = 'gaze.presets';
const MOST = 24;

/** @returns {Preset[]} what is kept; a broken entry is passed over */
export function keptPresets() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one) => one?.title && Array.isArray(one.effects)) : [];
  } catch {
    return [];
  }
}

/** @param {Preset[]} presets the newest last; only so many stay */
export function keepPresets(presets) {
  localStorage.setItem(KEY, JSON.stringify(presets.slice(-MOST)));
}
