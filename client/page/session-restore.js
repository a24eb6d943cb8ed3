/** What this tab watches, kept for a reload. A film that the page sends cannot be opened again. */

/** @typedef {{ media: string, gaze: import('./url-state.js').GazeSource, effects: import('../gaze-client.js').EffectSpec[] }} RestorableSession */

const KEY = 'gaze.watched';

/** @param {RestorableSession | null} session null where there is nothing to restore */
export function storeSession(session) {
  if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
  else sessionStorage.removeItem(KEY);
}

/** @returns {RestorableSession | null} */
export function restorableSession() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

/**
 * After a reload the camera may be opened at once: the viewer expects the browser's question.
 *
 * @returns {boolean}
 */
export function wasReloaded() {
  const [navigation] = performance.getEntriesByType('navigation');
  return navigation instanceof PerformanceNavigationTiming && navigation.type === 'reload';
}
