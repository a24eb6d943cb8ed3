/**
 * A look at the camera before a calibration: is there a face, is it near enough, is there light.
 * Says one thing at a time that would help, and marks all that could be better. The light is measured here, from the local picture.
 */

import { PLANS } from './calibration-targets.js';
import { element } from '../shared/dom.js';
import { Light } from './illumination.js';
import { cover } from '../shared/modal.js';

/** @typedef {import('./calibration-targets.js').PlanName} PlanName */
/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../../gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {import('./illumination.js').LightFigures} LightFigures */

/**
 * @typedef {object} Seen whatever is unknown is null
 * @property {number} samples_hz that the server made of the camera's pictures within the last second
 * @property {boolean} face
 * @property {number | null} distance_mm
 * @property {number | null} yaw_deg
 * @property {LightFigures | null} light
 * @property {[width: number, height: number]} size of the camera's picture
 * @property {boolean} [follows] a moving dot is chosen
 */
/** @typedef {'camera' | 'face' | 'distance' | 'light'} Subject */

const FEWEST_HZ = 12;
const NEAREST_MM = 330;
const FARTHEST_MM = 800;
const TURNED_DEG = 20;
const DARK = 0.22;
const BACKLIT = 0.25;
const GLARE = 0.012;
const SMALLEST_PX = 480;
const LOOK_MS = 250;

/**
 * What would help, the most helpful first.
 *
 * @param {Seen} seen
 * @returns {{ subject: Subject, text: string }[]} nothing where all is well
 */
export function hintsFor({ samples_hz, face, distance_mm, yaw_deg, light, size, follows = false }) {
  const distance = distance_mm ?? (NEAREST_MM + FARTHEST_MM) / 2;
  const { face: bright, around, glare } = light ?? { face: 1, around: 1, glare: 0 };
  /** @type {[boolean, Subject, string][]} */
  const hints = [
    [samples_hz === 0, 'camera', 'No picture arrives. Is the camera covered, or in use elsewhere?'],
    [bright < DARK, 'light', 'More light from the front, please.'],
    [!face, 'face', 'No face is seen. Sit in front of the camera, in the middle of its picture.'],
    [around - bright > BACKLIT, 'light', 'It is bright behind you. Turn away from the window, or put a light in front of you.'],
    [distance > FARTHEST_MM, 'distance', 'Come a little closer.'],
    [distance < NEAREST_MM, 'distance', 'Move back a little.'],
    [Math.abs(yaw_deg ?? 0) > TURNED_DEG, 'face', 'Turn your face to the screen.'],
    [glare > GLARE, 'light', 'Something bright is mirrored near your eyes. Glasses? Lower the light, or tilt your head a little.'],
    [samples_hz < FEWEST_HZ && follows, 'camera', `Only ${samples_hz} pictures a second arrive, and a moving dot needs more. Choose dots that rest.`],
    [samples_hz < FEWEST_HZ, 'camera', `Only ${samples_hz} pictures a second arrive. More light helps, or closing other programs.`],
    [size[0] > 0 && size[0] < SMALLEST_PX, 'camera', 'The picture is small. Another camera would see your eyes better.'],
  ];
  return hints.filter(([holds]) => holds).map(([, subject, text]) => ({ subject, text }));
}

/**
 * Show the camera and what is seen of it until the viewer begins.
 *
 * @param {GazeClient} client
 * @param {MediaStream} stream of the camera
 * @param {HTMLElement} place
 * @param {AbortSignal} signal closes it
 * @returns {Promise<PlanName | null>} how to calibrate; null where the viewer does not want to
 */
export function checkCamera(client, stream, place, signal) {
  return new Promise((resolve) => new Check(client, stream, place, signal, resolve));
}

class Check {
  #video = element('video', { playsinline: true, 'aria-label': 'Your camera, mirrored' });
  #hint = element('p', { class: 'check-hint', role: 'status', 'data-testid': 'check-hint' }, 'Looking…');
  #list = element('ul', { class: 'checks' });
  #plans = element('div', { class: 'segments' });
  #light = new Light(this.#video);
  /** @type {number[]} */
  #times_ms = [];
  /** @type {GazeEvent | null} */
  #gaze = null;
  #finish;

  /**
   * @param {GazeClient} client
   * @param {MediaStream} stream
   * @param {HTMLElement} place
   * @param {AbortSignal} signal
   * @param {(plan: PlanName | null) => void} resolve
   */
  constructor(client, stream, place, signal, resolve) {
    this.#video.muted = true;
    this.#video.srcObject = stream;
    this.#video.play().catch(() => {});
    const begin = element('button', { type: 'button', class: 'primary', 'data-testid': 'check-begin' }, 'Begin');
    const cancel = element('button', { type: 'button', class: 'quiet', 'data-testid': 'check-cancel' }, 'Not now');
    this.#makePlans();
    const uncover = cover(place, this.#panel(begin, cancel));
    begin.focus();
    const stopHearing = client.on('gaze', (gaze) => this.#hear(gaze));
    const timer = setInterval(() => this.#look(), LOOK_MS);
    const ending = new AbortController();
    this.#finish = (/** @type {PlanName | null} */ plan) => {
      ending.abort();
      clearInterval(timer);
      stopHearing();
      this.#video.srcObject = null;
      uncover();
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
      { class: 'check-panel', 'data-testid': 'check' },
      element('div', { class: 'check-picture' }, this.#video, element('i', { class: 'oval' })),
      element(
        'div',
        { class: 'check-words' },
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
  #hear(gaze) {
    this.#gaze = gaze;
    this.#times_ms.push(performance.now());
  }

  #look() {
    const now_ms = performance.now();
    while (this.#times_ms[0] !== undefined && this.#times_ms[0] < now_ms - 1000) this.#times_ms.shift();
    const head = this.#gaze?.head ?? null;
    const seen = {
      samples_hz: this.#times_ms.length,
      face: head !== null,
      distance_mm: head?.distance ?? null,
      yaw_deg: head?.yaw ?? null,
      light: this.#light.measure(),
      size: /** @type {[number, number]} */ ([this.#video.videoWidth, this.#video.videoHeight]),
      follows: this.#plan === 'follow',
    };
    this.#show(seen);
  }

  /** @param {Seen} seen */
  #show(seen) {
    const hints = hintsFor(seen);
    const text = hints[0]?.text ?? 'All is well. Begin when you like.';
    if (this.#hint.textContent !== text) this.#hint.textContent = text;
    this.#hint.classList.toggle('good', hints.length === 0);
    const { size, samples_hz, distance_mm, light, face } = seen;
    /** @type {[Subject, string][]} */
    const rows = [
      ['face', face ? 'Face found' : 'No face'],
      ['distance', distance_mm === null ? 'Distance unknown' : `${Math.round(distance_mm / 10)} cm away`],
      ['light', light === null ? 'Light unknown' : `Light ${Math.round(light.face * 100)} %`],
      ['camera', `${size[0]} × ${size[1]}, ${samples_hz} a second`],
    ];
    const wanting = hints.map(({ subject }) => subject);
    this.#list.replaceChildren(
      ...rows.map(([subject, said]) => element('li', { class: wanting.includes(subject) ? 'wanting' : 'fine' }, said)),
    );
  }
}
