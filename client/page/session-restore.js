/** What this tab watches, for a reload of it. Films of the page's own cannot be opened again. */

/** @typedef {{ media: string, gaze: import('./url-state.js').GazeSource, effects: import('../gaze-client.js').EffectSpec[] }} Watched */

const KEY = 'gaze.watched';

/** @param {Watched | null} watched null where there is nothing to go on with */
export function keepWatched(watched) {
  if (watched) sessionStorage.setItem(KEY, JSON.stringify(watched));
  else sessionStorage.removeItem(KEY);
}

/** @returns {Watched | null} */
export function keptWatched() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

/** Then the camera was on a moment ago; Firefox asks again, and its question is no surprise. */
export function wasReloaded() {
  const [navigation] = performance.getEntriesByType('navigation');
  return navigation instanceof PerformanceNavigationTiming && navigation.type === 'reload';
}
