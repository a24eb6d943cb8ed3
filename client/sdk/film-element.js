/**
 * A film that follows its viewer's eyes, as one element:
 *
 *     <script type="module" src="https://gaze.example/client/gaze-film.js"></script>
 *     <gaze-film src="demo" effects="blur" gaze="camera"></gaze-film>
 *
 * The camera is not opened before the viewer presses the button or the page calls `start`.
 */

import { Camera } from './camera.js';
import { element } from './dom.js';
import { openFile } from './local-film.js';
import { GazeClient } from './client.js';
import { cameraProblem, missingCameraAccess } from './camera-problems.js';
import { GazeError } from './gaze-error.js';

/** @typedef {import('./types.js').EffectSpec} EffectSpec */
/** @typedef {import('./types.js').GazeEvents} GazeEvents */
/** @typedef {import('./types.js').SessionState} SessionState */
/** @typedef {import('./local-film.js').OwnFilm} OwnFilm */
/** @typedef {'camera' | 'mouse'} GazeSource */

/** @type {(keyof GazeEvents)[]} */
const EVENTS = ['gaze', 'playback', 'calibration', 'stats', 'effects', 'error', 'camera', 'state'];

const STYLE = `
  :host { display: block; position: relative; aspect-ratio: 16 / 9; background: #0c0c0f; color: #f3f1ec; font: 16px/1.5 system-ui, sans-serif; overflow: hidden; }
  :host([hidden]), [hidden] { display: none !important; }
  video { display: block; width: 100%; height: 100%; object-fit: contain; }
  .curtain { position: absolute; inset: 0; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 16px; padding: 16px; text-align: center; background: rgb(12 12 15 / 82%) var(--still, none) center / cover; background-blend-mode: darken; }
  .curtain p { margin: 0; max-width: 32em; }
  .actions { display: flex; flex-wrap: wrap; justify-content: center; gap: 12px; }
  button { min-height: 44px; padding: 0 24px; border: 1px solid #8a8794; border-radius: 999px; background: #1b1b22; color: inherit; font: inherit; cursor: pointer; }
  button.primary { border-color: transparent; background: #f4b860; color: #211704; font-weight: 600; }
  :focus-visible { outline: 2px solid #f4b860; outline-offset: 3px; }
  .status { position: absolute; inset: auto auto 12px 12px; margin: 0; padding: 4px 14px; border-radius: 999px; background: rgb(0 0 0 / 75%); font-size: 14px; }
  .status:empty { display: none; }
`;

export class GazeFilm extends HTMLElement {
  static observedAttributes = ['src', 'effects', 'gaze', 'muted', 'controls'];

  /** The element that shows the returned film, for what the attributes do not say. */
  video = element('video', { part: 'video', playsinline: true });

  #curtain = element('div', { part: 'curtain', class: 'curtain' });
  #status = element('p', { part: 'status', class: 'status', role: 'status' });
  #camera = new Camera();
  /** @type {GazeClient | null} */
  #client = null;
  /** @type {EffectSpec[] | null} */
  #effects = null;
  /** @type {MediaStream | null} */
  #srcObject = null;
  /** @type {OwnFilm | null} */
  #own = null;
  #starts = 0;

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    root.append(this.video, this.#curtain, this.#status);
    this.video.addEventListener('pause', () => this.#onNativeControl());
    this.video.addEventListener('play', () => this.#onNativeControl());
    this.#camera.addEventListener('back', () => this.#camera.track && this.client.setCamera(this.#camera.track));
  }

  connectedCallback() {
    this.#takeEarlyProperties();
    if (this.#isOn) return;
    this.#showWelcome();
    if (this.hasAttribute('autostart')) this.start().catch(() => {});
  }

  /** An element that is only moved goes on. */
  disconnectedCallback() {
    queueMicrotask(() => this.isConnected || this.stop());
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} now
   */
  attributeChangedCallback(name, before, now) {
    if (before === now) return;
    if (name === 'muted') this.video.muted = now !== null;
    else if (name === 'controls') this.video.controls = now !== null;
    else if (name === 'effects') this.effects = parsedEffects(now);
    else if (name === 'src' && this.#isHosted(before) && this.#isHosted(now)) this.#changeHosted();
    else this.#startAnew();
  }

  // What a page can ask for

  /** A hosted film's name, or the address of a film that this page may read. */
  get src() {
    return this.getAttribute('src') ?? '';
  }

  set src(src) {
    this.setAttribute('src', src);
  }

  /** A film of the page's own, as of `video.captureStream()`; it goes before `src`. */
  get srcObject() {
    return this.#srcObject;
  }

  set srcObject(stream) {
    this.#srcObject = stream;
    this.#startAnew();
  }

  /** The chain; the attribute takes names with commas between them, or the chain as JSON. */
  get effects() {
    return this.#effects ?? [];
  }

  set effects(effects) {
    this.#effects = effects;
    if (this.#isOn) this.client.setEffects(effects).catch(() => {}); // an `error` event says why
  }

  /** @returns {GazeSource} where the gaze comes from */
  get gaze() {
    return ['mouse', 'pointer'].includes(this.getAttribute('gaze') ?? '') ? 'mouse' : 'camera';
  }

  set gaze(gaze) {
    this.setAttribute('gaze', gaze);
  }

  /** @returns {SessionState} */
  get state() {
    return this.#client?.state ?? 'idle';
  }

  /** The session behind it, for everything else. */
  get client() {
    this.#client ??= this.#makeClient();
    return this.#client;
  }

  /** Whether the film stands still, for whichever reason. */
  get paused() {
    return !this.#isOn || this.client.paused;
  }

  /** Seconds into a hosted film. */
  get currentTime() {
    return this.#client?.position_s ?? 0;
  }

  set currentTime(position_s) {
    this.client.seek(position_s);
  }

  play() {
    this.client.play();
  }

  pause() {
    this.client.pause();
  }

  /**
   * Ask for the camera, if that is where the gaze comes from, and play. Call it once the viewer has
   * agreed, best in a click, without which browsers play no sound.
   *
   * @throws {GazeError} what went wrong; the element shows it as well
   */
  async start() {
    const start = ++this.#starts;
    this.#release();
    this.#showWords('Starting…');
    try {
      const camera = this.gaze === 'camera' ? await this.#openCamera() : null;
      const film = await this.#openFilm();
      if (start !== this.#starts) return;
      this.client.attach(this.video);
      await this.client.open({ camera, gaze: camera ? 'camera' : 'pointer', effects: this.effects, ...film });
      if (start !== this.#starts) return;
      this.#curtain.hidden = true;
      this.#curtain.replaceChildren();
      await this.#playVideo();
    } catch (reason) {
      if (start !== this.#starts) return;
      const error = reason instanceof GazeError ? reason : new GazeError({ detail: String(reason) });
      this.#release();
      this.#showProblem(error);
      throw error;
    }
  }

  /** End the session and switch the camera off. */
  async stop() {
    this.#starts += 1;
    this.#release();
    this.#showWelcome();
    await this.#client?.close();
  }

  // Opening

  #makeClient() {
    const server = this.getAttribute('server');
    const client = new GazeClient({ storage: null, ...(server === null ? {} : { server }) });
    for (const type of EVENTS) {
      client.on(type, (detail) => this.dispatchEvent(new CustomEvent(type, { detail })));
    }
    client.on('state', ({ state, error }) => this.#onState(state, error));
    client.on('camera', ({ live }) => this.#say(live ? '' : 'The camera has stopped. The film goes on without it.'));
    client.on('playback', ({ paused }) => this.#onPlayback(paused));
    return client;
  }

  async #openCamera() {
    const missing = missingCameraAccess();
    if (missing) throw new GazeError({ title: missing.title, detail: missing.text });
    this.#showWords('Allow the camera, so that the film can follow your eyes.');
    try {
      return await this.#camera.open();
    } catch (reason) {
      const { title, text } = cameraProblem(reason);
      throw new GazeError({ title, detail: text });
    }
  }

  /** @returns {Promise<import('./types.js').OpenOptions>} what to show, as `open` takes it */
  async #openFilm() {
    if (this.#srcObject) {
      const [film] = this.#srcObject.getVideoTracks();
      if (!film) throw new GazeError({ title: 'There is no picture', detail: 'srcObject has no video track.' });
      return { film, audio: this.#srcObject.getAudioTracks()[0] ?? null };
    }
    if (this.#isHosted(this.src)) return { media: this.src };
    const own = await openFile(await download(new URL(this.src, document.baseURI)));
    own.onRenewed = () => this.client.setFilm(own.video, own.audio);
    this.#own = own;
    return { film: own.video, audio: own.audio };
  }

  #release() {
    this.#client?.detach();
    this.#camera.close();
    this.#own?.stop();
    this.#own = null;
  }

  async #playVideo() {
    this.video.muted = this.hasAttribute('muted');
    try {
      await this.video.play();
    } catch {
      this.video.muted = true;
      await this.video.play().catch(() => {});
    }
  }

  // Changing

  get #isOn() {
    return this.state === 'opening' || this.state === 'connected' || this.state === 'reconnecting';
  }

  /**
   * Names of hosted films have neither dots nor slashes, addresses of films do.
   *
   * @param {string | null} src
   */
  #isHosted(src) {
    return this.#srcObject === null && src !== null && !/[./:]/.test(src);
  }

  #changeHosted() {
    if (this.#isOn) this.client.setMedia(this.src);
    else if (this.isConnected) this.#showWelcome();
  }

  #startAnew() {
    if (this.#isOn) this.start().catch(() => {});
    else if (this.isConnected) this.#showWelcome();
  }

  /** What a page set before this module was there lies on the element and hides the setters. */
  #takeEarlyProperties() {
    for (const name of /** @type {const} */ (['effects', 'srcObject'])) {
      if (!Object.hasOwn(this, name)) continue;
      const value = /** @type {any} */ (this[name]);
      delete (/** @type {any} */ (this)[name]);
      this[name] = value;
    }
  }

  // Events

  /**
   * @param {SessionState} state
   * @param {GazeError} [error]
   */
  #onState(state, error) {
    this.#say(state === 'reconnecting' ? 'Connection lost. Trying again…' : '');
    if (state !== 'failed' || this.#curtain.hidden === false) return; // `start` says it itself
    this.#release();
    this.#showProblem(error ?? new GazeError({ title: 'The connection was lost' }));
  }

  /** @param {boolean} paused */
  #onPlayback(paused) {
    if (paused) this.#own?.element.pause();
    else this.#own?.element.play().catch(() => {});
  }

  /** The browser's own controls stop the film, not only its picture here. */
  #onNativeControl() {
    if (!this.video.controls || this.state !== 'connected') return;
    if (this.video.paused) this.client.pause();
    else if (this.client.paused) this.client.play();
  }

  // Showing

  /** The page's own children if there are any, else a button. */
  #showWelcome() {
    const words = this.gaze === 'camera'
      ? 'Your camera tells the server where you look. Its pictures are read as they arrive and never kept.'
      : 'The film follows your mouse or finger.';
    const label = this.gaze === 'camera' ? 'Start with the camera' : 'Start';
    const welcome = element('slot', {}, element('p', {}, words), this.#button(label, () => this.start()));
    this.#showCurtain(welcome);
    this.#say('');
    if (!this.#isHosted(this.src) || !this.src) return;
    const still = this.client.thumbnailUrl(this.src);
    this.#curtain.style.setProperty('--still', `url("${still}")`);
  }

  /** @param {string} words */
  #showWords(words) {
    this.#showCurtain(element('p', { role: 'status' }, words));
  }

  /** @param {GazeError} error */
  #showProblem({ title, detail }) {
    const actions = element('div', { class: 'actions' }, this.#button('Try again', () => this.start()));
    if (this.gaze === 'camera') actions.append(this.#button('Use the mouse instead', () => this.#useMouse()));
    this.#showCurtain(element('p', { role: 'alert' }, `${title}. ${detail}`), actions);
  }

  async #useMouse() {
    this.gaze = 'mouse';
    await this.start();
  }

  /**
   * @param {string} label
   * @param {() => Promise<void>} action
   */
  #button(label, action) {
    const button = element('button', { type: 'button', class: 'primary', part: 'button' }, label);
    button.addEventListener('click', () => action().catch(() => {}));
    return button;
  }

  /** @param {...Node} children */
  #showCurtain(...children) {
    this.#curtain.replaceChildren(...children);
    this.#curtain.hidden = false;
  }

  /** @param {string} words */
  #say(words) {
    this.#status.textContent = words;
  }
}

/**
 * @param {string | null} text
 * @returns {EffectSpec[]}
 */
function parsedEffects(text) {
  const trimmed = text?.trim() ?? '';
  if (trimmed.startsWith('[')) return JSON.parse(trimmed);
  return trimmed.split(/[\s,]+/).filter(Boolean).map((name) => ({ name }));
}

/**
 * @param {URL} address
 * @returns {Promise<File>}
 */
async function download(address) {
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) {
    throw new GazeError({ title: 'The film was not found', detail: `${address.href} cannot be read from here.` });
  }
  const name = address.pathname.split('/').at(-1) ?? '';
  return new File([await response.blob()], name);
}

