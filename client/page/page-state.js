/** What lies over the film when none is on: the welcome, waiting, problems; and the words around it. */

import { byId } from './shared/dom.js';

/** @typedef {import('../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {import('../gaze-client.js').StatsEvent} StatsEvent */
/** @typedef {import('./problem-texts.js').Problem} Problem */
/** @typedef {import('./url-state.js').GazeSource} GazeSource */
/** @typedef {'idle' | 'opening' | 'watching' | 'problem' | 'summary'} Scene */

const FACE_LOST_MS = 2000;
const POINTER_WORD = matchMedia('(pointer: coarse)').matches ? 'finger' : 'mouse';

export class Stage {
  #client;
  /** @type {GazeSource} */
  #gaze = 'camera';
  #faceSeen_ms = 0;

  /** @param {GazeClient} client */
  constructor(client) {
    this.#client = client;
    say('start-pointer', `Try it with your ${POINTER_WORD}`);
    say('problem-pointer', `Use your ${POINTER_WORD} instead`);
    client.on('gaze', (gaze) => this.#onGaze(gaze));
    client.on('stats', (stats) => this.#showStats(stats));
    this.#letPreviewFollow();
  }

  /** What lies over the film now. */
  get scene() {
    return /** @type {Scene} */ (document.body.dataset.state);
  }

  /** @param {Scene} scene */
  show(scene) {
    document.body.dataset.state = scene;
    byId('welcome', HTMLElement).hidden = scene !== 'idle';
    byId('opening', HTMLElement).hidden = scene !== 'opening';
    byId('problem', HTMLElement).hidden = scene !== 'problem';
    byId('preview', HTMLElement).hidden = scene === 'watching';
    byId('house', HTMLElement).hidden = scene === 'summary';
    byId('leave', HTMLButtonElement).hidden = scene !== 'watching';
    byId('eyes-toggle', HTMLButtonElement).hidden = scene !== 'watching';
    if (scene === 'watching') return this.status(this.#watchingText);
    this.status('');
    say('stats', '');
  }

  /** @param {string} text what the viewer waits for */
  wait(text) {
    say('opening-text', text);
  }

  /** @param {Problem} problem */
  problem({ title, text, detail, pointerHelps }) {
    say('problem-title', title);
    say('problem-text', text);
    say('problem-detail', detail ?? '');
    byId('problem-pointer', HTMLButtonElement).hidden = !pointerHelps;
    this.show('problem');
    byId('problem-retry', HTMLButtonElement).focus();
  }

  /** Back to the welcome, where a problem was told before. */
  forgetProblem() {
    if (!byId('problem', HTMLElement).hidden) this.show('idle');
  }

  /** @param {string} text */
  status(text) {
    say('status', text);
  }

  /**
   * @param {import('../gaze-client.js').SessionState} state
   * @param {GazeSource} gaze
   */
  onState(state, gaze) {
    this.#gaze = gaze;
    if (state === 'reconnecting') this.status('Connection lost – trying again…');
    if (state !== 'connected') return;
    this.#faceSeen_ms = performance.now();
    if (this.scene === 'watching') this.status(this.#watchingText);
  }

  get #watchingText() {
    return this.#gaze === 'camera' ? 'Following your eyes' : `Following your ${POINTER_WORD}`;
  }

  /** @param {GazeEvent} gaze */
  #onGaze({ event }) {
    const now_ms = performance.now();
    if (this.#gaze !== 'camera' || event !== 'lost') this.#faceSeen_ms = now_ms;
    if (this.scene !== 'watching') return;
    const lost = now_ms - this.#faceSeen_ms > FACE_LOST_MS;
    this.status(lost ? 'Your face is out of the picture' : this.#watchingText);
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
    if (this.scene === 'watching') say('stats', parts.join('  ·  '));
  }

  /** Before there is a film, a still of it is sharp where the mouse is. */
  #letPreviewFollow() {
    const preview = byId('preview', HTMLElement);
    window.addEventListener('pointermove', (event) => {
      if (preview.hidden) return;
      const box = preview.getBoundingClientRect();
      preview.style.setProperty('--x', `${event.clientX - box.x}px`);
      preview.style.setProperty('--y', `${event.clientY - box.y}px`);
    }, { passive: true });
  }
}

/** @param {string} id @param {string} text */
export function say(id, text) {
  const place = byId(id, HTMLElement);
  if (place.textContent !== text) place.textContent = text;
}
