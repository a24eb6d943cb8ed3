/**
 * A look at the camera before a calibration: is there a face, is it near enough, is there light.
 * Says one thing at a time that would help. The light is measured here, from the local picture.
 */

import { PLANS } from './calibration-plan.js';
import { element } from './element.js';
import { Light } from './light.js';
import { cover } from './overlay.js';

/** @typedef {import('./calibration-plan.js').PlanName} PlanName */
/** @typedef {import('./gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('./gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {import('./light.js').LightFigures} LightFigures */

/**
 * @typedef {object} Seen whatever is unknown is null
 * @property {number} samples_hz that the server made of the camera's pictures within the last second
 * @property {boolean} face
 * @property {number | null} distance_mm
 * @property {number | null} yaw_deg
 * @property {LightFigures | null} light
 * @property {[width: number, height: number]} size of the camera's picture
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
 * The one thing that would help most.
 *
 * @param {Seen} seen
 * @returns {{ subject: Subject, text: string } | null} null where all is well
 */
export function hintFor({ samples_hz, face, distance_mm, yaw_deg, light, size }) {
  /** @param {Subject} subject @param {string} text */
  const hint = (subject, text) => ({ subject, text });
  if (samples_hz === 0) return hint('camera', 'No picture arrives. Is the camera covered, or in use elsewhere?');
  if (light && light.face < DARK) return hint('light', 'More light from the front, please.');
  if (!face) return hint('face', 'No face is seen. Sit in front of the camera, in the middle of its picture.');
  if (light && light.around - light.face > BACKLIT) {
    return hint('light', 'It is bright behind you. Turn away from the window, or put a light in front of you.');
  }
  if (distance_mm !== null && distance_mm > FARTHEST_MM) return hint('distance', 'Come a little closer.');
  if (distance_mm !== null && distance_mm < NEAREST_MM) return hint('distance', 'Move back a little.');
  if (yaw_deg !== null && Math.abs(yaw_deg) > TURNED_DEG) return hint('face', 'Turn your face to the screen.');
  if (light && light.glare > GLARE) {
    return hint('light', 'Something bright is mirrored near your eyes. Glasses? Lower the light, or tilt your head a little.');
  }
  if (samples_hz < FEWEST_HZ) {
    return hint('camera', `Only ${samples_hz} pictures a second arrive. More light helps, or closing other programs.`);
  }
  if (size[0] > 0 && size[0] < SMALLEST_PX) return hint('camera', 'The picture is small. Another camera would see your eyes better.');
  return null;
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
        element('p', { class: 'small' }, 'Sit comfortably and follow the dots with your eyes only. S skips a dot, R repeats it.'),
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
    };
    this.#show(seen);
  }

  /** @param {Seen} seen */
  #show(seen) {
    const hint = hintFor(seen);
    const text = hint?.text ?? 'All is well. Begin when you like.';
    if (this.#hint.textContent !== text) this.#hint.textContent = text;
    this.#hint.classList.toggle('good', hint === null);
    const { size, samples_hz, distance_mm, light, face } = seen;
    /** @type {[Subject, string][]} */
    const rows = [
      ['face', face ? 'Face found' : 'No face'],
      ['distance', distance_mm === null ? 'Distance unknown' : `${Math.round(distance_mm / 10)} cm away`],
      ['light', light === null ? 'Light unknown' : `Light ${Math.round(light.face * 100)} %`],
      ['camera', `${size[0]} × ${size[1]}, ${samples_hz} a second`],
    ];
    this.#list.replaceChildren(
      ...rows.map(([subject, said]) => element('li', { class: subject === hint?.subject ? 'wanting' : 'fine' }, said)),
    );
  }
}
