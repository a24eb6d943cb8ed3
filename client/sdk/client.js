/**
 * The SDK: one viewer's session with a gaze server, over WebRTC, as the wire contract says.
 *
 *     const client = new GazeClient();
 *     client.attach(document.querySelector('video'));
 *     client.on('gaze', (gaze) => console.log(gaze.shown, gaze.event));
 *     await client.open({ camera: track, media: 'demo', effects: [{ name: 'blur' }] });
 *     await client.setEffects([{ name: 'zoom', maximum: 2 }]);
 *     await client.close();
 *
 * The client reconnects by itself: it takes the session up again within the server's grace time,
 * and opens a new one with the same effects, calibration and position after it.
 */

import { Api } from './http-api.js';
import { Connection } from './connection.js';
import { GazeError, asGazeError } from './gaze-error.js';
import { LayoutWatcher } from './layout.js';
import { Replies } from './pending-requests.js';

export { GazeError };

/** @typedef {import('./layout.js').Point} Point */
/** @typedef {import('./layout.js').Layout} Layout */
/** @typedef {import('./types.js').Binding} Binding */
/** @typedef {import('./types.js').ParameterValue} ParameterValue */
/** @typedef {import('./types.js').EffectSpec} EffectSpec */
/** @typedef {import('./types.js').SessionKey} SessionKey */
/** @typedef {import('./types.js').OpenOptions} OpenOptions */
/** @typedef {import('./types.js').GazeEvent} GazeEvent */
/** @typedef {import('./types.js').PlaybackEvent} PlaybackEvent */
/** @typedef {import('./types.js').CalibrationAction} CalibrationAction */
/** @typedef {import('./types.js').CalibrationPoint} CalibrationPoint */
/** @typedef {import('./types.js').CalibrationQuality} CalibrationQuality */
/** @typedef {import('./types.js').CalibrationEvent} CalibrationEvent */
/** @typedef {import('./types.js').StatsEvent} StatsEvent */
/** @typedef {import('./types.js').SessionState} SessionState */
/** @typedef {import('./types.js').StateEvent} StateEvent */
/** @typedef {import('./types.js').CameraEvent} CameraEvent */
/** @typedef {import('./types.js').GazeEvents} GazeEvents */
/** @typedef {import('./types.js').Effect} Effect */
/** @typedef {import('./types.js').Preset} Preset */
/** @typedef {import('./types.js').Film} Film */

const STORAGE_KEY = 'gaze.session';
const PONG_TIMEOUT_MS = 10_000;
const POINTER_INTERVAL_MS = 25;
/** The server says something at least this often (`stats`); a few silences in a row are a loss. */
const LIFE_SIGN_MS = 1_500;
const SILENCES_TO_LOSE = 4;
const LONGEST_RETRY_DELAY_MS = 8_000;
const LONGEST_RETRY_AFTER_S = 15;
const GIVE_UP_MS = 120_000;

/** Which states of a calibration, or reasons for them, answer an action. @type {Record<CalibrationAction, string[]>} */
const CALIBRATION_ANSWERS = {
  start: ['collecting'],
  point: ['accepted', 'rejected'],
  validate: ['accepted', 'rejected'],
  repeat: ['accepted', 'rejected'],
  skip: ['skipped'],
  finish: ['fitted', 'validated', 'accepted', 'rejected'],
  cancel: ['cancelled'],
};

/** A viewer's session. One client can open one session after another. */
export class GazeClient extends EventTarget {
  /** The returned film and its sound. */
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
  /** @type {{ paused: boolean, position: number | null, since_ms: number }} */
  #playback = { paused: false, position: null, since_ms: 0 };
  #pausedByViewer = false;
  #replies = new Replies();
  /** The server begins with the chain as it is, which answers nobody. */
  #greeted = false;
  #pingsSent = 0;
  #lastPointer_ms = 0;
  #heard_ms = 0;
  #silentChecks = 0;
  #generation = 0;
  #closing = new AbortController();

  /**
   * @param {object} [options]
   * @param {string | URL} [options.server] by default the one that this module came from
   * @param {Storage | null} [options.storage] where the session's key survives a reload; null keeps
   *   it nowhere
   * @param {number} [options.diagonal_mm] of the viewer's screen, where it is known
   */
  constructor({ server = new URL('../..', import.meta.url), storage = sessionStorageOrNull(), diagonal_mm } = {}) {
    super();
    const base = new URL(server, document.baseURI);
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    this.#api = new Api(base);
    this.#storage = storage;
    this.#diagonal_mm = diagonal_mm;
  }

  /** @returns {SessionState} */
  get state() {
    return this.#state;
  }

  /** Where the hosted film is now, in seconds; null for a film of the page's own. */
  get position_s() {
    const { paused, position, since_ms } = this.#playback;
    if (position === null || paused) return position;
    const until_ms = Math.min(performance.now(), this.#heard_ms + LIFE_SIGN_MS);
    return position + Math.max(0, until_ms - since_ms) / 1000;
  }

  /** Whether the returned film stands still, for whichever reason. */
  get paused() {
    return this.#playback.paused;
  }

  /** The key of a session that this tab had before it was reloaded. */
  get storedSession() {
    const text = this.#storage?.getItem(STORAGE_KEY);
    return text ? /** @type {SessionKey} */ (JSON.parse(text)) : null;
  }

  /**
   * Listen to one kind of event; `addEventListener` does the same with the event around the detail.
   *
   * @template {keyof GazeEvents} K
   * @param {K} type
   * @param {(detail: GazeEvents[K]) => void} listener
   * @returns {() => void} stops listening
   */
  on(type, listener) {
    /** @param {Event} event */
    const handler = (event) => listener(/** @type {CustomEvent} */ (event).detail);
    this.addEventListener(type, handler);
    return () => this.removeEventListener(type, handler);
  }

  /**
   * Show the returned film in a video element, and keep the server told where its picture lies.
   *
   * @param {HTMLVideoElement} video
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

  /** Let go of the video element. */
  detach() {
    this.#layout?.stop();
    this.#layout = null;
    if (this.#video) this.#video.srcObject = null;
    this.#video = null;
  }

  /** The layout as last known, of the attached video. */
  get layout() {
    return this.#layout?.layout ?? null;
  }

  /**
   * A place in the viewport (CSS pixels) on the screen, as `calibrate` wants its targets.
   *
   * @param {Point} client
   * @returns {Point}
   */
  toScreen(client) {
    if (!this.#layout) throw new GazeError({ title: 'Attach a video first' });
    return this.#layout.toScreen(client);
  }

  /** @returns {Promise<Effect[]>} */
  listEffects() {
    return this.#api.read('api/effects');
  }

  /** @returns {Promise<Preset[]>} */
  listPresets() {
    return this.#api.read('api/presets');
  }

  /** @returns {Promise<Film[]>} */
  listFilms() {
    return this.#api.read('api/media');
  }

  /** @returns {Promise<string[]>} schemes of addresses that can be watched live; none by default */
  async liveSchemes() {
    return (await this.#api.read('api/live')).schemes;
  }

  /** @param {string} name of a hosted film */
  thumbnailUrl(name) {
    return this.#api.url(`api/media/${encodeURIComponent(name)}/thumbnail`);
  }

  /**
   * Open a session; resolves once media can flow.
   *
   * @param {OpenOptions} options
   * @throws {GazeError}
   */
  async open(options) {
    if (this.#connection) await this.close();
    const generation = ++this.#generation;
    this.#options = { ...options };
    this.#pausedByViewer = false;
    this.#listen();
    this.#watchCamera();
    this.#setState({ state: 'opening' });
    try {
      await this.#connectOrAnew(options.resume ?? null);
    } catch (error) {
      const problem = asGazeError(error);
      if (generation === this.#generation) this.#end({ state: 'failed', error: problem });
      throw problem;
    }
  }

  /** Leave: the session ends now, on the server too. Never fails. */
  async close() {
    this.#generation += 1;
    const key = this.#key;
    this.#end({ state: 'closed' });
    if (key) await this.#api.endSession(key).catch(() => {});
  }

  /**
   * Replace the whole chain of effects. While the connection is lost, it waits for the next one.
   *
   * @param {EffectSpec[]} effects
   * @returns {Promise<EffectSpec[]>} the chain as it now is, with all its parameters; rejects with
   *   the server's refusal, which is an `error` event too, and then the chain is what it was
   */
  setEffects(effects) {
    const message = { type: 'effects', effects };
    const reply = this.#ask(message, {
      isAnswer: ({ type }) => type === 'effects',
      isRefusal: ({ status, field }) => status < 500 && Boolean(field?.startsWith('effects')),
      again: message,
    });
    const chain = reply.then((told) => told.effects);
    chain.catch(() => {}); // need not be awaited: a refusal is an event as well
    return chain;
  }

  /**
   * One step of a calibration. Every `calibration` event tells its progress.
   *
   * @param {CalibrationAction} action
   * @param {Point} [target] screen px, see `toScreen`
   * @returns {Promise<CalibrationEvent>} what came of it: a dot accepted or rejected, a model
   *   fitted or validated; rejects where the action was impossible or the connection was lost
   */
  calibrate(action, target) {
    /** @type {Record<string, unknown>} */
    const message = { type: 'calibrate', action };
    if (target) message.target = target;
    const states = CALIBRATION_ANSWERS[action] ?? [];
    return this.#ask(message, {
      isAnswer: ({ type, state, reason }) =>
        type === 'calibration' && (states.includes(state) || states.includes(reason)),
      isRefusal: ({ field }) => field === 'action' || Boolean(field?.startsWith('target')),
    });
  }

  /**
   * Where the moving dot of a calibration is now. Told many times a second and never waited for;
   * `calibration` events tell the progress.
   *
   * @param {Point} target screen px, see `toScreen`
   */
  follow(target) {
    this.#send({ type: 'calibrate', action: 'follow', target, t: performance.now() / 1000 });
  }

  /** Stop the film for the viewer; attention does not undo it. */
  pause() {
    this.#pausedByViewer = true;
    this.#send({ type: 'playback', paused: true });
  }

  play() {
    this.#pausedByViewer = false;
    this.#send({ type: 'playback', paused: false });
  }

  /** @param {number} position_s of a hosted film */
  seek(position_s) {
    this.#playback = { ...this.#playback, position: position_s, since_ms: performance.now() };
    this.#send({ type: 'playback', seek: position_s });
  }

  /**
   * Change to another film of the server's.
   *
   * @param {string} name of a hosted film, or the address of a live stream
   * @returns {Promise<void>} resolves once it is on; rejects with the server's refusal, which is an
   *   `error` event too, and then the film goes on that was on before
   */
  setMedia(name) {
    const before = this.#options.media;
    this.#options.media = name;
    this.#send({ type: 'media', name });
    // Messages are carried out in their order: the pong comes once the film is on.
    const done = this.#pong(({ field }) => field === 'media').catch((error) => {
      if (error.field && this.#options.media === name) this.#options.media = before;
      throw error;
    });
    done.catch(() => {}); // need not be awaited: a refusal is an event as well
    return done;
  }

  /**
   * Send another film of the page's own over the same session.
   *
   * @param {MediaStreamTrack} film
   * @param {MediaStreamTrack | null} audio
   */
  async setFilm(film, audio) {
    this.#options.film = film;
    this.#options.audio = audio;
    await this.#connection?.replaceFilm(film, audio);
  }

  /** @param {MediaStreamTrack} camera another camera, or the same one reopened */
  async setCamera(camera) {
    this.#options.camera = camera;
    this.#watchCamera();
    await this.#connection?.replaceCamera(camera);
    this.#dispatch('camera', { live: camera.readyState === 'live' });
  }

  /**
   * Where the viewer points, when the page knows better than pointer events do.
   *
   * @param {{ screen?: Point, shown?: Point, click?: boolean }} pointer
   */
  pointer(pointer) {
    this.#send({ type: 'pointer', t: performance.now() / 1000, ...pointer });
  }

  /** @returns {Promise<number>} round trip to the server and back in seconds */
  async ping() {
    const sent_ms = performance.now();
    const pong = this.#pong();
    /** @type {Promise<never>} */
    const late = new Promise((_, reject) => {
      const error = new GazeError({ title: 'No pong', detail: 'The server did not answer a ping.' });
      setTimeout(() => reject(error), PONG_TIMEOUT_MS);
    });
    return Promise.race([pong.then(() => (performance.now() - sent_ms) / 1000), late]);
  }

  /**
   * Ping, and wait for the answer, however long it takes.
   *
   * @param {(error: GazeError) => boolean} [isRefusal] of what was said before
   * @returns {Promise<void>}
   */
  #pong(isRefusal) {
    const id = String(++this.#pingsSent);
    const isAnswer = (/** @type {any} */ { type, id: answered }) => type === 'pong' && answered === id;
    return this.#ask({ type: 'ping', id, t: performance.now() / 1000 }, { isAnswer, isRefusal });
  }

  /** Look for new ways to the server now, as is done by itself when the network changes. */
  async restart() {
    if (this.#state === 'connected') await this.#connection?.restart().catch(() => {});
  }

  /** @returns {Promise<RTCStatsReport | null>} the browser's own figures of the connection */
  async transportStats() {
    return (await this.#connection?.connection.getStats()) ?? null;
  }

  // Connecting

  /** @param {SessionKey | null} key of a session to take up, if the server still has it */
  async #connectOrAnew(key) {
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
    this.#greeted = false;
    connection.onMessage = (message) => this.#onMessage(message);
    connection.onChannelOpen = () => this.#layout?.renew();
    try {
      const offer = await connection.offer();
      const { key, sdp, etag } = await this.#api.openSession({ ...offer, ...this.#request(resume) });
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
    for (const message of this.#replies.unanswered) this.#send(message);
    if (this.#pausedByViewer && !resume) this.pause();
    this.#setState({ state: 'connected', resumed: resume !== null });
  }

  /**
   * What the server is asked for. A session that it still has keeps its position and calibration.
   *
   * @param {SessionKey | null} resume
   */
  #request(resume) {
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
   * Take the session up again, or open a new one where the server no longer has it.
   *
   * @param {Connection | null} lost
   */
  async #reconnect(lost) {
    if (lost && lost !== this.#connection) return;
    const generation = this.#generation;
    const played = this.#video !== null && !this.#video.paused;
    this.#connection?.release();
    this.#options.position = this.position_s ?? undefined;
    this.#replies.giveUp(connectionLost(), false);
    this.#setState({ state: 'reconnecting' });
    const giveUp_ms = performance.now() + GIVE_UP_MS;
    let error = connectionLost();
    for (let delay_ms = 0; performance.now() + delay_ms < giveUp_ms; ) {
      await this.#pauseOrOnline(delay_ms);
      if (generation !== this.#generation) return;
      try {
        await this.#connectOrAnew(this.#key);
        // An element whose stream was renewed stands still until it is told to play.
        if (played) this.#video?.play().catch(() => {});
        return;
      } catch (reason) {
        if (generation !== this.#generation) return;
        error = asGazeError(reason);
        const mayPass = error.status === 0 || error.status === 429 || error.status >= 500;
        if (!mayPass) break;
      }
      const asked_ms = 1000 * Math.min(error.retryAfter_s ?? 0, LONGEST_RETRY_AFTER_S);
      delay_ms = Math.max(asked_ms, Math.min(LONGEST_RETRY_DELAY_MS, 2 * delay_ms || 1_000));
    }
    this.#end({ state: 'failed', error });
  }

  /**
   * Wait, but no longer than until the network is back.
   *
   * @param {number} delay_ms
   */
  async #pauseOrOnline(delay_ms) {
    const { signal } = this.#closing;
    await new Promise((resolve) => {
      window.addEventListener('online', resolve, { once: true, signal });
      setTimeout(resolve, delay_ms);
    });
  }

  /** Silent checks are counted rather than timed, so that a page that slept is not taken for lost. */
  #listenForLife() {
    if (this.#state !== 'connected' || ++this.#silentChecks < SILENCES_TO_LOSE) return;
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
    this.#playback = { paused: false, position: null, since_ms: 0 };
    if (this.#video) this.#video.srcObject = null;
    this.#replies.giveUp(event.error ?? new GazeError({ title: 'The session is closed' }), true);
    this.#setState(event);
  }

  /** An empty stream would hold up the page's load event, so it waits for its tracks. */
  #showStream() {
    if (this.#video && this.#connection) this.#video.srcObject = this.stream;
  }

  /** Listen to the page for as long as there is a session. */
  #listen() {
    this.#closing.abort();
    this.#closing = new AbortController();
    const { signal } = this.#closing;
    const life = setInterval(() => this.#listenForLife(), LIFE_SIGN_MS);
    signal.addEventListener('abort', () => clearInterval(life));
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

  /** Unplugged, taken away or no longer allowed: the film goes on, and the gaze is lost. */
  #watchCamera() {
    const { camera } = this.#options;
    camera?.addEventListener('ended', () => {
      if (camera === this.#options.camera) this.#dispatch('camera', { live: false });
    }, { signal: this.#closing.signal });
  }

  // Messages

  /** @param {any} message */
  #onMessage(message) {
    this.#heard_ms = performance.now();
    this.#silentChecks = 0;
    switch (message.type) {
      case 'pong':
        this.#replies.answer(message);
        return;
      case 'error': {
        const error = new GazeError(message);
        this.#replies.refuse(error);
        this.#dispatch('error', error);
        return;
      }
      case 'playback':
        this.#playback = {
          paused: message.paused,
          position: message.position ?? null,
          since_ms: performance.now(),
        };
        break;
      case 'calibration':
        if (message.model) this.#options.calibration = message.model;
        this.#replies.answerAll(message);
        break;
      case 'effects':
        this.#options.effects = message.effects;
        if (this.#greeted) this.#replies.answer(message);
        this.#greeted = true;
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
   * @param {Parameters<Replies['next']>[0]} question
   * @returns {Promise<any>}
   */
  #ask(message, question) {
    const connected = this.#state === 'connected';
    const willBe = this.#state === 'opening' || this.#state === 'reconnecting';
    const answer = this.#replies.next(question);
    if (connected) this.#send(message);
    else if (!willBe) this.#replies.giveUp(new GazeError({ title: 'Open a session first' }), true);
    else if (!question.again) this.#replies.giveUp(connectionLost(), false);
    return answer;
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
