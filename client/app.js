/**
 * The viewer's page: choose a film and what the eyes do to it, start, watch, calibrate, leave.
 *
 * The address may say how to begin, for links and for tests:
 *
 *     ?media=demo                  a hosted film
 *     &preset=focus                a named chain of effects, or
 *     &effects=blur,zoom           effects by name, or as a JSON array as in the wire contract
 *     &gaze=pointer                the mouse stands in for the eyes (camera is the default)
 *     &dot=1                       show where the viewer looks
 *     &autostart=1                 start at once
 *
 * `window.gazeApp` is the running page, with its `client`.
 */

import { calibrate } from './calibration.js';
import { EffectControls } from './controls.js';
import { byId, element } from './element.js';
import { openFile, openScreen } from './films.js';
import { GazeClient, GazeError } from './gaze-client.js';
import { Player } from './player.js';
import { browserProblem, cameraProblem, missingCameraAccess, sessionProblem } from './problems.js';

/** @typedef {import('./films.js').OwnFilm} OwnFilm */
/** @typedef {import('./gaze-client.js').EffectSpec} EffectSpec */
/** @typedef {import('./gaze-client.js').Film} Film */
/** @typedef {import('./gaze-client.js').GazeEvent} GazeEvent */
/** @typedef {import('./gaze-client.js').Preset} Preset */
/** @typedef {import('./gaze-client.js').SessionKey} SessionKey */
/** @typedef {import('./gaze-client.js').StatsEvent} StatsEvent */
/** @typedef {import('./problems.js').Problem} Problem */
/** @typedef {'camera' | 'pointer'} GazeSource */
/** @typedef {'idle' | 'opening' | 'watching' | 'problem'} View */

/**
 * @typedef {object} KeptCalibration
 * @property {object} model
 * @property {import('./gaze-client.js').CalibrationQuality} quality
 * @property {import('./layout.js').Point} screen
 * @property {number} at when it was made, as Date.now() tells it
 */
/** @typedef {{ media: string, gaze: GazeSource, effects: EffectSpec[] }} Watched */

/** @type {MediaStreamConstraints} */
const CAMERA = {
  video: {
    width: { ideal: 640 },
    height: { ideal: 480 },
    frameRate: { ideal: 30 },
    facingMode: 'user',
  },
};
const CALIBRATION_KEY = 'gaze.calibration';
const WATCHED_KEY = 'gaze.watched';
const SEND_INTERVAL_MS = 80;
const FACE_LOST_MS = 2000;
const SKIP_S = 5;
const POINTER_WORD = matchMedia('(pointer: coarse)').matches ? 'finger' : 'mouse';

export class GazeApp {
  client = new GazeClient();
  player = new Player(this.client);

  /** @type {Film[]} */
  #films = [];
  /** @type {Preset[]} */
  #presets = [];
  /** @type {EffectControls | null} */
  #controls = null;
  /** @type {GazeSource} */
  #gaze = 'camera';
  /** @type {string | null} */
  #media = null;
  /** @type {OwnFilm | null} */
  #own = null;
  /** @type {MediaStream | null} */
  #camera = null;
  #calibrating = false;
  #faceSeen_ms = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #sending;
  #starts = 0;

  async run() {
    const problem = browserProblem();
    if (problem) return this.#showProblem(problem);
    this.#listen();
    this.#say('start-pointer', `Try it with your ${POINTER_WORD}`);
    this.#say('problem-pointer', `Use your ${POINTER_WORD} instead`);
    try {
      const [effects, presets, films] = await Promise.all([
        this.client.listEffects(),
        this.client.listPresets(),
        this.client.listFilms(),
      ]);
      this.#films = films;
      this.#presets = presets;
      this.#controls = new EffectControls(byId('effects', HTMLElement), effects);
    } catch (error) {
      return this.#showProblem(sessionProblem(error));
    }
    this.#controls.addEventListener('change', () => this.#onEffectsChanged());
    this.#showPresets();
    this.#showFilms();
    this.#showKeptCalibration();
    await this.#begin(new URLSearchParams(location.search));
  }

  /**
   * @param {GazeSource} gaze
   * @param {SessionKey | null} [resume]
   */
  async start(gaze, resume = null) {
    const start = ++this.#starts;
    this.#gaze = gaze;
    this.#show('opening');
    try {
      if (gaze === 'camera' && !(await this.#openCamera())) return;
      if (start !== this.#starts) return this.#closeCamera();
      this.#say('opening-text', 'Taking your seat…');
      await this.#openSession(resume);
    } catch (error) {
      if (start !== this.#starts) return;
      this.#closeCamera();
      this.#showProblem(sessionProblem(error));
    }
  }

  /** End the session and go back to the start. */
  async leave() {
    this.#starts += 1;
    this.player.watching = false;
    sessionStorage.removeItem(WATCHED_KEY);
    this.#closeCamera();
    this.#setOwn(null);
    this.#show('idle');
    this.#showFilms();
    this.#showKeptCalibration();
    if (document.fullscreenElement) await document.exitFullscreen().catch(() => {});
    await this.client.close();
  }

  // Starting

  /** @param {URLSearchParams} parameters */
  async #begin(parameters) {
    const watched = /** @type {Watched | null} */ (stored(sessionStorage, WATCHED_KEY));
    const asked = parameters.get('media');
    this.#chooseHosted([asked, watched?.media].find((name) => this.#filmNamed(name)) ?? this.#films[0]?.name ?? null);
    this.#setChain(this.#askedEffects(parameters) ?? watched?.effects ?? this.#presets[0]?.effects ?? []);
    this.player.showsDot = parameters.get('dot') === '1';
    /** @type {GazeSource} */
    const gaze = parameters.get('gaze') === 'pointer' ? 'pointer' : 'camera';
    const key = this.client.storedSession;
    if (key && watched && (watched.gaze === 'pointer' || wasReloaded() || (await cameraIsAllowed()))) {
      await this.start(watched.gaze, key);
    } else if (parameters.get('autostart') === '1') {
      await this.start(gaze);
    } else {
      this.#show('idle');
    }
  }

  /**
   * @param {URLSearchParams} parameters
   * @returns {EffectSpec[] | null}
   */
  #askedEffects(parameters) {
    const preset = this.#presets.find(({ name }) => name === parameters.get('preset'));
    if (preset) return preset.effects;
    const text = parameters.get('effects');
    if (text === null) return null;
    try {
      /** @type {EffectSpec[]} */
      const specs = text.startsWith('[')
        ? JSON.parse(text)
        : text.split(',').filter(Boolean).map((name) => ({ name }));
      return specs.filter(({ name }) => this.#controls?.has(name));
    } catch {
      return null;
    }
  }

  /** @returns {Promise<boolean>} false where there is none, and the page says why */
  async #openCamera() {
    if (this.#camera?.active) return true;
    const missing = missingCameraAccess();
    if (missing) {
      this.#showProblem(missing);
      return false;
    }
    this.#say('opening-text', 'Allow the camera, so that the film can follow your eyes.');
    try {
      this.#camera = await navigator.mediaDevices.getUserMedia(CAMERA);
    } catch (error) {
      this.#showProblem(cameraProblem(error));
      return false;
    }
    this.#cameraTrack?.addEventListener('ended', () => this.#onCameraEnded());
    return true;
  }

  get #cameraTrack() {
    return this.#camera?.getVideoTracks()[0] ?? null;
  }

  #closeCamera() {
    for (const track of this.#camera?.getTracks() ?? []) track.stop();
    this.#camera = null;
  }

  /** @param {SessionKey | null} resume */
  async #openSession(resume) {
    const own = this.#own;
    if (!own && this.#media === null) {
      throw new GazeError({
        title: 'There is no film yet',
        detail: 'The server hosts none. Choose a file of your own, or your screen.',
      });
    }
    await this.client.open({
      camera: this.#gaze === 'camera' ? this.#cameraTrack : null,
      gaze: this.#gaze,
      effects: this.#controls?.chain ?? [],
      calibration: this.#gaze === 'camera' ? this.#calibrationToUse() : null,
      resume,
      ...(own ? { film: own.video, audio: own.audio } : { media: this.#media ?? '' }),
    });
    this.player.setFilm(own, this.#filmNamed(this.#media)?.duration ?? null);
    this.player.watching = true;
    this.#show('watching');
    this.#remember();
    if (own?.seekable) own.element.play().catch(() => {});
    await this.player.start();
  }

  // Films

  /** @param {string | null | undefined} name */
  #filmNamed(name) {
    return this.#films.find((film) => film.name === name);
  }

  #showFilms() {
    const tiles = this.#films.map((film) => {
      const chosen = !this.#own && film.name === this.#media;
      const tile = element(
        'button',
        { type: 'button', class: 'film', role: 'radio', 'aria-checked': String(chosen), 'data-testid': `film-${film.name}` },
        element('img', { src: this.client.thumbnailUrl(film.name), alt: '', loading: 'lazy', width: 160, height: 90 }),
        element('span', { class: 'film-title' }, film.title),
        element('span', { class: 'film-length' }, length(film.duration)),
      );
      tile.addEventListener('click', () => this.#switchFilm(null, film.name));
      return tile;
    });
    byId('films', HTMLElement).replaceChildren(
      ...(tiles.length > 0 ? tiles : [element('p', { class: 'small' }, 'The server hosts no films. Use one of your own.')]),
    );
    for (const [id, kind] of [['own-file', 'file'], ['own-screen', 'screen']]) {
      byId(/** @type {string} */ (id), HTMLButtonElement).setAttribute('aria-pressed', String(this.#own?.kind === kind));
    }
    const hint = byId('source-hint', HTMLElement);
    hint.hidden = !this.#own;
    hint.textContent = this.#own ? this.#own.title : '';
  }

  /** @param {string | null} name */
  #chooseHosted(name) {
    this.#media = name;
    this.#setOwn(null);
    this.#showFilms();
    this.#showPreview(name);
  }

  /** @param {OwnFilm | null} own what was there before is closed */
  #setOwn(own) {
    const before = this.#own;
    this.#own = own;
    before?.stop();
    this.player.setFilm(own, this.#filmNamed(this.#media)?.duration ?? null);
  }

  /**
   * @param {string | null} name a hosted film; null where there is none
   */
  #showPreview(name) {
    for (const id of ['preview-soft', 'preview-sharp']) {
      const image = byId(id, HTMLImageElement);
      image.hidden = name === null;
      if (name !== null) image.src = this.client.thumbnailUrl(name);
    }
  }

  /**
   * Watch another film, now if one is on, else when the viewer starts.
   *
   * @param {(() => Promise<OwnFilm>) | null} openOwn null for a hosted film
   * @param {string | null} name of the hosted film
   */
  async #switchFilm(openOwn, name) {
    const before = this.#own;
    try {
      if (openOwn) {
        const own = await openOwn();
        own.video.addEventListener('ended', () => this.#onOwnEnded(own));
        own.onRenewed = () => own === this.#own && this.client.setFilm(own.video, own.audio);
        if (own.seekable && this.client.state !== 'connected') own.element.pause();
        if (before && this.client.state === 'connected') await this.client.setFilm(own.video, own.audio);
        this.#setOwn(own);
        this.#showPreview(null);
      } else {
        this.#chooseHosted(name);
      }
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') return;
      return this.#showProblem(sessionProblem(error));
    }
    this.#showFilms();
    if (this.client.state !== 'connected') {
      if (!byId('problem', HTMLElement).hidden) this.#show('idle');
      return;
    }
    if (Boolean(before) !== Boolean(this.#own)) return this.start(this.#gaze);
    if (!this.#own && this.#media !== null) this.client.setMedia(this.#media);
    this.client.play();
    this.#remember();
  }

  /** @param {OwnFilm} own */
  #onOwnEnded(own) {
    if (own !== this.#own || own.kind !== 'screen') return;
    this.leave();
    this.#status('Sharing has ended.');
  }

  // Effects

  /** @param {EffectSpec[]} chain */
  #setChain(chain) {
    if (!this.#controls) return;
    this.#controls.chain = chain;
    this.#markPreset();
  }

  #onEffectsChanged() {
    this.#markPreset();
    this.#sending ??= setTimeout(() => {
      this.#sending = undefined;
      this.client.setEffects(this.#controls?.chain ?? []);
    }, SEND_INTERVAL_MS);
  }

  #showPresets() {
    byId('presets', HTMLElement).replaceChildren(
      ...this.#presets.map((preset) => {
        const chip = element(
          'button',
          { type: 'button', class: 'chip', 'aria-pressed': 'false', title: preset.description, 'data-testid': `preset-${preset.name}` },
          preset.title,
        );
        chip.addEventListener('click', () => {
          this.#setChain(chip.getAttribute('aria-pressed') === 'true' ? [] : preset.effects);
          this.#onEffectsChanged();
        });
        return chip;
      }),
    );
  }

  #markPreset() {
    const chain = this.#controls?.chain ?? [];
    const chips = byId('presets', HTMLElement).children;
    const text = byId('preset-text', HTMLElement);
    text.textContent = chain.length > 0 ? 'Your own mix.' : 'Nothing: the film plays as it is.';
    this.#presets.forEach((preset, index) => {
      const pressed = this.#isPreset(preset, chain);
      chips[index]?.setAttribute('aria-pressed', String(pressed));
      if (pressed) text.textContent = `${preset.description}.`;
    });
  }

  /**
   * @param {Preset} preset
   * @param {EffectSpec[]} chain with all parameters; a preset leaves out what is at its default
   */
  #isPreset({ effects }, chain) {
    if (effects.length !== chain.length) return false;
    return effects.every((effect, index) => {
      const full = this.#controls?.completed(effect);
      return JSON.stringify(full) === JSON.stringify(chain[index]);
    });
  }

  // Calibration

  async #calibrate() {
    if (this.#calibrating) return;
    this.#calibrating = true;
    const wasPaused = this.client.paused;
    this.client.pause();
    try {
      const result = await calibrate(this.client, byId('calibration', HTMLElement));
      if (result?.keep) {
        const { model, quality, screen } = result;
        localStorage.setItem(CALIBRATION_KEY, JSON.stringify({ model, quality, screen, at: Date.now() }));
      }
      if (result) {
        const { accuracy_px } = result.quality;
        const text = typeof accuracy_px === 'number' ? `Calibrated: ± ${Math.round(accuracy_px)} px.` : 'Calibrated.';
        this.#say('calibration-text', text);
      }
    } catch (error) {
      const { title, text } = sessionProblem(error);
      this.#say('calibration-text', `${title}. ${text}`);
    } finally {
      this.#calibrating = false;
      if (!wasPaused) this.client.play();
    }
  }

  /** @returns {KeptCalibration | null} the one kept for this screen */
  get #kept() {
    const kept = /** @type {KeptCalibration | null} */ (stored(localStorage, CALIBRATION_KEY));
    const fits = kept?.screen?.[0] === screen.width && kept?.screen?.[1] === screen.height;
    return fits ? kept : null;
  }

  #calibrationToUse() {
    return byId('use-calibration', HTMLInputElement).checked ? (this.#kept?.model ?? null) : null;
  }

  #showKeptCalibration() {
    const kept = this.#kept;
    byId('kept-calibration', HTMLElement).hidden = kept === null;
    if (!kept) return;
    const day = new Date(kept.at).toLocaleDateString('en', { day: 'numeric', month: 'long' });
    const accuracy = kept.quality?.accuracy_px;
    const quality = typeof accuracy === 'number' ? ` (± ${Math.round(accuracy)} px)` : '';
    this.#say('kept-text', `Use my calibration of ${day}${quality}`);
  }

  // Events

  #listen() {
    /**
     * @param {string} id
     * @param {() => unknown} action
     */
    const onClick = (id, action) => byId(id, HTMLButtonElement).addEventListener('click', action);
    onClick('start', () => this.start('camera'));
    onClick('start-pointer', () => this.start('pointer'));
    onClick('leave', () => this.leave());
    onClick('problem-back', () => this.leave());
    onClick('problem-pointer', () => this.start('pointer'));
    onClick('problem-retry', () => (this.#controls ? this.start(this.#gaze) : location.reload()));
    onClick('calibrate', () => this.#calibrate());
    onClick('forget-calibration', () => {
      localStorage.removeItem(CALIBRATION_KEY);
      this.#showKeptCalibration();
    });
    onClick('own-screen', () => this.#switchFilm(openScreen, null));
    const file = byId('file', HTMLInputElement);
    onClick('own-file', () => file.click());
    file.addEventListener('change', () => {
      const chosen = file.files?.[0];
      file.value = '';
      if (chosen) this.#switchFilm(() => openFile(chosen), null);
    });

    this.client.on('state', ({ state, error }) => this.#onState(state, error));
    this.client.on('gaze', (gaze) => this.#onGaze(gaze));
    this.client.on('stats', (stats) => this.#showStats(stats));
    this.client.on('effects', ({ effects }) => {
      this.#effectsProblem('');
      if (this.#controls && !this.#controls.busy && this.#sending === undefined) this.#setChain(effects);
      this.#remember();
    });
    this.client.on('error', (error) => {
      if (!this.#calibrating) this.#effectsProblem(error.message);
    });
    document.addEventListener('keydown', (event) => this.#onKey(event));
    const preview = byId('preview', HTMLElement);
    window.addEventListener('pointermove', (event) => {
      if (preview.hidden) return;
      const box = preview.getBoundingClientRect();
      preview.style.setProperty('--x', `${event.clientX - box.x}px`);
      preview.style.setProperty('--y', `${event.clientY - box.y}px`);
    }, { passive: true });
  }

  /**
   * @param {import('./gaze-client.js').SessionState} state
   * @param {GazeError} [error]
   */
  #onState(state, error) {
    byId('calibrate', HTMLButtonElement).disabled = state !== 'connected' || this.#gaze !== 'camera';
    if (state === 'reconnecting') this.#status('Connection lost – trying again…');
    if (state === 'connected') {
      this.#faceSeen_ms = performance.now();
      this.#status(this.#watchingText);
    }
    if (state === 'failed' && this.player.watching) {
      this.player.watching = false;
      this.#closeCamera();
      this.#showProblem({
        title: 'The connection was lost',
        text: 'Trying again did not help. Check your network, and start once more.',
        detail: error?.message,
        pointerHelps: false,
      });
    }
  }

  get #watchingText() {
    return this.#gaze === 'camera' ? 'Following your eyes' : `Following your ${POINTER_WORD}`;
  }

  /** @param {GazeEvent} gaze */
  #onGaze(gaze) {
    this.#controls?.follow(gaze);
    const now_ms = performance.now();
    if (this.#gaze !== 'camera' || gaze.event !== 'lost') this.#faceSeen_ms = now_ms;
    const lost = now_ms - this.#faceSeen_ms > FACE_LOST_MS;
    this.#status(lost ? 'Your face is out of the picture' : this.#watchingText);
  }

  #onCameraEnded() {
    if (this.client.state !== 'connected') return;
    this.player.watching = false;
    this.#closeCamera();
    this.client.close();
    this.#showProblem({
      title: 'The camera stopped',
      text: 'It was unplugged or taken away. Start again when it is back, or watch without it.',
      pointerHelps: true,
    });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const onControl = event.target instanceof HTMLElement && event.target.closest('button, input, select, a');
    if (onControl || !this.player.watching || this.#calibrating || event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, () => unknown>} */
    const actions = {
      ' ': () => this.player.togglePlay(),
      f: () => this.player.toggleFullScreen(),
      d: () => (this.player.showsDot = !this.player.showsDot),
      ArrowLeft: () => this.player.skip(-SKIP_S),
      ArrowRight: () => this.player.skip(SKIP_S),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  // Showing

  /** @param {View} view */
  #show(view) {
    document.body.dataset.state = view;
    byId('welcome', HTMLElement).hidden = view !== 'idle';
    byId('opening', HTMLElement).hidden = view !== 'opening';
    byId('problem', HTMLElement).hidden = view !== 'problem';
    byId('preview', HTMLElement).hidden = view === 'watching';
    byId('leave', HTMLButtonElement).hidden = view !== 'watching';
    if (view !== 'watching') {
      this.#status('');
      this.#say('stats', '');
    }
  }

  /** @param {Problem} problem */
  #showProblem({ title, text, detail, pointerHelps }) {
    this.#say('problem-title', title);
    this.#say('problem-text', text);
    this.#say('problem-detail', detail ?? '');
    byId('problem-pointer', HTMLButtonElement).hidden = !pointerHelps;
    this.#show('problem');
  }

  /** @param {StatsEvent} stats */
  async #showStats({ gaze_age_ms }) {
    const [roundTrip_s, report] = await Promise.all([
      this.client.ping().catch(() => null),
      this.client.transportStats(),
    ]);
    const parts = [];
    for (const entry of report?.values() ?? []) {
      if (entry.type !== 'inbound-rtp' || entry.kind !== 'video' || !entry.frameWidth) continue;
      parts.push(`${entry.frameWidth}×${entry.frameHeight}`, `${Math.round(entry.framesPerSecond ?? 0)} fps`);
    }
    if (roundTrip_s !== null) parts.push(`${Math.round(roundTrip_s * 1000)} ms round trip`);
    if (typeof gaze_age_ms === 'number') parts.push(`gaze ${Math.round(gaze_age_ms)} ms old`);
    if (this.player.watching) this.#say('stats', parts.join('  ·  '));
  }

  /** @param {string} text */
  #status(text) {
    this.#say('status', text);
  }

  /** @param {string} text */
  #effectsProblem(text) {
    byId('effects-problem', HTMLElement).hidden = text === '';
    this.#say('effects-problem', text);
  }

  /**
   * @param {string} id
   * @param {string} text
   */
  #say(id, text) {
    const place = byId(id, HTMLElement);
    if (place.textContent !== text) place.textContent = text;
  }

  /** What a reload of this tab goes on with; films of the page's own cannot be reopened. */
  #remember() {
    if (this.#own || this.#media === null) return sessionStorage.removeItem(WATCHED_KEY);
    /** @type {Watched} */
    const watched = { media: this.#media, gaze: this.#gaze, effects: this.#controls?.chain ?? [] };
    sessionStorage.setItem(WATCHED_KEY, JSON.stringify(watched));
  }
}

/** @param {number} duration_s */
function length(duration_s) {
  const minutes = Math.floor(duration_s / 60);
  return `${minutes}:${String(Math.round(duration_s % 60)).padStart(2, '0')}`;
}

/**
 * @param {Storage} storage
 * @param {string} key
 */
function stored(storage, key) {
  try {
    return JSON.parse(storage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

/** Then the camera was on a moment ago; Firefox asks again, and its question is no surprise. */
function wasReloaded() {
  const [navigation] = performance.getEntriesByType('navigation');
  return navigation instanceof PerformanceNavigationTiming && navigation.type === 'reload';
}

async function cameraIsAllowed() {
  try {
    const name = /** @type {PermissionName} */ ('camera');
    return (await navigator.permissions.query({ name })).state === 'granted';
  } catch {
    return false;
  }
}

const app = new GazeApp();
window.gazeApp = app;
app.run();
