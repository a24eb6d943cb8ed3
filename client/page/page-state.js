/** Which of its states the page shows: start, opening, watching, a problem or the summary. */

import { byId, setText } from './shared/dom.js';

/** @typedef {import('../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {import('../gaze-client.js').StatsEvent} StatsEvent */
/** @typedef {import('./problem-texts.js').Problem} Problem */
/** @typedef {import('./url-state.js').GazeSource} GazeSource */
/** @typedef {'idle' | 'opening' | 'watching' | 'problem' | 'summary'} PageStateName */

const FACE_LOST_MS = 2000;
const POINTER_NAME = matchMedia('(pointer: coarse)').matches ? 'finger' : 'mouse';

export class PageState {
  #client;
  /** @type {GazeSource} */
  #gaze = 'camera';
  #lastFace_ms = 0;

  /** @param {GazeClient} client */
  constructor(client) {
    this.#client = client;
    setText('start-pointer', `Try it with your ${POINTER_NAME}`);
    setText('problem-pointer', `Use your ${POINTER_NAME} instead`);
    client.on('gaze', (gaze) => this.#onGaze(gaze));
    client.on('stats', (stats) => this.#showStats(stats));
    this.#movePreviewWithPointer();
  }

  /** @returns {PageStateName} */
  get current() {
    return /** @type {PageStateName} */ (document.body.dataset.state);
  }

  /** @param {PageStateName} state */
  show(state) {
    document.body.dataset.state = state;
    byId('welcome', HTMLElement).hidden = state !== 'idle';
    byId('opening', HTMLElement).hidden = state !== 'opening';
    byId('problem', HTMLElement).hidden = state !== 'problem';
    byId('preview', HTMLElement).hidden = state === 'watching';
    byId('workspace', HTMLElement).hidden = state === 'summary';
    byId('leave', HTMLButtonElement).hidden = state !== 'watching';
    byId('eyes-toggle', HTMLButtonElement).hidden = state !== 'watching';
    if (state === 'watching') return this.showStatus(this.#watchingStatus);
    this.showStatus('');
    setText('stats', '');
  }

  /** @param {string} text what the page waits for while it opens a session */
  showProgress(text) {
    setText('opening-text', text);
  }

  /** @param {Problem} problem */
  showProblem({ title, text, detail, pointerHelps }) {
    setText('problem-title', title);
    setText('problem-text', text);
    setText('problem-detail', detail ?? '');
    byId('problem-pointer', HTMLButtonElement).hidden = !pointerHelps;
    this.show('problem');
    byId('problem-retry', HTMLButtonElement).focus();
  }

  /** Return from a problem to the start. */
  dismissProblem() {
    if (!byId('problem', HTMLElement).hidden) this.show('idle');
  }

  /** @param {string} text in the header */
  showStatus(text) {
    setText('status', text);
  }

  /**
   * @param {import('../gaze-client.js').SessionState} state
   * @param {GazeSource} gaze
   */
  onSessionState(state, gaze) {
    this.#gaze = gaze;
    if (state === 'reconnecting') this.showStatus('Connection lost – reconnecting…');
    if (state !== 'connected') return;
    this.#lastFace_ms = performance.now();
    if (this.current === 'watching') this.showStatus(this.#watchingStatus);
  }

  get #watchingStatus() {
    return this.#gaze === 'camera' ? 'Following your eyes' : `Following your ${POINTER_NAME}`;
  }

  /** @param {GazeEvent} gaze */
  #onGaze({ event }) {
    const now_ms = performance.now();
    if (this.#gaze !== 'camera' || event !== 'lost') this.#lastFace_ms = now_ms;
    if (this.current !== 'watching') return;
    const lost = now_ms - this.#lastFace_ms > FACE_LOST_MS;
    this.showStatus(lost ? 'Your face is not in the camera picture' : this.#watchingStatus);
  }

  /** @param {StatsEvent} stats */
  async #showStats({ gaze_age_ms }) {
    const [roundTrip_s, report] = await Promise.all([
      this.#client.ping().catch(() => null),
      this.#client.transportStats(),
    ]);
    const parts = [];
    for (const entry of report?.values() ?? []) {
      if (entry.type !== 'inbound-rtp' || entry.kind !== 'video' || !entry.frameWidth) continue;
      parts.push(`${entry.frameWidth}×${entry.frameHeight}`, `${Math.round(entry.framesPerSecond ?? 0)} fps`);
    }
    if (roundTrip_s !== null) parts.push(`${Math.round(roundTrip_s * 1000)} ms round trip`);
    if (typeof gaze_age_ms === 'number') parts.push(`gaze ${Math.round(gaze_age_ms)} ms old`);
    if (this.current === 'watching') setText('stats', parts.join('  ·  '));
  }

  /** Before the film plays, a still of it is sharp around the pointer. */
  #movePreviewWithPointer() {
    const preview = byId('preview', HTMLElement);
    window.addEventListener('pointermove', (event) => {
      if (preview.hidden) return;
      const box = preview.getBoundingClientRect();
      preview.style.setProperty('--x', `${event.clientX - box.x}px`);
      preview.style.setProperty('--y', `${event.clientY - box.y}px`);
    }, { passive: true });
  }
}
