/**
 * The viewer's page: choose a film and what the eyes do to it, start, watch, calibrate, look back.
 * The address says where one is (see `address.js`).
 *
 * `window.gazeApp` is the running page, with its `client`.
 */

import { pushAddress, readAddress, replaceAddress, writeAddress } from './url-state.js';
import { Camera, cameraIsAllowed } from '../sdk/camera.js';
import { cameraProblem, missingCameraAccess } from '../sdk/camera-problems.js';
import { EffectPanel } from './watching/effect-panel.js';
import { byId } from './shared/dom.js';
import { EyesDesk } from './calibration/calibration-panel.js';
import { FilmPicker, isLive } from './watching/film-picker.js';
import { GazeClient, GazeError } from '../gaze-client.js';
import { onKeys } from './keyboard-shortcuts.js';
import { Lookers } from './lazy-views.js';
import { Player } from './watching/player.js';
import { ProblemError, browserProblem, filmProblem, sessionProblem } from './problem-texts.js';
import { Recording } from './summary/gaze-recording.js';
import { Stage } from './page-state.js';
import { keepWatched, keptWatched, wasReloaded } from './session-restore.js';

/** @typedef {import('./url-state.js').GazeSource} GazeSource */
/** @typedef {import('./url-state.js').Place} Place */
/** @typedef {import('./url-state.js').View} View */
/** @typedef {import('./watching/film-picker.js').Choice} Choice */
/** @typedef {import('../gaze-client.js').EffectSpec} EffectSpec */
/** @typedef {import('../gaze-client.js').SessionKey} SessionKey */
/** @typedef {import('./watching/gaze-overlay.js').Mark} Mark */

const SEND_INTERVAL_MS = 80;
const SKIP_S = 5;
const PICTURE_TAKES_MS = 8000;
const NO_PICTURE = 'No picture of the film has come yet. It may come still; or go back, and choose another film.';
/** Status of the error that tells why a live stream is lost, which `playback` tells too. */
const LOST = 502;

export class GazeApp {
  client = new GazeClient();
  player = new Player(this.client, (holds) => this.#hold(holds));

  #camera = new Camera();
  #recording = new Recording();
  #stage = new Stage(this.client);
  #desk = new EyesDesk(this.client, this.#camera, () => this.player.watching);
  /** @type {EffectPanel | null} */
  #effects = null;
  /** @type {FilmPicker | null} */
  #films = null;
  /** @type {GazeSource} */
  #gaze = 'camera';
  /** @type {View} */
  #view = 'home';
  #lookers = new Lookers(this.client);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #sending;
  #holding = false;
  #starts = 0;
  /** The film that was asked for last. @type {Choice | null} */
  #wanted = null;

  async run() {
    const problem = browserProblem();
    if (problem) return this.#stage.problem(problem);
    this.#listen();
    try {
      const [effects, presets, films, schemes] = await Promise.all([
        this.client.listEffects(),
        this.client.listPresets(),
        this.client.listFilms(),
        this.client.liveSchemes(),
      ]);
      this.#effects = new EffectPanel(effects, presets);
      this.#films = new FilmPicker(
        films,
        schemes,
        (name) => this.client.thumbnailUrl(name),
        (choice) => this.#watchAnother(choice),
      );
    } catch (error) {
      return this.#fail(error);
    }
    this.#effects.addEventListener('change', () => this.#onEffectsChanged());
    this.player.marks.addEventListener('change', () => replaceAddress(this.#address));
    await this.#begin();
  }

  /**
   * @param {GazeSource} gaze
   * @param {SessionKey | null} [resume]
   */
  async start(gaze, resume = null) {
    const start = ++this.#starts;
    this.#gaze = gaze;
    this.#lookers.closeSummary();
    this.#stage.show('opening');
    try {
      if (gaze === 'camera') await this.#openCamera();
      else this.#camera.close();
      if (start !== this.#starts) return;
      this.#stage.wait('Taking your seat…');
      await this.#openSession(resume);
      if (start !== this.#starts) return;
      this.#view = this.#view === 'eyes' ? 'eyes' : 'watch';
      pushAddress(this.#address);
      this.#stage.wait('The film begins…');
      setTimeout(() => start === this.#starts && this.#stage.wait(NO_PICTURE), PICTURE_TAKES_MS);
      await this.player.start();
      if (start !== this.#starts) return;
      this.#stage.show('watching');
      await this.#showEyes(this.#view === 'eyes');
      this.#desk.offer();
    } catch (error) {
      if (start !== this.#starts) return;
      this.#camera.close();
      this.#fail(error);
    }
  }

  /** End the session; the camera goes off. Afterwards there is the summary, or the start. */
  async leave() {
    const summary = this.#recording.length > 0 && this.#stage.scene === 'watching';
    if (summary) await this.#takeStill();
    await this.#close();
    this.#view = summary ? 'summary' : 'home';
    pushAddress(this.#address);
    if (summary) await this.#showSummary();
    else this.#stage.show('idle');
  }

  async #close() {
    this.#starts += 1;
    this.#desk.closeDialog();
    this.player.watching = false;
    keepWatched(null);
    this.#camera.close();
    await this.#showEyes(false);
    if (this.#films?.choice.own) this.#choose({ served: this.#films.hosted, own: null });
    this.#desk.showKept();
    if (document.fullscreenElement) await document.exitFullscreen().catch(() => {});
    await this.client.close();
  }

  // The address

  async #begin() {
    const asked = readAddress(location.search);
    const watched = keptWatched();
    // A link leads to no address: whoever opens it should see first what will be watched.
    const served = this.#films?.find(asked.media)?.name ?? watched?.media;
    if (this.#films?.find(served) || isLive(served ?? null)) this.#choose({ served: served ?? null, own: null });
    this.#setChain(this.#effects?.asked(asked) ?? watched?.effects ?? this.#effects?.first ?? []);
    this.player.marks.shown = /** @type {Mark[]} */ (asked.marks);
    this.#desk.showKept();
    const key = this.client.storedSession;
    if (key && watched && (watched.gaze === 'pointer' || wasReloaded() || (await cameraIsAllowed()))) {
      this.#view = asked.view === 'eyes' ? 'eyes' : 'watch';
      await this.start(watched.gaze, key);
    } else if (asked.autostart) {
      await this.start(asked.gaze);
    } else {
      this.#gaze = asked.gaze;
      this.#stage.show('idle');
    }
  }

  get #address() {
    const preset = this.#effects?.preset ?? null;
    return writeAddress({
      media: this.#films?.find(this.#films.choice.served)?.name ?? null,
      preset,
      effects: this.#effects?.short ?? null,
      gaze: this.#gaze,
      marks: this.player.marks.shown,
      view: this.#view,
    });
  }

  /** Back or forward was pressed: do what the address says now. */
  async #onHistory() {
    if (this.#desk.busy) {
      this.#desk.closeDialog();
      return pushAddress(this.#address);
    }
    const place = readAddress(location.search);
    const chain = this.#effects?.asked(place);
    if (chain) {
      this.#setChain(chain);
      this.client.setEffects(this.#effects?.chain ?? []);
    }
    this.player.marks.shown = /** @type {Mark[]} */ (place.marks);
    const other = place.media !== null && place.media !== this.#films?.choice.served;
    if (other && this.#films?.find(place.media)) await this.#switchTo({ served: place.media, own: null });
    await this.#go(place);
  }

  /** @param {Place} place */
  async #go({ view, gaze }) {
    const on = this.player.watching;
    if (view === 'watch' || view === 'eyes') {
      this.#view = view;
      if (on) return this.#showEyes(view === 'eyes');
      return this.start(gaze);
    }
    if (on) await this.#takeStill();
    if (on || this.#stage.scene === 'opening') await this.#close();
    this.#view = view;
    if (view === 'summary' && this.#recording.length > 0) return this.#showSummary();
    this.#view = 'home';
    this.#lookers.closeSummary();
    this.#stage.show('idle');
  }

  // Starting

  /** @throws {ProblemError} */
  async #openCamera() {
    const missing = missingCameraAccess();
    if (missing) throw new ProblemError(missing);
    this.#stage.wait('Please allow the camera. Its pictures go to this server only, which keeps none of them.');
    try {
      await this.#camera.open();
    } catch (error) {
      throw new ProblemError(cameraProblem(error));
    }
  }

  /** @param {SessionKey | null} resume */
  async #openSession(resume) {
    const { served, own } = this.#films?.choice ?? { served: null, own: null };
    if (!own && served === null) {
      throw new GazeError({
        title: 'There is no film yet',
        detail: 'The server hosts none. Choose a file of your own, or your screen.',
      });
    }
    await this.client.open({
      camera: this.#gaze === 'camera' ? this.#camera.track : null,
      gaze: this.#gaze,
      effects: this.#effects?.chain ?? [],
      calibration: this.#gaze === 'camera' ? this.#desk.calibration : null,
      resume,
      ...(own ? { film: own.video, audio: own.audio } : { media: served ?? '' }),
    });
    this.#recording.clear();
    this.player.setFilm(own, this.#films?.find(served)?.duration ?? null);
    this.player.watching = true;
    this.#remember();
    if (own?.seekable) own.element.play().catch(() => {});
  }

  // Films

  /** Show a choice without telling the server; a film of the viewer's own before it is closed. @param {Choice} choice */
  #choose(choice) {
    const before = this.#films?.choice.own;
    if (before !== choice.own) before?.stop();
    this.#films?.show(choice);
    this.player.setFilm(choice.own, this.#films?.find(choice.served)?.duration ?? null);
  }

  /** @param {Choice} choice the viewer's */
  async #watchAnother(choice) {
    try {
      await this.#switchTo(choice);
      if (this.#view !== 'summary') pushAddress(this.#address);
    } catch (error) {
      if (isLive(choice.served) && error instanceof GazeError) this.#films?.problem(filmProblem(error));
      else this.#fail(error);
    }
  }

  /** Watch another film, now if one is on, else when the viewer starts. @param {Choice} choice */
  async #switchTo(choice) {
    const { served, own } = choice;
    const before = this.#films?.choice.own ?? null;
    const on = this.client.state === 'connected';
    this.#wanted = choice;
    if (own) {
      own.video.addEventListener('ended', () => this.#onOwnEnded(own));
      own.onRenewed = () => own === this.#films?.choice.own && this.client.setFilm(own.video, own.audio);
      if (own.seekable && !on) own.element.pause();
      if (before && on) await this.client.setFilm(own.video, own.audio);
    }
    // A live stream takes a while, or is refused, and until then the film goes on that is on.
    const opened = on && !before && isLive(served);
    if (opened) {
      await this.client.setMedia(served);
      if (this.#wanted !== choice) return;
    }
    this.#choose(choice);
    this.#stage.forgetProblem();
    if (!on) return;
    this.#recording.clear();
    if (Boolean(before) !== Boolean(own)) return this.start(this.#gaze);
    if (served !== null && !opened) this.client.setMedia(served);
    this.client.play();
    this.#remember();
  }

  /** @param {import('../sdk/local-film.js').OwnFilm} own */
  async #onOwnEnded(own) {
    if (own !== this.#films?.choice.own || own.kind === 'file') return;
    await this.leave();
    this.#stage.status('Sharing has ended.');
  }

  // Effects

  /** @param {EffectSpec[]} chain */
  #setChain(chain) {
    if (this.#effects) this.#effects.chain = chain;
  }

  #onEffectsChanged() {
    const before = readAddress(location.search);
    const after = readAddress(this.#address);
    const names = (/** @type {Place} */ place) => this.#effects?.asked(place)?.map(({ name }) => name).join();
    if (names(before) === names(after)) replaceAddress(this.#address);
    else pushAddress(this.#address);
    this.#sending ??= setTimeout(() => {
      this.#sending = undefined;
      if (!this.#holding) this.client.setEffects(this.#effects?.chain ?? []);
    }, SEND_INTERVAL_MS);
  }

  /** @param {boolean} holds whether the film is to be seen as it is, for as long as a key is held */
  #hold(holds) {
    this.#holding = holds;
    this.client.setEffects(holds ? [] : (this.#effects?.chain ?? []));
  }

  // Views

  /** @param {boolean} shown */
  #showEyes(shown) {
    return this.#lookers.showEyes(shown, this.#gaze === 'camera' ? this.#camera.stream : null);
  }

  async #toggleEyes() {
    if (!this.player.watching) return;
    this.#view = this.#view === 'eyes' ? 'watch' : 'eyes';
    pushAddress(this.#address);
    await this.#showEyes(this.#view === 'eyes');
  }

  /** A picture of the film as it is without effects, for the summary. */
  #takeStill() {
    return this.#lookers.takeStill(this.#films?.choice.own?.element ?? null, this.#films?.stillUrl ?? null);
  }

  async #showSummary() {
    this.#stage.show('summary');
    await this.#lookers.showSummary(
      this.#recording,
      () => this.start(this.#gaze),
      () => this.#go({ ...readAddress(''), view: 'home' }).then(() => pushAddress(this.#address)),
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
    onClick('problem-retry', () => (this.#effects ? this.start(this.#gaze) : location.reload()));
    onClick('eyes-toggle', () => this.#toggleEyes());
    window.addEventListener('popstate', () => this.#onHistory());
    this.client.on('state', ({ state, error }) => this.#onState(state, error));
    this.client.on('gaze', (gaze) => {
      this.#effects?.follow(gaze);
      if (this.player.watching) this.#recording.add(gaze, this.player.position_s);
    });
    this.client.on('effects', ({ effects }) => {
      this.#effects?.problem('');
      const idle = !this.#effects?.busy && this.#sending === undefined && !this.#holding;
      if (idle) this.#setChain(effects);
      this.#remember();
    });
    this.client.on('error', (error) => {
      if (error.field === 'media') this.#films?.problem(filmProblem(error));
      else if (error.status !== LOST && !this.#desk.busy) this.#effects?.problem(error.message);
    });
    this.#camera.addEventListener('ended', () => this.#onCameraEnded());
    onKeys(() => (this.player.watching && !this.#desk.busy ? this.#keys : {}));
  }

  /**
   * @param {import('../gaze-client.js').SessionState} state
   * @param {GazeError} [error]
   */
  #onState(state, error) {
    this.#stage.onState(state, this.#gaze);
    this.#desk.enabled = state === 'connected' && this.#gaze === 'camera';
    if (state !== 'failed' || !this.player.watching) return;
    this.player.watching = false;
    this.#camera.close();
    this.#stage.problem({
      title: 'The connection was lost',
      text: 'Trying again did not help.',
      detail: error?.message,
      pointerHelps: false,
    });
  }

  #onCameraEnded() {
    this.#starts += 1;
    this.#desk.closeDialog();
    this.player.watching = false;
    this.#camera.close();
    this.client.close();
    this.#stage.problem({
      title: 'The camera stopped',
      text: 'It was unplugged or taken away. Start again when it is back, or watch without it.',
      pointerHelps: true,
    });
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#stage.problem(sessionProblem(error));
  }

  /** What a key does while a film is on. */
  get #keys() {
    const mark = (/** @type {Mark} */ name) => {
      this.player.marks.toggle(name);
      replaceAddress(this.#address);
    };
    return {
      ' ': () => this.player.togglePlay(),
      f: () => this.player.toggleFullScreen(),
      d: () => mark('dot'),
      t: () => mark('trail'),
      h: () => mark('heat'),
      e: () => this.#toggleEyes(),
      ArrowLeft: () => this.player.skip(-SKIP_S),
      ArrowRight: () => this.player.skip(SKIP_S),
    };
  }

  /** What a reload of this tab goes on with. */
  #remember() {
    const { served, own } = this.#films?.choice ?? { served: null, own: null };
    const again = !own && served !== null;
    keepWatched(again ? { media: served, gaze: this.#gaze, effects: this.#effects?.chain ?? [] } : null);
  }
}

const app = new GazeApp();
window.gazeApp = app;
app.run();
