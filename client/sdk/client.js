/**
 * One viewer's session with a gaze server, over WebRTC.
 *
 *     const client = new GazeClient();
 *     client.attach(document.querySelector('video'));
 *     client.on('gaze', (gaze) => console.log(gaze.shown, gaze.event));
 *     await client.open({ camera: track, media: 'demo', effects: [{ name: 'blur' }] });
 *     await client.setEffects([{ name: 'zoom', maximum: 2 }]);
 *     await client.close();
 *
 * The client reconnects by itself: it resumes the session within the server's grace time, and
 * after it opens a new one with the same effects, calibration and position.
 */

import { calibrationCancelled, calibrationRequest } from './calibration-requests.js';
import { Connection } from './connection.js';
import { GazeError, asGazeError } from './gaze-error.js';
import { HttpApi } from './http-api.js';
import { LayoutWatcher } from './layout.js';
import { PendingRequests } from './pending-requests.js';
import { PlaybackPosition } from './playback-position.js';

/** @typedef {import('./layout.js').Point} Point */
/** @typedef {import('./layout.js').Layout} Layout */
/** @typedef {import('./types.js').EffectSpec} EffectSpec */
/** @typedef {import('./types.js').SessionKey} SessionKey */
/** @typedef {import('./types.js').OpenOptions} OpenOptions */
/** @typedef {import('./types.js').CalibrationAction} CalibrationAction */
/** @typedef {import('./types.js').CalibrationEvent} CalibrationEvent */
/** @typedef {import('./types.js').SessionState} SessionState */
/** @typedef {import('./types.js').StateEvent} StateEvent */
/** @typedef {import('./types.js').GazeEvents} GazeEvents */
/** @typedef {import('./types.js').Effect} Effect */
/** @typedef {import('./types.js').Preset} Preset */
/** @typedef {import('./types.js').Film} Film */

const STORAGE_KEY = 'gaze.session';
const PONG_TIMEOUT_MS = 10_000;
const POINTER_INTERVAL_MS = 25;
/** The server sends `stats` once a second; this many intervals without a message are a loss. */
const SILENCE_CHECK_INTERVAL_MS = 1_500;
const MAX_SILENT_CHECKS = 4;
const MAX_RETRY_DELAY_MS = 8_000;
const MAX_RETRY_AFTER_S = 15;
const RECONNECT_TIMEOUT_MS = 120_000;
/** A film whose position is below this has just begun. */
const NEW_FILM_S = 0.1;
/** Of a command that the server gave up. */
const COMMAND_TIMEOUT_STATUS = 504;

/** A viewer's session. One client can open one session after another. */
export class GazeClient extends EventTarget {
  /** The returned film: its video and audio tracks. */
  stream = new MediaStream();

  #api;
  #storage;
  #diagonal_mm;
  /** @type {OpenOptions} */
  #options = {};
  /** @type {SessionKey | null} */
  #key = null;
  /** @type {Connection | null} */
  #connection = null;
  /** @type {SessionState} */
  #state = 'idle';
  /** @type {HTMLVideoElement | null} */
  #video = null;
  /** @type {LayoutWatcher | null} */
  #layout = null;
  #playback = new PlaybackPosition();
  #pausedByViewer = false;
  #requests = new PendingRequests();
  /** The first `effects` message of a connection reports the chain and responds to no request. */
  #hasInitialChain = false;
  #pingsSent = 0;
  #lastPointer_ms = 0;
  #lastMessage_ms = 0;
  #silentChecks = 0;
  #generation = 0;
  #closing = new AbortController();

  /**
   * @param {object} [options]
   * @param {string | URL} [options.server] address of the server; by default the one that this
   *   module came from
   * @param {Storage | null} [options.storage] keeps the session's key over a reload; null keeps
   *   it nowhere; `sessionStorage` by default
   * @param {number} [options.diagonal_mm] diagonal of the viewer's screen, where it is known
   */
  constructor({ server = new URL('../..', import.meta.url), storage = sessionStorageOrNull(), diagonal_mm } = {}) {
    super();
    const base = new URL(server, document.baseURI);
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    this.#api = new HttpApi(base);
    this.#storage = storage;
    this.#diagonal_mm = diagonal_mm;
  }

  /** The state of the session. @returns {SessionState} */
  get state() {
    return this.#state;
  }

  /**
   * The position of the hosted film. It stops with the messages of a server that is gone.
   *
   * @returns {number | null} seconds; null for a film that the page sends
   */
  get position_s() {
    return this.#playback.at(Math.min(performance.now(), this.#lastMessage_ms + SILENCE_CHECK_INTERVAL_MS));
  }

  /** Whether the returned film is paused, for whichever reason. */
  get paused() {
    return this.#playback.paused;
  }

  /**
   * The key of a session that this tab had before it was reloaded.
   *
   * @returns {SessionKey | null}
   */
  get storedSession() {
    const text = this.#storage?.getItem(STORAGE_KEY);
    return text ? /** @type {SessionKey} */ (JSON.parse(text)) : null;
  }

  /**
   * Listen to one type of event; `addEventListener` passes the event itself instead of its detail.
   *
   * @template {keyof GazeEvents} K
   * @param {K} type
   * @param {(detail: GazeEvents[K]) => void} listener
   * @returns {() => void} removes the listener
   */
  on(type, listener) {
    /** @param {Event} event */
    const handler = (event) => listener(/** @type {CustomEvent} */ (event).detail);
    this.addEventListener(type, handler);
    return () => this.removeEventListener(type, handler);
  }

  /**
   * Show the returned film in a video element, and report to the server where its picture lies on
   * the screen.
   *
   * @param {HTMLVideoElement} video
   * @returns {void}
   */
  attach(video) {
    this.detach();
    this.#video = video;
    this.#showStream();
    this.#layout = new LayoutWatcher(
      video,
      (layout) => this.#send({ type: 'layout', ...layout }),
      this.#diagonal_mm,
    );
  }

  /** Undo `attach`. */
  detach() {
    this.#layout?.stop();
    this.#layout = null;
    if (this.#video) this.#video.srcObject = null;
    this.#video = null;
  }

  /** The layout of the attached video; null without one. @returns {Layout | null} */
  get layout() {
    return this.#layout?.layout ?? null;
  }

  /**
   * Convert a point of the viewport to the screen, as `calibrate` takes its targets.
   *
   * @param {Point} client `clientX` and `clientY`, CSS px
   * @returns {Point} screen px
   * @throws {GazeError} no video is attached
   */
  toScreen(client) {
    if (!this.#layout) throw new GazeError({ title: 'Attach a video first' });
    return this.#layout.toScreen(client);
  }

  /**
   * List the effects that the server offers.
   *
   * @returns {Promise<Effect[]>}
   * @throws {GazeError} as a rejection: the server cannot be reached, or refuses
   */
  listEffects() {
    return this.#api.read('api/effects');
  }

  /**
   * List the named chains of effects that the server offers.
   *
   * @returns {Promise<Preset[]>}
   * @throws {GazeError} as a rejection: the server cannot be reached, or refuses
   */
  listPresets() {
    return this.#api.read('api/presets');
  }

  /**
   * List the hosted films.
   *
   * @returns {Promise<Film[]>}
   * @throws {GazeError} as a rejection: the server cannot be reached, or refuses
   */
  listFilms() {
    return this.#api.read('api/media');
  }

  /**
   * List the URL schemes of live streams that the server's operator allows.
   *
   * @returns {Promise<string[]>} as `rtsp`; empty where none is allowed
   * @throws {GazeError} as a rejection: the server cannot be reached, or refuses
   */
  async liveSchemes() {
    return (await this.#api.read('api/live')).schemes;
  }

  /**
   * The address of a hosted film's still.
   *
   * @param {string} name of the film
   * @returns {string}
   */
  thumbnailUrl(name) {
    return this.#api.url(`api/media/${encodeURIComponent(name)}/thumbnail`);
  }

  /**
   * Open a session. An open one is closed before.
   *
   * @param {OpenOptions} options
   * @returns {Promise<void>} resolves once media can flow
   * @throws {GazeError} as a rejection: the server cannot be reached or refuses, or the connection
   *   fails
   */
  async open(options) {
    if (this.#connection) await this.close();
    const generation = ++this.#generation;
    this.#options = { ...options };
    this.#pausedByViewer = false;
    this.#listenToPage();
    this.#watchCamera();
    this.#setState({ state: 'opening' });
    try {
      await this.#connectOrResume(options.resume ?? null);
    } catch (error) {
      const problem = asGazeError(error);
      if (generation === this.#generation) this.#end({ state: 'failed', error: problem });
      throw problem;
    }
  }

  /** End the session, on the server too. @returns {Promise<void>} never rejects */
  async close() {
    this.#generation += 1;
    const key = this.#key;
    this.#end({ state: 'closed' });
    if (key) await this.#api.endSession(key).catch(() => {});
  }

  /**
   * Replace the whole chain of effects. While the connection is lost, the request waits for the
   * next one.
   *
   * @param {EffectSpec[]} effects
   * @returns {Promise<EffectSpec[]>} the chain as it is now, with all its parameters
   * @throws {GazeError} as a rejection, which is an `error` event too: the server refuses, and the
   *   chain stays as it was
   */
  setEffects(effects) {
    const message = { type: 'effects', effects };
    const response = this.#request(message, {
      isResponse: ({ type }) => type === 'effects',
      isRefusal: ({ status, field }) => status < 500 && Boolean(field?.startsWith('effects')),
      resend: message,
    });
    const chain = response.then((accepted) => accepted.effects);
    chain.catch(() => {}); // need not be awaited: a refusal is an event as well
    return chain;
  }

  /**
   * Send one action of the calibration protocol. `calibration` events report its progress.
   *
   * @param {CalibrationAction} action
   * @param {Point} [target] screen px, see `toScreen`; for `point` and `validate`
   * @returns {Promise<CalibrationEvent>} the result: a target accepted or rejected, a model fitted
   *   or validated
   * @throws {GazeError} as a rejection: the action is impossible now, the calibration was cancelled
   *   (`detail` says why, where the server did it), or the connection was lost
   */
  calibrate(action, target) {
    /** @type {Record<string, unknown>} */
    const message = { type: 'calibrate', action };
    if (target) message.target = target;
    return this.#request(message, calibrationRequest(action));
  }

  /**
   * Report where the moving target of a smooth-pursuit calibration is now, with every frame. Nothing
   * responds to it; `calibration` events report the progress.
   *
   * @param {Point} target screen px, see `toScreen`
   * @returns {void}
   */
  follow(target) {
    this.#send({ type: 'calibrate', action: 'follow', target, t: performance.now() / 1000 });
  }

  /** Pause the film for the viewer; attention does not resume it. @returns {void} */
  pause() {
    this.#pausedByViewer = true;
    this.#send({ type: 'playback', paused: true });
  }

  /** Resume a film that the viewer paused. @returns {void} */
  play() {
    this.#pausedByViewer = false;
    this.#send({ type: 'playback', paused: false });
  }

  /**
   * Seek in a hosted film.
   *
   * @param {number} position_s seconds from its beginning
   * @returns {void}
   */
  seek(position_s) {
    this.#playback.seek(position_s, performance.now());
    this.#send({ type: 'playback', seek: position_s });
  }

  /**
   * Change to another film of the server's.
   *
   * @param {string} name of a hosted film, or address of a live stream
   * @returns {Promise<void>} resolves once that film plays
   * @throws {GazeError} as a rejection, which is an `error` event too: the server refuses, and the
   *   film before it continues
   */
  setMedia(name) {
    const before = this.#options.media;
    this.#options.media = name;
    // The server reports a change by a `playback` message of the new film, which is at its beginning.
    const isLive = name.includes('://');
    const isResponse = (/** @type {any} */ { type, position }) =>
      type === 'playback' && (isLive ? position === null : position !== null && position < NEW_FILM_S);
    const request = this.#request({ type: 'media', name }, {
      isResponse,
      isRefusal: ({ status, field }) => field === 'media' || field === 'name' || status === COMMAND_TIMEOUT_STATUS,
    });
    const done = request.then(() => {}, (error) => {
      if (error.status && this.#options.media === name) this.#options.media = before;
      throw error;
    });
    done.catch(() => {}); // need not be awaited: a refusal is an event as well
    return done;
  }

  /**
   * Send another film over the same session, where the page sends it.
   *
   * @param {MediaStreamTrack} film its video
   * @param {MediaStreamTrack | null} audio
   * @returns {Promise<void>}
   * @throws {DOMException} as a rejection, as of `RTCRtpSender.replaceTrack`
   */
  async setFilm(film, audio) {
    this.#options.film = film;
    this.#options.audio = audio;
    await this.#connection?.replaceFilm(film, audio);
  }

  /**
   * Send another camera over the same session.
   *
   * @param {MediaStreamTrack} camera another camera, or the same one reopened
   * @returns {Promise<void>}
   * @throws {DOMException} as a rejection, as of `RTCRtpSender.replaceTrack`
   */
  async setCamera(camera) {
    this.#options.camera = camera;
    this.#watchCamera();
    await this.#connection?.replaceCamera(camera);
    this.#dispatch('camera', { live: camera.readyState === 'live' });
  }

  /**
   * Report where the viewer points, where the page knows it better than pointer events do.
   *
   * @param {object} pointer
   * @param {Point} [pointer.screen] screen px
   * @param {Point} [pointer.shown] 0..1 of the returned frame, instead of `screen`
   * @param {boolean} [pointer.click] the viewer certainly looks there; corrects the calibration
   * @returns {void}
   */
  pointer(pointer) {
    this.#send({ type: 'pointer', t: performance.now() / 1000, ...pointer });
  }

  /**
   * Measure the round-trip time of a message.
   *
   * @returns {Promise<number>} seconds
   * @throws {GazeError} as a rejection: no response within 10 s, or no session
   */
  async ping() {
    const sent_ms = performance.now();
    const id = String(++this.#pingsSent);
    const isResponse = (/** @type {any} */ { type, id: pinged }) => type === 'pong' && pinged === id;
    const pong = this.#request({ type: 'ping', id, t: sent_ms / 1000 }, { isResponse });
    /** @type {Promise<never>} */
    const late = new Promise((_, reject) => {
      const error = new GazeError({ title: 'No response to a ping', detail: `The server did not respond within ${PONG_TIMEOUT_MS / 1000} s.` });
      setTimeout(() => reject(error), PONG_TIMEOUT_MS);
    });
    return Promise.race([pong.then(() => (performance.now() - sent_ms) / 1000), late]);
  }

  /**
   * Restart ICE now, as the client does by itself when the network changes.
   *
   * @returns {Promise<void>} never rejects
   */
  async restart() {
    if (this.#state === 'connected') await this.#connection?.restart().catch(() => {});
  }

  /**
   * The browser's statistics of the connection.
   *
   * @returns {Promise<RTCStatsReport | null>} null without a connection
   */
  async transportStats() {
    return (await this.#connection?.connection.getStats()) ?? null;
  }

  // Connecting

  /** @param {SessionKey | null} key of a session to resume, if the server still has it */
  async #connectOrResume(key) {
    if (!key) return this.#connect(null);
    try {
      return await this.#connect(key);
    } catch (error) {
      if (asGazeError(error).status !== 404) throw error;
      this.#key = null;
      return this.#connect(null);
    }
  }

  /** @param {SessionKey | null} resume */
  async #connect(resume) {
    const generation = this.#generation;
    const ice = await this.#api.read('api/ice');
    if (generation !== this.#generation) throw closedWhileOpening();
    const connection = new Connection(this.#options, ice.iceServers ?? ice, this.stream);
    this.#connection?.release();
    this.#connection = connection;
    this.#showStream();
    this.#hasInitialChain = false;
    connection.onMessage = (message) => this.#onMessage(message);
    connection.onChannelOpen = () => this.#layout?.reportAgain();
    try {
      const offer = await connection.offer();
      const { key, sdp, etag } = await this.#api.openSession({ ...offer, ...this.#sessionRequest(resume) });
      if (generation !== this.#generation) {
        await this.#api.endSession(key);
        throw closedWhileOpening();
      }
      this.#key = key;
      this.#storage?.setItem(STORAGE_KEY, JSON.stringify(key));
      await connection.answer(sdp, etag, (fragment, tag) => this.#api.patchSession(key, fragment, tag));
      await connection.connected();
      if (generation !== this.#generation) throw closedWhileOpening();
    } catch (error) {
      connection.release();
      if (this.#connection === connection) this.#connection = null;
      throw error;
    }
    connection.onLost = () => this.#reconnect(connection);
    for (const message of this.#requests.messagesToResend) this.#send(message);
    if (this.#pausedByViewer && !resume) this.pause();
    this.#setState({ state: 'connected', resumed: resume !== null });
  }

  /**
   * The members of the session request but for the offer. A resumed session keeps its position and
   * calibration.
   *
   * @param {SessionKey | null} resume
   */
  #sessionRequest(resume) {
    const { media, position, effects, gaze, calibration } = this.#options;
    return {
      ...(media === undefined ? {} : { media }),
      ...(effects === undefined ? {} : { effects }),
      ...(gaze === undefined ? {} : { gaze }),
      ...(media === undefined || !position || resume ? {} : { position }),
      ...(!calibration || resume ? {} : { calibration }),
      ...(resume ? { resume } : {}),
    };
  }

  /**
   * Resume the session, or open a new one where the server no longer has it.
   *
   * @param {Connection | null} lost
   */
  async #reconnect(lost) {
    if (lost && lost !== this.#connection) return;
    const generation = this.#generation;
    const played = this.#video !== null && !this.#video.paused;
    this.#connection?.release();
    this.#options.position = this.position_s ?? undefined;
    this.#requests.rejectLost(connectionLost());
    this.#setState({ state: 'reconnecting' });
    const deadline_ms = performance.now() + RECONNECT_TIMEOUT_MS;
    let error = connectionLost();
    for (let delay_ms = 0; performance.now() + delay_ms < deadline_ms; ) {
      await this.#delayOrOnline(delay_ms);
      if (generation !== this.#generation) return;
      try {
        await this.#connectOrResume(this.#key);
        // A video element pauses when the tracks of its stream are replaced.
        if (played) this.#video?.play().catch(() => {});
        return;
      } catch (reason) {
        if (generation !== this.#generation) return;
        error = asGazeError(reason);
        const isTemporary = error.status === 0 || error.status === 429 || error.status >= 500;
        if (!isTemporary) break;
      }
      const retryAfter_ms = 1000 * Math.min(error.retryAfter_s ?? 0, MAX_RETRY_AFTER_S);
      delay_ms = Math.max(retryAfter_ms, Math.min(MAX_RETRY_DELAY_MS, 2 * delay_ms || 1_000));
    }
    this.#end({ state: 'failed', error });
  }

  /**
   * Wait, but no longer than until the network is back.
   *
   * @param {number} delay_ms
   */
  async #delayOrOnline(delay_ms) {
    const { signal } = this.#closing;
    await new Promise((resolve) => {
      window.addEventListener('online', resolve, { once: true, signal });
      setTimeout(resolve, delay_ms);
    });
  }

  /** Checks are counted rather than timed: the timers of a page that was suspended pause with it. */
  #checkForSilence() {
    if (this.#state !== 'connected' || ++this.#silentChecks < MAX_SILENT_CHECKS) return;
    this.#silentChecks = 0;
    this.#reconnect(this.#connection);
  }

  /** @param {StateEvent} event the last one of this session */
  #end(event) {
    this.#closing.abort();
    this.#connection?.release();
    this.#connection = null;
    this.#key = null;
    this.#storage?.removeItem(STORAGE_KEY);
    this.#playback.reset();
    if (this.#video) this.#video.srcObject = null;
    this.#requests.rejectEverything(event.error ?? new GazeError({ title: 'The session is closed' }));
    this.#setState(event);
  }

  /** An empty stream would delay the page's load event, so this waits for its tracks. */
  #showStream() {
    if (this.#video && this.#connection) this.#video.srcObject = this.stream;
  }

  /** Listen to events of the page for as long as there is a session. */
  #listenToPage() {
    this.#closing.abort();
    this.#closing = new AbortController();
    const { signal } = this.#closing;
    const silence = setInterval(() => this.#checkForSilence(), SILENCE_CHECK_INTERVAL_MS);
    signal.addEventListener('abort', () => clearInterval(silence));
    window.addEventListener('pagehide', () => this.#connection?.release(), { signal });
    window.addEventListener('pageshow', ({ persisted }) => {
      if (persisted && this.#state === 'connected') this.#reconnect(null);
    }, { signal });
    const onNetwork = () => this.restart();
    window.addEventListener('online', onNetwork, { signal });
    const network = /** @type {{ connection?: EventTarget }} */ (navigator).connection;
    network?.addEventListener('change', onNetwork, { signal });
    /** @param {PointerEvent} event */
    const onPointer = (event) => this.#onPointer(event);
    window.addEventListener('pointermove', onPointer, { passive: true, signal });
    window.addEventListener('pointerdown', onPointer, { passive: true, signal });
  }

  /** A camera that is unplugged or no longer allowed ends; the film continues and the gaze is lost. */
  #watchCamera() {
    const { camera } = this.#options;
    camera?.addEventListener('ended', () => {
      if (camera === this.#options.camera) this.#dispatch('camera', { live: false });
    }, { signal: this.#closing.signal });
  }

  // Messages

  /** @param {any} message */
  #onMessage(message) {
    this.#lastMessage_ms = performance.now();
    this.#silentChecks = 0;
    switch (message.type) {
      case 'pong':
        this.#requests.resolve(message);
        return;
      case 'error': {
        const error = new GazeError(message);
        this.#requests.reject(error);
        this.#dispatch('error', error);
        return;
      }
      case 'playback':
        this.#playback.update(message, performance.now());
        this.#requests.resolve(message);
        break;
      case 'calibration':
        if (message.model) this.#options.calibration = message.model;
        if (message.state === 'cancelled') this.#requests.rejectCalibration(calibrationCancelled(message));
        this.#requests.resolveAll(message);
        break;
      case 'effects':
        this.#options.effects = message.effects;
        if (this.#hasInitialChain) this.#requests.resolve(message);
        this.#hasInitialChain = true;
        break;
    }
    this.#dispatch(message.type, message);
  }

  /** @param {PointerEvent} event */
  #onPointer(event) {
    if (this.#state !== 'connected' || !this.#layout || !event.isTrusted) return;
    /** @type {Point} */
    const client = [event.clientX, event.clientY];
    const click = event.type === 'pointerdown';
    if (this.#options.gaze === 'pointer') {
      if (!click && event.timeStamp - this.#lastPointer_ms < POINTER_INTERVAL_MS) return;
      this.#lastPointer_ms = event.timeStamp;
      this.pointer({ shown: this.#layout.toShown(client), click });
    } else if (click && this.#layout.layout.exact) {
      this.pointer({ screen: this.#layout.toScreen(client), click });
    }
  }

  /**
   * @param {object} message
   * @param {Parameters<PendingRequests['add']>[0]} request
   * @returns {Promise<any>}
   */
  #request(message, request) {
    const response = this.#requests.add(request);
    const willConnect = this.#state === 'opening' || this.#state === 'reconnecting';
    if (this.#state === 'connected') this.#send(message);
    else if (!willConnect) this.#requests.rejectEverything(new GazeError({ title: 'Open a session first' }));
    else if (!request.resend) this.#requests.rejectLost(connectionLost());
    return response;
  }

  /** @param {object} message */
  #send(message) {
    this.#connection?.send(JSON.stringify(message));
  }

  /**
   * @template {keyof GazeEvents} K
   * @param {K} type
   * @param {GazeEvents[K]} detail
   */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {StateEvent} event */
  #setState(event) {
    this.#state = event.state;
    this.#dispatch('state', event);
  }
}

function connectionLost() {
  return new GazeError({ title: 'Connection lost' });
}

function closedWhileOpening() {
  return new GazeError({ title: 'Closed while opening' });
}

function sessionStorageOrNull() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}
