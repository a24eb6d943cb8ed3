/**
 * The `<gaze-film>` element: a film that responds to its viewer's gaze.
 *
 * The camera is not opened before the viewer presses the button or the page calls `start`.
 */

import { Camera } from './camera.js';
import { cameraProblem, missingCameraAccess } from './camera-problems.js';
import { GazeClient } from './client.js';
import { element } from './dom.js';
import { GazeError, errorSentence } from './gaze-error.js';
import { openFile } from './local-film.js';

/** @typedef {import('./types.js').EffectSpec} EffectSpec */
/** @typedef {import('./types.js').GazeEvents} GazeEvents */
/** @typedef {import('./types.js').SessionState} SessionState */
/** @typedef {import('./local-film.js').LocalFilm} LocalFilm */
/** @typedef {'camera' | 'mouse'} GazeSource */

/** @type {(keyof GazeEvents)[]} */
const EVENTS = ['gaze', 'playback', 'calibration', 'stats', 'effects', 'error', 'camera', 'state'];
/** How long a failure on the server is shown. */
const SERVER_ERROR_SHOWN_MS = 8_000;

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

/** Dispatches the events of its `GazeClient`. */
export class GazeFilm extends HTMLElement {
  static observedAttributes = ['src', 'effects', 'gaze', 'muted', 'controls'];

  /** Shows the returned film. */
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
  /** The film that this page plays and sends. @type {LocalFilm | null} */
  #local = null;
  /** Counts calls of `start` and `stop`; a `start` that is not the newest call gives up. */
  #calls = 0;
  #isStarting = false;

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    root.append(this.video, this.#curtain, this.#status);
    this.video.addEventListener('pause', () => this.#onNativeControl());
    this.video.addEventListener('play', () => this.#onNativeControl());
    this.#camera.addEventListener('reopened', () => this.#camera.track && this.client.setCamera(this.#camera.track));
  }

  connectedCallback() {
    this.#takeEarlyProperties();
    if (this.#isOn) return;
    this.#showWelcome();
    if (this.hasAttribute('autostart')) this.start().catch(() => {});
  }

  /** Moving the element inside the page does not end the session. */
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
    else if (name === 'src' && this.#isHosted(before) && this.#isHosted(now)) this.#changeHostedFilm();
    else this.#restart();
  }

  // Properties and methods

  /** A hosted film's name, or the address of a film that this page may read. @returns {string} */
  get src() {
    return this.getAttribute('src') ?? '';
  }

  set src(src) {
    this.setAttribute('src', src);
  }

  /** A film that the page sends, as of `video.captureStream()`; used instead of `src`. @returns {MediaStream | null} */
  get srcObject() {
    return this.#srcObject;
  }

  set srcObject(stream) {
    this.#srcObject = stream;
    this.#restart();
  }

  /** The chain of effects; the attribute takes comma-separated names, or the chain as JSON. @returns {EffectSpec[]} */
  get effects() {
    return this.#effects ?? [];
  }

  set effects(effects) {
    this.#effects = effects;
    if (this.#hasSession) this.client.setEffects(effects).catch(() => {}); // an `error` event says why
  }

  /** Where the gaze comes from. @returns {GazeSource} */
  get gaze() {
    return ['mouse', 'pointer'].includes(this.getAttribute('gaze') ?? '') ? 'mouse' : 'camera';
  }

  set gaze(gaze) {
    this.setAttribute('gaze', gaze);
  }

  /** The state of the session. @returns {SessionState} */
  get state() {
    return this.#client?.state ?? 'idle';
  }

  /** The client of the session, for everything else. @returns {GazeClient} */
  get client() {
    this.#client ??= this.#makeClient();
    return this.#client;
  }

  /** Whether the film is paused, for whichever reason. @returns {boolean} */
  get paused() {
    return !this.#hasSession || this.client.paused;
  }

  /** Position in a hosted film, in seconds. @returns {number} */
  get currentTime() {
    return this.#client?.position_s ?? 0;
  }

  set currentTime(position_s) {
    this.client.seek(position_s);
  }

  /** Resume a film that the viewer paused. @returns {void} */
  play() {
    this.client.play();
  }

  /** Pause the film for the viewer. @returns {void} */
  pause() {
    this.client.pause();
  }

  /**
   * Open the camera, if that is where the gaze comes from, and play. Call it once the viewer has
   * agreed, best in a click: without one browsers play no sound.
   *
   * @returns {Promise<void>} resolves once the film plays, or where another `start` or a `stop` came
   *   meanwhile
   * @throws {GazeError} as a rejection: what went wrong; the element shows it as well
   */
  async start() {
    const call = ++this.#calls;
    this.#isStarting = true;
    this.#release();
    this.#showMessage('Starting…');
    try {
      const camera = this.gaze === 'camera' ? await this.#openCamera() : null;
      const { local, ...film } = await this.#openFilm();
      if (call !== this.#calls) return local?.stop();
      this.#local = local;
      this.client.attach(this.video);
      await this.client.open({ camera, gaze: camera ? 'camera' : 'pointer', effects: this.effects, ...film });
      if (call !== this.#calls) return;
      this.#isStarting = false;
      this.#curtain.hidden = true;
      this.#curtain.replaceChildren();
      await this.#playVideo();
    } catch (reason) {
      if (call !== this.#calls) return;
      this.#isStarting = false;
      const error = reason instanceof GazeError ? reason : new GazeError({ detail: String(reason) });
      this.#release();
      this.#showProblem(error);
      throw error;
    }
  }

  /** End the session and switch the camera off. @returns {Promise<void>} never rejects */
  async stop() {
    this.#calls += 1;
    this.#isStarting = false;
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
    client.on('camera', ({ live }) => this.#showStatus(live ? '' : 'The camera has stopped. The film continues without it.'));
    client.on('playback', ({ paused }) => this.#onPlayback(paused));
    client.on('error', (error) => this.#onError(error));
    return client;
  }

  async #openCamera() {
    const missing = missingCameraAccess();
    if (missing) throw new GazeError({ title: missing.title, detail: missing.text });
    this.#showMessage('Allow the camera, so that the film can follow your eyes.');
    try {
      return await this.#camera.open();
    } catch (reason) {
      const { title, text } = cameraProblem(reason);
      throw new GazeError({ title, detail: text });
    }
  }

  /**
   * @returns {Promise<{ local: LocalFilm | null } & import('./types.js').OpenOptions>} options for
   *   `open`, and the film that this page plays for them
   */
  async #openFilm() {
    if (this.#srcObject) {
      const [film] = this.#srcObject.getVideoTracks();
      if (!film) throw new GazeError({ title: 'There is no video', detail: 'srcObject has no video track.' });
      return { local: null, film, audio: this.#srcObject.getAudioTracks()[0] ?? null };
    }
    if (this.#isHosted(this.src)) return { local: null, media: this.src };
    const local = await openFile(await download(new URL(this.src, document.baseURI)));
    local.onTracksReplaced = () => this.client.setFilm(local.video, local.audio);
    return { local, film: local.video, audio: local.audio };
  }

  #release() {
    this.#client?.detach();
    this.#camera.close();
    this.#local?.stop();
    this.#local = null;
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

  get #hasSession() {
    return this.state === 'opening' || this.state === 'connected' || this.state === 'reconnecting';
  }

  get #isOn() {
    return this.#isStarting || this.#hasSession;
  }

  /**
   * Names of hosted films have neither dots nor slashes, addresses of films do.
   *
   * @param {string | null} src
   */
  #isHosted(src) {
    return this.#srcObject === null && src !== null && !/[./:]/.test(src);
  }

  #changeHostedFilm() {
    if (this.state === 'connected' && !this.#isStarting) this.client.setMedia(this.src);
    else this.#restart();
  }

  #restart() {
    if (this.#isOn) this.start().catch(() => {});
    else if (this.isConnected) this.#showWelcome();
  }

  /** Properties that a page set before the element was defined hide the setters. */
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
    this.#showStatus(state === 'reconnecting' ? 'Connection lost. Reconnecting…' : '');
    if (state !== 'failed' || this.#isStarting) return; // `start` shows it itself
    this.#release();
    this.#showProblem(error ?? new GazeError({ title: 'The connection was lost' }));
  }

  /** A refusal is for the page; what fails on the server is for the viewer, too. @param {GazeError} error */
  #onError(error) {
    if (error.status < 500) return;
    const text = errorSentence(error);
    this.#showStatus(text);
    setTimeout(() => this.#status.textContent === text && this.#showStatus(''), SERVER_ERROR_SHOWN_MS);
  }

  /** @param {boolean} paused */
  #onPlayback(paused) {
    if (paused) this.#local?.element.pause();
    else this.#local?.element.play().catch(() => {});
  }

  /** The browser's own controls pause the film on the server, not only the element. */
  #onNativeControl() {
    if (!this.video.controls || this.state !== 'connected') return;
    if (this.video.paused) this.client.pause();
    else if (this.client.paused) this.client.play();
  }

  // Showing

  /** The page's own children if there are any, else a button. */
  #showWelcome() {
    const text = this.gaze === 'camera'
      ? 'The server reads from your camera where you look. Its pictures are processed as they arrive and never kept.'
      : 'The film follows your mouse or finger.';
    const label = this.gaze === 'camera' ? 'Start with the camera' : 'Start';
    const welcome = element('slot', {}, element('p', {}, text), this.#button(label, () => this.start()));
    this.#showCurtain(welcome);
    this.#showStatus('');
    if (!this.#isHosted(this.src) || !this.src) return;
    const still = this.client.thumbnailUrl(this.src);
    this.#curtain.style.setProperty('--still', `url("${still}")`);
  }

  /** @param {string} text */
  #showMessage(text) {
    this.#showCurtain(element('p', { role: 'status' }, text));
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

  /** @param {string} text */
  #showStatus(text) {
    this.#status.textContent = text;
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

