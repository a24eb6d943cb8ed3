/** Positions and durations as a viewer reads them. */

/**
 * @param {number} time_s seconds; what is below zero counts as zero
 * @returns {string} minutes and whole seconds, rounded down, as `3:07`
 */
export function formatTime(time_s) {
  const whole_s = Math.max(0, Math.floor(time_s));
  return `${Math.floor(whole_s / 60)}:${String(whole_s % 60).padStart(2, '0')}`;
}
