/**
 * The camera check before a calibration: face, distance, illumination and frame rate. It shows one
 * hint at a time, the most helpful one, and marks everything that is insufficient. Illumination is
 * measured here, in the local picture.
 */

import { element } from '../shared/dom.js';
import { openModal } from '../shared/modal.js';
import { PLANS } from './calibration-targets.js';
import { IlluminationMeter } from './illumination.js';

/** @typedef {import('./calibration-targets.js').PlanName} PlanName */
/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {import('./illumination.js').Illumination} Illumination */

/**
 * @typedef {object} CameraState null is unknown
 * @property {number} samples_hz gaze samples within the last second
 * @property {boolean} face whether one is found
 * @property {number | null} distance_mm from the camera
 * @property {number | null} yaw_deg of the head
 * @property {Illumination | null} illumination
 * @property {[width: number, height: number]} size of the camera picture, px
 * @property {boolean} [pursuit] whether the moving dot is chosen
 */
/** @typedef {'camera' | 'face' | 'distance' | 'light'} Subject */

// The limits of the hints are chosen by hand; no benchmark covers them.
const MIN_SAMPLES_HZ = 12;
const MIN_DISTANCE_MM = 330;
const MAX_DISTANCE_MM = 800;
const MAX_YAW_DEG = 20;
const MIN_FACE_LUMA = 0.22;
const MAX_BACKLIGHT = 0.25;
const MAX_GLARE = 0.012;
const MIN_WIDTH_PX = 480;
const CHECK_INTERVAL_MS = 250;

/**
 * Hints on what to improve, the most helpful first.
 *
 * @param {CameraState} state
 * @returns {{ subject: Subject, text: string }[]} empty where all is well
 */
export function hintsFor({ samples_hz, face, distance_mm, yaw_deg, illumination, size, pursuit = false }) {
  const distance = distance_mm ?? (MIN_DISTANCE_MM + MAX_DISTANCE_MM) / 2;
  const { face: bright, around, glare } = illumination ?? { face: 1, around: 1, glare: 0 };
  /** @type {[boolean, Subject, string][]} */
  const hints = [
    [samples_hz === 0, 'camera', 'No picture arrives. Is the camera covered, or in use elsewhere?'],
    [bright < MIN_FACE_LUMA, 'light', 'More light from the front, please.'],
    [!face, 'face', 'No face is seen. Sit in front of the camera, in the middle of its picture.'],
    [around - bright > MAX_BACKLIGHT, 'light', 'It is bright behind you. Turn away from the window, or put a light in front of you.'],
    [distance > MAX_DISTANCE_MM, 'distance', 'Come a little closer.'],
    [distance < MIN_DISTANCE_MM, 'distance', 'Move back a little.'],
    [Math.abs(yaw_deg ?? 0) > MAX_YAW_DEG, 'face', 'Turn your face to the screen.'],
    [glare > MAX_GLARE, 'light', 'There is a bright reflection near your eyes. With glasses, dim the light, or tilt your head a little.'],
    [samples_hz < MIN_SAMPLES_HZ && pursuit, 'camera', `Only ${samples_hz} pictures a second arrive, and the moving dot needs more. Choose fixed dots.`],
    [samples_hz < MIN_SAMPLES_HZ, 'camera', `Only ${samples_hz} pictures a second arrive. More light helps, or closing other programs.`],
    [size[0] > 0 && size[0] < MIN_WIDTH_PX, 'camera', 'The picture is small. Another camera would see your eyes better.'],
  ];
  return hints.filter(([holds]) => holds).map(([, subject, text]) => ({ subject, text }));
}

/**
 * Show the camera and the hints until the viewer begins.
 *
 * @param {GazeClient} client
 * @param {MediaStream} stream of the camera
 * @param {HTMLElement} container of the dialog
 * @param {AbortSignal} signal closes it
 * @returns {Promise<PlanName | null>} the plan that the viewer chose; null for none
 */
export function checkCamera(client, stream, container, signal) {
  return new Promise((resolve) => new CameraCheck(client, stream, container, signal, resolve));
}

class CameraCheck {
  #video = element('video', { playsinline: true, 'aria-label': 'Your camera, mirrored' });
  #hint = element('p', { class: 'camera-check-hint', role: 'status', 'data-testid': 'camera-check-hint' }, 'Checking…');
  #list = element('ul', { class: 'camera-check-list' });
  #plans = element('div', { class: 'segments' });
  #illumination = new IlluminationMeter(this.#video);
  /** @type {number[]} */
  #sampleTimes_ms = [];
  /** @type {GazeEvent | null} */
  #gaze = null;
  #finish;

  /**
   * @param {GazeClient} client
   * @param {MediaStream} stream
   * @param {HTMLElement} container
   * @param {AbortSignal} signal
   * @param {(plan: PlanName | null) => void} resolve
   */
  constructor(client, stream, container, signal, resolve) {
    this.#video.muted = true;
    this.#video.srcObject = stream;
    this.#video.play().catch(() => {});
    const begin = element('button', { type: 'button', class: 'primary', 'data-testid': 'camera-check-begin' }, 'Begin');
    const cancel = element('button', { type: 'button', class: 'quiet', 'data-testid': 'camera-check-cancel' }, 'Not now');
    this.#makePlans();
    const closeModal = openModal(container, this.#panel(begin, cancel));
    begin.focus();
    const removeListener = client.on('gaze', (gaze) => this.#onGaze(gaze));
    const timer = setInterval(() => this.#check(), CHECK_INTERVAL_MS);
    const ending = new AbortController();
    this.#finish = (/** @type {PlanName | null} */ plan) => {
      ending.abort();
      clearInterval(timer);
      removeListener();
      this.#video.srcObject = null;
      closeModal();
      resolve(plan);
    };
    begin.addEventListener('click', () => this.#finish(this.#plan));
    cancel.addEventListener('click', () => this.#finish(null));
    signal.addEventListener('abort', () => this.#finish(null), { signal: ending.signal });
    document.addEventListener('keydown', ({ key }) => key === 'Escape' && this.#finish(null), { signal: ending.signal });
  }

  /** @returns {PlanName} */
  get #plan() {
    const checked = this.#plans.querySelector('input:checked');
    return checked instanceof HTMLInputElement ? /** @type {PlanName} */ (checked.value) : '9';
  }

  #makePlans() {
    for (const { name, title, takes } of PLANS) {
      const input = element('input', {
        type: 'radio',
        name: 'plan',
        value: name,
        checked: name === '9',
        'data-testid': `plan-${name}`,
      });
      this.#plans.append(element('label', { title: takes }, input, element('span', {}, title)));
    }
  }

  /** @param {HTMLElement} begin @param {HTMLElement} cancel */
  #panel(begin, cancel) {
    return element(
      'div',
      { class: 'camera-check', 'data-testid': 'camera-check' },
      element('div', { class: 'camera-check-video' }, this.#video, element('i', { class: 'face-outline' })),
      element(
        'div',
        { class: 'camera-check-text' },
        element('h2', {}, 'Can the camera see your eyes?'),
        this.#hint,
        this.#list,
        element('fieldset', { class: 'parameter' }, element('legend', {}, 'Look at'), this.#plans),
        element(
          'p',
          { class: 'small' },
          'Sit comfortably and follow the dots with your eyes only. ',
          element('span', { class: 'by-keys' }, 'S skips a dot, R repeats it.'),
        ),
        element('div', { class: 'actions' }, begin, cancel),
      ),
    );
  }

  /** @param {GazeEvent} gaze */
  #onGaze(gaze) {
    this.#gaze = gaze;
    this.#sampleTimes_ms.push(performance.now());
  }

  #check() {
    const now_ms = performance.now();
    while (this.#sampleTimes_ms[0] !== undefined && this.#sampleTimes_ms[0] < now_ms - 1000) this.#sampleTimes_ms.shift();
    const head = this.#gaze?.head ?? null;
    const state = {
      samples_hz: this.#sampleTimes_ms.length,
      face: head !== null,
      distance_mm: head?.distance ?? null,
      yaw_deg: head?.yaw ?? null,
      illumination: this.#illumination.measure(),
      size: /** @type {[number, number]} */ ([this.#video.videoWidth, this.#video.videoHeight]),
      pursuit: this.#plan === 'pursuit',
    };
    this.#show(state);
  }

  /** @param {CameraState} state */
  #show(state) {
    const hints = hintsFor(state);
    const text = hints[0]?.text ?? 'All is well. Begin when you like.';
    if (this.#hint.textContent !== text) this.#hint.textContent = text;
    this.#hint.classList.toggle('good', hints.length === 0);
    const { size, samples_hz, distance_mm, illumination, face } = state;
    /** @type {[Subject, string][]} */
    const rows = [
      ['face', face ? 'Face found' : 'No face'],
      ['distance', distance_mm === null ? 'Distance unknown' : `${Math.round(distance_mm / 10)} cm away`],
      ['light', illumination === null ? 'Light unknown' : `Light ${Math.round(illumination.face * 100)} %`],
      ['camera', `${size[0]} × ${size[1]}, ${samples_hz} fps`],
    ];
    const insufficient = hints.map(({ subject }) => subject);
    const unknown = [...(distance_mm === null ? ['distance'] : []), ...(illumination === null ? ['light'] : [])];
    /** @param {Subject} subject */
    const mark = (subject) => (insufficient.includes(subject) ? 'insufficient' : unknown.includes(subject) ? 'unknown' : 'sufficient');
    this.#list.replaceChildren(...rows.map(([subject, text]) => element('li', { class: mark(subject) }, text)));
  }
}
