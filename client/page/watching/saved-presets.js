/** The viewer's own presets, saved on this device beside those of the server. */

/** @typedef {import('../../gaze-client.js').Preset} Preset */

const KEY = 'gaze.presets';
const MAX_PRESETS = 24;

/** @returns {Preset[]} invalid entries are left out */
export function savedPresets() {
  try {
    const saved = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(saved) ? saved.filter((one) => one?.title && Array.isArray(one.effects)) : [];
  } catch {
    return [];
  }
}

/** @param {Preset[]} presets the newest last; older ones beyond the limit are dropped */
export function savePresets(presets) {
  localStorage.setItem(KEY, JSON.stringify(presets.slice(-MAX_PRESETS)));
}
