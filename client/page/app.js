/**
 * The viewer's page: choose a film and effects, start, watch, calibrate, look at the summary. Its
 * state is in the URL (`url-state.js`).
 *
 * `window.gazeApp` is the running page, with its `client`.
 */

import { GazeClient, GazeError } from '../gaze-client.js';
import { cameraProblem, missingCameraAccess } from '../sdk/camera-problems.js';
import { Camera, cameraIsAllowed } from '../sdk/camera.js';
import { errorSentence } from '../sdk/gaze-error.js';
import { CalibrationPanel } from './calibration/calibration-panel.js';
import { listenForShortcuts } from './keyboard-shortcuts.js';
import { LazyViews } from './lazy-views.js';
import { PageState } from './page-state.js';
import { ProblemError, browserProblem, sessionProblem } from './problem-texts.js';
import { restorableSession, storeSession, wasReloaded } from './session-restore.js';
import { byId } from './shared/dom.js';
import { GazeRecording } from './summary/gaze-recording.js';
import { pushUrl, readUrl, replaceUrl, writeUrl } from './url-state.js';
import { EffectPanel } from './watching/effect-panel.js';
import { FilmPicker, isLive } from './watching/film-picker.js';
import { Player } from './watching/player.js';

/** @typedef {import('./url-state.js').GazeSource} GazeSource */
/** @typedef {import('./url-state.js').UrlState} UrlState */
/** @typedef {import('./url-state.js').View} View */
/** @typedef {import('./watching/film-picker.js').FilmChoice} FilmChoice */
/** @typedef {import('../gaze-client.js').EffectSpec} EffectSpec */
/** @typedef {import('../gaze-client.js').SessionKey} SessionKey */
/** @typedef {import('./watching/gaze-overlay.js').OverlayLayer} OverlayLayer */

/** Changes of the effects are sent at most this often. */
const EFFECTS_INTERVAL_MS = 80;
const SKIP_S = 5;
const FIRST_FRAME_TIMEOUT_MS = 8000;
const NO_FRAME = 'No picture of the film has arrived yet. Wait a little longer, or go back and choose another film.';
const SERVER_ERROR_SHOWN_MS = 8000;
/** Status of the error that says why a live stream was lost; the notice of `playback` suffices. */
const STREAM_LOST_STATUS = 502;

export class GazeApp {
  client = new GazeClient();
  player = new Player(this.client, (bypassed) => this.#bypassEffects(bypassed));

  #camera = new Camera();
  #recording = new GazeRecording();
  #pageState = new PageState(this.client);
  #calibrationPanel = new CalibrationPanel(this.client, this.#camera, () => this.player.watching);
  /** @type {EffectPanel | null} */
  #effectPanel = null;
  /** @type {FilmPicker | null} */
  #filmPicker = null;
  /** @type {GazeSource} */
  #gaze = 'camera';
  /** @type {View} */
  #view = 'home';
  #lazyViews = new LazyViews(this.client);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #effectsTimer;
  #bypassed = false;
  /** Counts starts and ends; a `start` that is not the newest gives up. */
  #starts = 0;
  /** The film that the viewer chose last. @type {FilmChoice | null} */
  #requestedChoice = null;

  async run() {
    const problem = browserProblem();
    if (problem) return this.#pageState.showProblem(problem);
    this.#listen();
    try {
      const [effects, presets, films, schemes] = await Promise.all([
        this.client.listEffects(),
        this.client.listPresets(),
        this.client.listFilms(),
        this.client.liveSchemes(),
      ]);
      this.#effectPanel = new EffectPanel(effects, presets);
      this.#filmPicker = new FilmPicker(
        films,
        schemes,
        (name) => this.client.thumbnailUrl(name),
        (choice) => this.#changeFilm(choice),
      );
    } catch (error) {
      return this.#showProblem(error);
    }
    this.#effectPanel.addEventListener('change', () => this.#onEffectsChanged());
    this.player.overlay.addEventListener('change', () => replaceUrl(this.#url));
    await this.#startFromUrl();
  }

  /**
   * @param {GazeSource} gaze
   * @param {SessionKey | null} [resume]
   */
  async start(gaze, resume = null) {
    const start = ++this.#starts;
    this.#gaze = gaze;
    this.#lazyViews.closeSummary();
    this.#pageState.show('opening');
    try {
      if (gaze === 'camera') await this.#openCamera();
      else this.#camera.close();
      if (start !== this.#starts) return;
      this.#pageState.showProgress('Connecting to the server…');
      await this.#openSession(resume);
      if (start !== this.#starts) return;
      this.#view = this.#view === 'eyes' ? 'eyes' : 'watch';
      pushUrl(this.#url);
      this.#pageState.showProgress('Waiting for the film…');
      setTimeout(() => start === this.#starts && this.#pageState.showProgress(NO_FRAME), FIRST_FRAME_TIMEOUT_MS);
      await this.player.start();
      if (start !== this.#starts) return;
      this.#pageState.show('watching');
      await this.#showEyes(this.#view === 'eyes');
      this.#calibrationPanel.schedulePrompt();
    } catch (error) {
      if (start !== this.#starts) return;
      this.#camera.close();
      this.#showProblem(error);
    }
  }

  /** End the session and switch the camera off. The summary follows, or the start page. */
  async leave() {
    const summary = this.#recording.length > 0 && this.#pageState.current === 'watching';
    if (summary) await this.#takeStill();
    await this.#close();
    this.#view = summary ? 'summary' : 'home';
    pushUrl(this.#url);
    if (summary) await this.#showSummary();
    else this.#pageState.show('idle');
  }

  async #close() {
    this.#starts += 1;
    this.#calibrationPanel.closeDialog();
    this.player.watching = false;
    storeSession(null);
    this.#camera.close();
    await this.#showEyes(false);
    if (this.#filmPicker?.choice.local) this.#showChoice({ media: this.#filmPicker.lastHosted, local: null });
    this.#calibrationPanel.showSaved();
    if (document.fullscreenElement) await document.exitFullscreen().catch(() => {});
    await this.client.close();
  }

  // URL and history

  async #startFromUrl() {
    const state = readUrl(location.search);
    const stored = restorableSession();
    // A link cannot name a live stream: a viewer should see what will be played before it is opened.
    const media = this.#filmPicker?.find(state.media)?.name ?? stored?.media;
    if (this.#filmPicker?.find(media) || isLive(media ?? null)) this.#showChoice({ media: media ?? null, local: null });
    this.#setChain(this.#effectPanel?.chainOf(state) ?? stored?.effects ?? this.#effectPanel?.defaultChain ?? []);
    this.player.overlay.layers = /** @type {OverlayLayer[]} */ (state.overlay);
    this.#calibrationPanel.showSaved();
    const key = this.client.storedSession;
    if (key && stored && (stored.gaze === 'pointer' || wasReloaded() || (await cameraIsAllowed()))) {
      this.#view = state.view === 'eyes' ? 'eyes' : 'watch';
      await this.start(stored.gaze, key);
    } else if (state.autostart) {
      await this.start(state.gaze);
    } else {
      this.#gaze = state.gaze;
      this.#pageState.show('idle');
    }
  }

  get #url() {
    const preset = this.#effectPanel?.preset ?? null;
    return writeUrl({
      media: this.#filmPicker?.find(this.#filmPicker.choice.media)?.name ?? null,
      preset,
      effects: this.#effectPanel?.chainWithoutDefaults ?? null,
      gaze: this.#gaze,
      overlay: this.player.overlay.layers,
      view: this.#view,
    });
  }

  /** Follow the browser's back and forward to the state of the URL. */
  async #onHistory() {
    if (this.#calibrationPanel.busy) {
      this.#calibrationPanel.closeDialog();
      return pushUrl(this.#url);
    }
    const state = readUrl(location.search);
    const chain = this.#effectPanel?.chainOf(state);
    if (chain) {
      this.#setChain(chain);
      this.client.setEffects(this.#effectPanel?.chain ?? []);
    }
    this.player.overlay.layers = /** @type {OverlayLayer[]} */ (state.overlay);
    const changesFilm = state.media !== null && state.media !== this.#filmPicker?.choice.media;
    if (changesFilm && this.#filmPicker?.find(state.media)) await this.#switchTo({ media: state.media, local: null });
    await this.#goTo(state);
  }

  /** @param {UrlState} state */
  async #goTo({ view, gaze }) {
    const { watching } = this.player;
    if (view === 'watch' || view === 'eyes') {
      this.#view = view;
      if (watching) return this.#showEyes(view === 'eyes');
      return this.start(gaze);
    }
    if (watching) await this.#takeStill();
    if (watching || this.#pageState.current === 'opening') await this.#close();
    this.#view = view;
    if (view === 'summary' && this.#recording.length > 0) return this.#showSummary();
    this.#view = 'home';
    this.#lazyViews.closeSummary();
    this.#pageState.show('idle');
  }

  // Starting

  /** @throws {ProblemError} */
  async #openCamera() {
    const missing = missingCameraAccess();
    if (missing) throw new ProblemError(missing);
    this.#pageState.showProgress('Please allow the camera. Its pictures are sent to this server only, which keeps none of them.');
    try {
      await this.#camera.open();
    } catch (error) {
      throw new ProblemError(cameraProblem(error));
    }
  }

  /** @param {SessionKey | null} resume */
  async #openSession(resume) {
    const { media, local } = this.#filmPicker?.choice ?? { media: null, local: null };
    if (!local && media === null) {
      throw new GazeError({
        title: 'There is no film yet',
        detail: 'The server hosts none. Choose a file of your own, or your screen.',
      });
    }
    await this.client.open({
      camera: this.#gaze === 'camera' ? this.#camera.track : null,
      gaze: this.#gaze,
      effects: this.#effectPanel?.chain ?? [],
      calibration: this.#gaze === 'camera' ? this.#calibrationPanel.calibration : null,
      resume,
      ...(local ? { film: local.video, audio: local.audio } : { media: media ?? '' }),
    });
    this.#recording.clear();
    this.player.setFilm(local, this.#filmPicker?.find(media)?.duration ?? null);
    this.player.watching = true;
    this.#storeForReload();
    if (local?.seekable) local.element.play().catch(() => {});
  }

  // Films

  /** Show the choice on the page only; a local film that was chosen before is stopped. @param {FilmChoice} choice */
  #showChoice(choice) {
    const before = this.#filmPicker?.choice.local;
    if (before !== choice.local) before?.stop();
    this.#filmPicker?.show(choice);
    this.player.setFilm(choice.local, this.#filmPicker?.find(choice.media)?.duration ?? null);
  }

  /** @param {FilmChoice} choice of the viewer */
  async #changeFilm(choice) {
    try {
      await this.#switchTo(choice);
      if (this.#view !== 'summary') pushUrl(this.#url);
    } catch (error) {
      if (isLive(choice.media) && error instanceof GazeError) this.#filmPicker?.showProblem(errorSentence(error));
      else this.#showProblem(error);
    }
  }

  /** Change the film, at once in a session, else for the next start. @param {FilmChoice} choice */
  async #switchTo(choice) {
    const { media, local } = choice;
    const before = this.#filmPicker?.choice.local ?? null;
    const connected = this.client.state === 'connected';
    this.#requestedChoice = choice;
    if (local) {
      local.video.addEventListener('ended', () => this.#onLocalFilmEnded(local));
      local.onTracksReplaced = () => local === this.#filmPicker?.choice.local && this.client.setFilm(local.video, local.audio);
      if (local.seekable && !connected) local.element.pause();
      if (before && connected) await this.client.setFilm(local.video, local.audio);
    }
    // A live stream takes a while to open, or is refused; until then the film before it continues.
    const opened = connected && !before && isLive(media);
    if (opened) {
      await this.client.setMedia(media);
      if (this.#requestedChoice !== choice) return;
    }
    this.#showChoice(choice);
    this.#pageState.dismissProblem();
    if (!connected) return;
    this.#recording.clear();
    if (Boolean(before) !== Boolean(local)) return this.start(this.#gaze);
    if (media !== null && !opened) this.client.setMedia(media);
    this.client.play();
    this.#storeForReload();
  }

  /** @param {import('../sdk/local-film.js').LocalFilm} local */
  async #onLocalFilmEnded(local) {
    if (local !== this.#filmPicker?.choice.local || local.kind === 'file') return;
    await this.leave();
    this.#pageState.showStatus('Sharing has ended.');
  }

  // Effects

  /** @param {EffectSpec[]} chain */
  #setChain(chain) {
    if (this.#effectPanel) this.#effectPanel.chain = chain;
  }

  #onEffectsChanged() {
    const before = readUrl(location.search);
    const after = readUrl(this.#url);
    const names = (/** @type {UrlState} */ state) => this.#effectPanel?.chainOf(state)?.map(({ name }) => name).join();
    if (names(before) === names(after)) replaceUrl(this.#url);
    else pushUrl(this.#url);
    this.#effectsTimer ??= setTimeout(() => {
      this.#effectsTimer = undefined;
      if (!this.#bypassed) this.client.setEffects(this.#effectPanel?.chain ?? []);
    }, EFFECTS_INTERVAL_MS);
  }

  /** @param {boolean} bypassed whether the film is shown without effects for now */
  #bypassEffects(bypassed) {
    this.#bypassed = bypassed;
    this.client.setEffects(bypassed ? [] : (this.#effectPanel?.chain ?? []));
  }

  // Views

  /** @param {boolean} shown */
  #showEyes(shown) {
    return this.#lazyViews.showEyes(shown, this.#gaze === 'camera' ? this.#camera.stream : null);
  }

  async #toggleEyes() {
    if (!this.player.watching) return;
    this.#view = this.#view === 'eyes' ? 'watch' : 'eyes';
    pushUrl(this.#url);
    await this.#showEyes(this.#view === 'eyes');
  }

  /** Take a picture of the film without effects for the summary. */
  #takeStill() {
    return this.#lazyViews.takeStill(this.#filmPicker?.choice.local?.element ?? null, this.#filmPicker?.stillUrl ?? null);
  }

  async #showSummary() {
    this.#pageState.show('summary');
    await this.#lazyViews.showSummary(
      this.#recording,
      () => this.start(this.#gaze),
      () => this.#goTo({ ...readUrl(''), view: 'home' }).then(() => pushUrl(this.#url)),
    );
  }

  // Events

  #listen() {
    /** @param {string} id @param {() => unknown} action */
    const onClick = (id, action) => byId(id, HTMLButtonElement).addEventListener('click', action);
    onClick('start', () => this.start('camera'));
    onClick('start-pointer', () => this.start('pointer'));
    onClick('leave', () => this.leave());
    for (const id of ['opening-back', 'problem-back']) onClick(id, () => this.leave());
    onClick('problem-pointer', () => this.start('pointer'));
    onClick('problem-retry', () => (this.#effectPanel ? this.start(this.#gaze) : location.reload()));
    onClick('eyes-toggle', () => this.#toggleEyes());
    window.addEventListener('popstate', () => this.#onHistory());
    this.client.on('state', ({ state, error }) => this.#onState(state, error));
    this.client.on('gaze', (gaze) => {
      this.#effectPanel?.addGaze(gaze);
      if (this.player.watching) this.#recording.add(gaze, this.player.position_s);
    });
    this.client.on('effects', ({ effects }) => {
      this.#effectPanel?.showProblem('');
      const idle = !this.#effectPanel?.busy && this.#effectsTimer === undefined && !this.#bypassed;
      if (idle) this.#setChain(effects);
      this.#storeForReload();
    });
    this.client.on('error', (error) => this.#onError(error));
    this.#camera.addEventListener('ended', () => this.#onCameraEnded());
    listenForShortcuts(() => (this.player.watching && !this.#calibrationPanel.busy ? this.#shortcuts : {}));
  }

  /**
   * @param {import('../gaze-client.js').SessionState} state
   * @param {GazeError} [error]
   */
  #onState(state, error) {
    this.#pageState.onSessionState(state, this.#gaze);
    this.#calibrationPanel.enabled = state === 'connected' && this.#gaze === 'camera';
    if (state !== 'failed' || !this.player.watching) return;
    this.player.watching = false;
    this.#camera.close();
    this.#pageState.showProblem({
      title: 'The connection was lost',
      text: 'It could not be restored.',
      detail: error?.message,
      pointerHelps: false,
    });
  }

  /** @param {GazeError} error */
  #onError(error) {
    if (error.field === 'media') this.#filmPicker?.showProblem(errorSentence(error));
    else if (error.status === STREAM_LOST_STATUS) return;
    else if (error.status >= 500 && !error.field) this.player.showNotice(errorSentence(error), SERVER_ERROR_SHOWN_MS);
    else if (!this.#calibrationPanel.busy) this.#effectPanel?.showProblem(error.message);
  }

  #onCameraEnded() {
    this.#starts += 1;
    this.#calibrationPanel.closeDialog();
    this.player.watching = false;
    this.#camera.close();
    this.client.close();
    this.#pageState.showProblem({
      title: 'The camera stopped',
      text: 'It was unplugged, or is no longer allowed. Start again when it is back, or watch without it.',
      pointerHelps: true,
    });
  }

  /** @param {unknown} error */
  #showProblem(error) {
    this.#pageState.showProblem(sessionProblem(error));
  }

  /** Keyboard shortcuts while watching. */
  get #shortcuts() {
    const toggle = (/** @type {OverlayLayer} */ layer) => {
      this.player.overlay.toggle(layer);
      replaceUrl(this.#url);
    };
    return {
      ' ': () => this.player.togglePlay(),
      f: () => this.player.toggleFullScreen(),
      d: () => toggle('dot'),
      t: () => toggle('trail'),
      h: () => toggle('heatmap'),
      e: () => this.#toggleEyes(),
      ArrowLeft: () => this.player.skip(-SKIP_S),
      ArrowRight: () => this.player.skip(SKIP_S),
    };
  }

  /** Store what a reload of this tab restores. */
  #storeForReload() {
    const { media, local } = this.#filmPicker?.choice ?? { media: null, local: null };
    const isRestorable = !local && media !== null;
    storeSession(isRestorable ? { media, gaze: this.#gaze, effects: this.#effectPanel?.chain ?? [] } : null);
  }
}

const app = new GazeApp();
window.gazeApp = app;
app.run();
