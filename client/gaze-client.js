/**
 * The SDK: one viewer's session with a gaze server, over WebRTC, as the wire contract says.
 *
 *     const client = new GazeClient();
 *     client.attach(document.querySelector('video'));
 *     client.on('gaze', (gaze) => console.log(gaze.shown, gaze.event));
 *     await client.open({ camera: track, media: 'demo', effects: [{ name: 'blur' }] });
 *     client.setEffects([{ name: 'zoom', maximum: 2 }]);
 *     await client.close();
 *
 * The client reconnects by itself: it takes the session up again within the server's grace time,
 * and opens a new one with the same effects, calibration and position after it.
 */

import { LayoutWatcher } from './layout.js';
import { TRICKLE_TYPE, bundleMid, restartedAnswer, sdpFragment } from './trickle.js';
import { Uplink, sharing } from './uplink.js';

/** @typedef {import('./layout.js').Point} Point */
/** @typedef {import('./layout.js').Layout} Layout */

/**
 * @typedef {object} Binding a parameter that follows the eyes
 * @property {string} follow the signal
 * @property {Point} [from] range of the signal
 * @property {Point} [to] range of the parameter
 * @property {number} [smooth] time constant in seconds
 */
/** @typedef {number | string | boolean | null | Binding} ParameterValue */
/** @typedef {{ name: string } & Record<string, ParameterValue>} EffectSpec */
/** @typedef {{ id: string, token: string }} SessionKey */

/**
 * @typedef {object} OpenOptions
 * @property {MediaStreamTrack | null} [camera] the viewer's camera; none with `gaze: 'pointer'`
 * @property {MediaStreamTrack | null} [film] the film's picture, where this page sends it
 * @property {MediaStreamTrack | null} [audio] the film's sound, where this page sends it
 * @property {string} [media] name of a hosted film; then `film` and `audio` are left out
 * @property {number} [position] seconds into the hosted film
 * @property {EffectSpec[]} [effects]
 * @property {'camera' | 'pointer'} [gaze] where the gaze comes from; the camera by default
 * @property {object | null} [calibration] the `model` of an earlier `calibration` event
 * @property {SessionKey | null} [resume] a session to take up again
 */

/**
 * @typedef {object} GazeEvent
 * @property {number} t seconds on the server's clock
 * @property {Point | null} screen px
 * @property {Point | null} shown 0..1 of the returned frame
 * @property {Point | null} film 0..1 of the source picture
 * @property {number} confidence 0..1
 * @property {number | null} uncertainty px
 * @property {boolean} calibrated
 * @property {'fixation' | 'saccade' | 'pursuit' | 'blink' | 'lost' | null} event
 * @property {number | null} dwell seconds
 * @property {boolean} attentive
 * @property {Point | null} openness left, right, 0..1
 * @property {number | null} blink_rate per minute
 * @property {{ mm: number | null, relative: number | null, confidence: number } | null} pupil
 * @property {{ yaw: number, pitch: number, roll: number, distance: number | null } | null} head
 */
/**
 * @typedef {object} PlaybackEvent
 * @property {boolean} paused
 * @property {'attention' | 'pupil' | 'viewer' | 'ended' | null} reason
 * @property {number | null} position seconds, of hosted films
 */
/**
 * @typedef {object} CalibrationPoint
 * @property {Point} target screen px
 * @property {Point | null} gaze screen px
 * @property {number} used samples
 * @property {number} discarded samples
 */
/**
 * @typedef {object} CalibrationQuality
 * @property {number | null} accuracy_px
 * @property {number | null} accuracy_deg
 * @property {number | null} precision_px
 * @property {'good' | 'usable' | 'retry'} verdict
 * @property {string | null} reason
 */
/**
 * @typedef {object} CalibrationEvent
 * @property {'collecting' | 'accepted' | 'rejected' | 'fitted' | 'validated' | 'cancelled'} state
 * @property {number} progress 0..1
 * @property {string | null} reason
 * @property {CalibrationPoint[]} [points]
 * @property {CalibrationQuality} [quality]
 * @property {object} [model]
 */
/**
 * @typedef {object} StatsEvent
 * @property {Record<string, { in: number, out: number, dropped: number }>} [frames]
 * @property {Record<string, { p50: number, p95: number }>} [latency_ms]
 * @property {number | null} [gaze_age_ms]
 * @property {[Point, Point] | null} [eyes] the viewer's right and left one, 0..1 of the camera's picture
 */
/** @typedef {'idle' | 'opening' | 'connected' | 'reconnecting' | 'closed' | 'failed'} SessionState */
/**
 * @typedef {object} StateEvent
 * @property {SessionState} state
 * @property {GazeError} [error] why it failed or has to reconnect
 * @property {boolean} [resumed] the server still had the session
 */
/**
 * @typedef {object} GazeEvents
 * @property {GazeEvent} gaze
 * @property {PlaybackEvent} playback
 * @property {CalibrationEvent} calibration
 * @property {StatsEvent} stats
 * @property {{ effects: EffectSpec[] }} effects
 * @property {GazeError} error something was refused; the session goes on
 * @property {StateEvent} state
 */

/**
 * @typedef {object} Effect
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {import('./controls.js').ParametersSchema} parameters JSON Schema
 */
/** @typedef {{ name: string, title: string, description: string, effects: EffectSpec[] }} Preset */
/** @typedef {{ name: string, title: string, duration: number, width: number, height: number }} Film */

const CHANNEL = 'gaze';
const STORAGE_KEY = 'gaze.session';
const REQUEST_TIMEOUT_MS = 20_000;
const CONNECT_TIMEOUT_MS = 20_000;
const TRICKLE_DELAY_MS = 50;
const PONG_TIMEOUT_MS = 10_000;
const POINTER_INTERVAL_MS = 25;
const DISCONNECTED_PATIENCE_MS = 3_000;
/** The server says something at least this often (`stats`); a few silences in a row are a loss. */
const LIFE_SIGN_MS = 1_500;
const SILENCES_TO_LOSE = 4;
const RECONNECT_DELAYS_MS = [0, 1_000, 2_000, 4_000, 8_000];
const LONGEST_RETRY_AFTER_S = 15;

/** What the server or the network refused, as a problem detail. */
export class GazeError extends Error {
  /**
   * @param {object} problem
   * @param {number} [problem.status] HTTP status; 0 where no answer came
   * @param {string} [problem.title]
   * @param {string} [problem.detail]
   * @param {string} [problem.field] the member of the request that was wrong
   * @param {number | null} [problem.retryAfter_s] when it may be worth trying again
   */
  constructor({ status = 0, title = 'Something went wrong', detail = '', field, retryAfter_s = null }) {
    super(detail || title);
    this.name = 'GazeError';
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.field = field;
    this.retryAfter_s = retryAfter_s;
  }

  /**
   * @param {Response} response
   * @returns {Promise<GazeError>}
   */
  static async fromResponse(response) {
    const problem = await response.json().catch(() => ({}));
    const retryAfter = response.headers.get('Retry-After');
    return new GazeError({
      status: response.status,
      title: problem.title ?? response.statusText,
      detail: problem.detail ?? '',
      field: problem.field,
      retryAfter_s: retryAfter === null || Number.isNaN(Number(retryAfter)) ? null : Number(retryAfter),
    });
  }
}

/** A viewer's session. One client can open one session after another. */
export class GazeClient extends EventTarget {
  /** The returned film and its sound. */
  stream = new MediaStream();

  #base;
  #storage;
  #diagonal_mm;
  /** @type {OpenOptions} */
  #options = {};
  /** @type {SessionKey | null} */
  #key = null;
  /** @type {Attempt | null} */
  #attempt = null;
  /** @type {SessionState} */
  #state = 'idle';
  /** @type {HTMLVideoElement | null} */
  #video = null;
  /** @type {LayoutWatcher | null} */
  #layout = null;
  /** @type {{ paused: boolean, position: number | null, since_ms: number }} */
  #playback = { paused: false, position: null, since_ms: 0 };
  #pausedByViewer = false;
  /** @type {Map<string, (roundTrip_s: number) => void>} */
  #pings = new Map();
  #pingsSent = 0;
  #lastPointer_ms = 0;
  #heard_ms = 0;
  #silentChecks = 0;
  #generation = 0;

  /**
   * @param {object} [options]
   * @param {string | URL} [options.base] the server; by default the one this module came from
   * @param {Storage | null} [options.storage] where the session's key survives a reload
   * @param {number} [options.diagonal_mm] of the viewer's screen, where it is known
   */
  constructor({ base = new URL('..', import.meta.url), storage = sessionStorageOrNull(), diagonal_mm } = {}) {
    super();
    this.#base = new URL(base, document.baseURI);
    this.#storage = storage;
    this.#diagonal_mm = diagonal_mm;
    setInterval(() => this.#listenForLife(), LIFE_SIGN_MS);
    window.addEventListener('pagehide', () => this.#attempt?.release());
    window.addEventListener('pageshow', (event) => {
      if (event.persisted && this.#state === 'connected') this.#reconnect(null);
    });
    const onNetwork = () => this.restart();
    window.addEventListener('online', onNetwork);
    const network = /** @type {{ connection?: EventTarget }} */ (navigator).connection;
    network?.addEventListener('change', onNetwork);
    window.addEventListener('pointermove', (event) => this.#onPointer(event), { passive: true });
    window.addEventListener('pointerdown', (event) => this.#onPointer(event), { passive: true });
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
   * Listen to one kind of event.
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
    this.#layout?.stop();
    this.#video = video;
    this.#showStream();
    this.#layout = new LayoutWatcher(
      video,
      (layout) => this.#send({ type: 'layout', ...layout }),
      this.#diagonal_mm,
    );
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
    if (!this.#layout) throw new GazeError({ title: 'attach a video first' });
    return this.#layout.toScreen(client);
  }

  /** @returns {Promise<Effect[]>} */
  listEffects() {
    return this.#getJson('api/effects');
  }

  /** @returns {Promise<Preset[]>} */
  listPresets() {
    return this.#getJson('api/presets');
  }

  /** @returns {Promise<Film[]>} */
  listFilms() {
    return this.#getJson('api/media');
  }

  /** @param {string} name of a hosted film */
  thumbnailUrl(name) {
    return new URL(`api/media/${encodeURIComponent(name)}/thumbnail`, this.#base).href;
  }

  /**
   * Open a session; resolves once media can flow.
   *
   * @param {OpenOptions} options
   * @throws {GazeError}
   */
  async open(options) {
    if (this.#attempt) await this.close();
    const generation = ++this.#generation;
    this.#options = { ...options };
    this.#pausedByViewer = false;
    this.#setState({ state: 'opening' });
    try {
      await this.#connectOrAnew(options.resume ?? null);
    } catch (error) {
      const problem = asGazeError(error);
      if (generation === this.#generation) {
        this.#forget();
        this.#setState({ state: 'failed', error: problem });
      }
      throw problem;
    }
  }

  /** Leave: the session ends now, on the server too. */
  async close() {
    this.#generation += 1;
    const key = this.#key;
    this.#forget();
    this.#setState({ state: 'closed' });
    if (!key) return;
    await this.#fetch(`api/sessions/${key.id}`, {
      method: 'DELETE',
      headers: authorization(key),
      keepalive: true,
    }).catch(() => {});
  }

  /**
   * Replace the whole chain of effects; an `effects` event follows, or an `error`.
   *
   * @param {EffectSpec[]} effects
   */
  setEffects(effects) {
    this.#options.effects = effects;
    this.#send({ type: 'effects', effects });
  }

  /**
   * One step of a calibration; `calibration` events follow.
   *
   * @param {'start' | 'point' | 'follow' | 'skip' | 'repeat' | 'validate' | 'finish' | 'cancel'} action
   * @param {Point} [target] screen px
   */
  calibrate(action, target) {
    /** @type {Record<string, unknown>} */
    const message = { type: 'calibrate', action };
    if (target) message.target = target;
    if (action === 'follow') message.t = performance.now() / 1000;
    this.#send(message);
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

  /** @param {string} name change to another hosted film */
  setMedia(name) {
    this.#options.media = name;
    this.#send({ type: 'media', name });
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
    await this.#attempt?.replaceFilm(film, audio);
  }

  /** @param {MediaStreamTrack} camera another camera, or the same one reopened */
  async setCamera(camera) {
    this.#options.camera = camera;
    await this.#attempt?.replaceCamera(camera);
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
  ping() {
    const id = String(++this.#pingsSent);
    const reply = new Promise((/** @type {(roundTrip_s: number) => void} */ resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pings.delete(id);
        reject(new GazeError({ title: 'No pong', detail: 'The server did not answer a ping.' }));
      }, PONG_TIMEOUT_MS);
      this.#pings.set(id, (roundTrip_s) => {
        clearTimeout(timer);
        resolve(roundTrip_s);
      });
    });
    this.#send({ type: 'ping', id, t: performance.now() / 1000 });
    return reply;
  }

  /** Look for new ways to the server now, as is done by itself when the network changes. */
  async restart() {
    if (this.#state === 'connected') await this.#attempt?.restart().catch(() => {});
  }

  /** @returns {Promise<RTCStatsReport | null>} the browser's own figures of the connection */
  async transportStats() {
    return (await this.#attempt?.connection.getStats()) ?? null;
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
    const ice = await this.#getJson('api/ice');
    if (generation !== this.#generation) throw new GazeError({ title: 'Closed while opening' });
    const attempt = new Attempt(this.#options, ice.iceServers ?? ice, this.stream);
    this.#attempt?.release();
    this.#attempt = attempt;
    this.#showStream();
    attempt.onMessage = (message) => this.#onMessage(message);
    attempt.onChannelOpen = () => this.#layout?.renew();
    try {
      const offer = await attempt.offer();
      const response = await this.#fetch('api/sessions', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ ...offer, ...this.#request(resume) }),
      });
      const answer = await response.json();
      const key = { id: answer.id, token: answer.token };
      if (generation !== this.#generation) {
        attempt.release();
        await this.#fetch(`api/sessions/${key.id}`, { method: 'DELETE', headers: authorization(key) });
        throw new GazeError({ title: 'Closed while opening' });
      }
      this.#key = key;
      this.#storage?.setItem(STORAGE_KEY, JSON.stringify(key));
      const location = response.headers.get('Location') ?? `api/sessions/${key.id}`;
      await attempt.answer(answer.sdp, response.headers.get('ETag') ?? '', (fragment, etag) =>
        this.#fetch(location, {
          method: 'PATCH',
          headers: { ...authorization(key), 'Content-Type': TRICKLE_TYPE, 'If-Match': etag },
          body: fragment,
        }),
      );
      await attempt.connected();
    } catch (error) {
      attempt.release();
      if (this.#attempt === attempt) this.#attempt = null;
      throw error;
    }
    if (generation !== this.#generation) throw new GazeError({ title: 'Closed while opening' });
    attempt.onLost = () => this.#reconnect(attempt);
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
   * @param {Attempt | null} lost
   */
  async #reconnect(lost) {
    if (lost && lost !== this.#attempt) return;
    const generation = this.#generation;
    this.#attempt?.release();
    this.#options.position = this.position_s ?? undefined;
    this.#setState({ state: 'reconnecting' });
    let error = new GazeError({ title: 'Connection lost' });
    for (const delay_ms of RECONNECT_DELAYS_MS) {
      const asked_ms = 1000 * Math.min(error.retryAfter_s ?? 0, LONGEST_RETRY_AFTER_S);
      await new Promise((resolve) => setTimeout(resolve, Math.max(delay_ms, asked_ms)));
      if (generation !== this.#generation) return;
      try {
        return await this.#connectOrAnew(this.#key);
      } catch (reason) {
        if (generation !== this.#generation) return;
        error = asGazeError(reason);
        const mayPass = error.status === 0 || error.status === 429 || error.status >= 500;
        if (!mayPass) break;
      }
    }
    this.#forget();
    this.#setState({ state: 'failed', error });
  }

  /** Silent checks are counted rather than timed, so that a page that slept is not taken for lost. */
  #listenForLife() {
    if (this.#state !== 'connected' || ++this.#silentChecks < SILENCES_TO_LOSE) return;
    this.#silentChecks = 0;
    this.#reconnect(this.#attempt);
  }

  #forget() {
    this.#attempt?.release();
    this.#attempt = null;
    this.#key = null;
    this.#storage?.removeItem(STORAGE_KEY);
    this.#playback = { paused: false, position: null, since_ms: 0 };
    if (this.#video) this.#video.srcObject = null;
  }

  /** An empty stream would hold up the page's load event, so it waits for its tracks. */
  #showStream() {
    if (this.#video && this.#attempt) this.#video.srcObject = this.stream;
  }

  // Messages

  /** @param {any} message */
  #onMessage(message) {
    this.#heard_ms = performance.now();
    this.#silentChecks = 0;
    switch (message.type) {
      case 'pong':
        this.#pings.get(message.id)?.(performance.now() / 1000 - message.t);
        this.#pings.delete(message.id);
        return;
      case 'error':
        this.#dispatch('error', new GazeError(message));
        return;
      case 'playback':
        this.#playback = {
          paused: message.paused,
          position: message.position ?? null,
          since_ms: performance.now(),
        };
        break;
      case 'calibration':
        if (message.model) this.#options.calibration = message.model;
        break;
      case 'effects':
        this.#options.effects = message.effects;
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

  /** @param {object} message */
  #send(message) {
    this.#attempt?.send(JSON.stringify(message));
  }

  /**
   * @param {string} type
   * @param {unknown} detail
   */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {StateEvent} event */
  #setState(event) {
    this.#state = event.state;
    this.#dispatch('state', event);
  }

  // HTTP

  /** @param {string} path */
  async #getJson(path) {
    return (await this.#fetch(path, {})).json();
  }

  /**
   * @param {string} path
   * @param {RequestInit} init
   */
  async #fetch(path, init) {
    let response;
    try {
      response = await fetch(new URL(path, this.#base), {
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...init,
      });
    } catch {
      throw new GazeError({ title: 'No connection', detail: 'The server cannot be reached.' });
    }
    if (!response.ok) throw await GazeError.fromResponse(response);
    return response;
  }
}

/** @typedef {(fragment: string, etag: string) => Promise<Response>} Patch */

/** One peer connection with its data channel, from offer to release. */
class Attempt {
  /** @type {(message: any) => void} */
  onMessage = () => {};
  onChannelOpen = () => {};
  /** Called once when an open connection is lost; not after `release`. */
  onLost = () => {};

  #channel;
  /** @type {{ camera?: RTCRtpTransceiver, film: RTCRtpTransceiver, audio: RTCRtpTransceiver }} */
  #transceivers;
  #offerSdp = '';
  #released = false;
  #uplink;
  /** @type {RTCIceCandidate[]} */
  #candidates = [];
  #complete = false;
  #wake = () => {};
  /** @type {Patch} */
  #patch = () => Promise.reject(unreachable());
  #restarting = false;
  #trickling = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;

  /**
   * @param {OpenOptions} options
   * @param {RTCIceServer[]} iceServers
   * @param {MediaStream} stream receives the returned tracks
   */
  constructor({ camera, film, audio, media }, iceServers, stream) {
    this.connection = new RTCPeerConnection({ iceServers });
    /** @type {RTCRtpTransceiverInit} */
    const direction = { direction: media === undefined ? 'sendrecv' : 'recvonly' };
    this.#transceivers = {
      ...(camera ? { camera: this.connection.addTransceiver(camera, sharing('camera', { direction: 'sendonly' })) } : {}),
      film: this.connection.addTransceiver(film ?? 'video', sharing('film', direction)),
      audio: this.connection.addTransceiver(audio ?? 'audio', direction),
    };
    const receiver = this.#transceivers.film.receiver;
    if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
    const { camera: seen, film: sent } = this.#transceivers;
    this.#uplink = new Uplink(this.connection, [...(seen ? [seen.sender] : []), sent.sender]);
    for (const track of stream.getTracks()) stream.removeTrack(track);
    stream.addTrack(receiver.track);
    stream.addTrack(this.#transceivers.audio.receiver.track);

    this.#channel = this.connection.createDataChannel(CHANNEL, { ordered: true });
    this.#channel.onmessage = ({ data }) => this.onMessage(JSON.parse(data));
    this.#channel.onopen = () => this.onChannelOpen();
    this.connection.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) this.#candidates.push(candidate);
      else if (!candidate) this.#complete = true;
      this.#wake();
    };
  }

  /** @returns {Promise<{ sdp: string, type: 'offer', tracks: Record<string, string> }>} */
  async offer() {
    await this.connection.setLocalDescription();
    this.#offerSdp = /** @type {RTCSessionDescription} */ (this.connection.localDescription).sdp;
    /** @type {Record<string, string>} */
    const tracks = {};
    for (const [role, { mid }] of Object.entries(this.#transceivers)) {
      if (mid !== null) tracks[role] = mid;
    }
    return { sdp: this.#offerSdp, type: 'offer', tracks };
  }

  /**
   * @param {string} sdp
   * @param {string} etag of the ICE session
   * @param {Patch} patch sends one fragment
   */
  async answer(sdp, etag, patch) {
    await this.connection.setRemoteDescription({ type: 'answer', sdp });
    this.#patch = patch;
    this.#startTrickle(bundleMid(sdp) ?? '0', etag);
  }

  /**
   * Look for new ways to the server; media goes on over the old one until there is a new one.
   *
   * @throws {GazeError} the server no longer has the connection
   */
  async restart() {
    const { connection } = this;
    if (this.#restarting || this.#released || connection.signalingState !== 'stable') return;
    this.#restarting = true;
    try {
      const previous = /** @type {RTCSessionDescription} */ (connection.remoteDescription).sdp;
      const mid = bundleMid(previous) ?? '0';
      this.#trickling += 1;
      this.#candidates = [];
      this.#complete = false;
      connection.restartIce();
      await connection.setLocalDescription();
      this.#offerSdp = /** @type {RTCSessionDescription} */ (connection.localDescription).sdp;
      const response = await this.#patch(sdpFragment(this.#offerSdp, mid, [], false), '*');
      const fragment = await response.text();
      if (this.#released) return;
      const sdp = restartedAnswer(previous, fragment);
      await connection.setRemoteDescription({ type: 'answer', sdp });
      this.#startTrickle(mid, response.headers.get('ETag') ?? '');
    } catch (error) {
      if (this.connection.signalingState === 'have-local-offer') {
        await connection.setLocalDescription({ type: 'rollback' });
      }
      throw error;
    } finally {
      this.#restarting = false;
    }
  }

  /** Resolves when media and messages can flow. */
  async connected() {
    const channel = this.#channel;
    const { connection } = this;
    await new Promise((/** @type {(value?: unknown) => void} */ resolve, reject) => {
      const check = () => {
        if (this.#released || connection.connectionState === 'failed') reject(unreachable());
        else if (connection.connectionState === 'connected' && channel.readyState === 'open') resolve();
      };
      connection.addEventListener('connectionstatechange', check);
      channel.addEventListener('open', check);
      setTimeout(() => reject(unreachable()), CONNECT_TIMEOUT_MS);
      check();
    });
    connection.addEventListener('connectionstatechange', () => this.#watch());
    channel.addEventListener('close', () => this.#lose());
    this.#watch();
  }

  /** @param {string} text */
  send(text) {
    if (this.#channel.readyState === 'open') this.#channel.send(text);
  }

  /**
   * @param {MediaStreamTrack} film
   * @param {MediaStreamTrack | null} audio
   */
  async replaceFilm(film, audio) {
    await this.#transceivers.film.sender.replaceTrack(film);
    await this.#transceivers.audio.sender.replaceTrack(audio);
  }

  /** @param {MediaStreamTrack} camera */
  async replaceCamera(camera) {
    await this.#transceivers.camera?.sender.replaceTrack(camera);
  }

  /** Let go of the connection; the server notices and starts the grace time. */
  release() {
    this.#released = true;
    this.#uplink.stop();
    clearTimeout(this.#patience);
    this.#wake();
    this.connection.close();
  }

  #watch() {
    clearTimeout(this.#patience);
    const state = this.connection.connectionState;
    if (state === 'closed') this.#lose();
    if (state === 'disconnected' || state === 'failed') {
      this.#patience = setTimeout(() => this.#lose(), DISCONNECTED_PATIENCE_MS);
      this.restart().catch((error) => {
        if (asGazeError(error).status) this.#lose(); // else the server may yet be reached
      });
    }
  }

  /** @param {string} mid @param {string} etag */
  #startTrickle(mid, etag) {
    this.#trickle(mid, etag, ++this.#trickling).catch((error) => {
      if (!this.#released) console.warn('candidates were not taken:', error.message);
    });
  }

  #lose() {
    if (this.#released) return;
    clearTimeout(this.#patience);
    this.onLost();
  }

  /**
   * Send candidates as they come, those of the bundle's transport only, one request at a time.
   *
   * @param {string} target the bundle's mid
   * @param {string} etag of the ICE session
   * @param {number} turn ends when another ICE session begins
   */
  async #trickle(target, etag, turn) {
    let sent = 0;
    for (let told = false; !told && !this.#released; ) {
      if (this.#candidates.length === sent && !this.#complete) {
        await new Promise((/** @type {(value?: unknown) => void} */ resolve) => (this.#wake = resolve));
      }
      await new Promise((resolve) => setTimeout(resolve, TRICKLE_DELAY_MS));
      if (this.#released || turn !== this.#trickling) return;
      const fresh = this.#candidates.slice(sent).filter((candidate) => candidate.sdpMid === target);
      sent = this.#candidates.length;
      told = this.#complete;
      if (fresh.length === 0 && !told) continue;
      const lines = fresh.map(({ candidate }) => candidate);
      await this.#patch(sdpFragment(this.#offerSdp, target, lines, told), etag);
    }
  }
}

function unreachable() {
  return new GazeError({
    title: 'No connection for the film',
    detail: 'The server answered, but pictures cannot reach it. A firewall may be in the way.',
  });
}

/** @param {SessionKey} key */
function authorization(key) {
  return { Authorization: `Bearer ${key.token}` };
}

/** @param {unknown} error */
function asGazeError(error) {
  if (error instanceof GazeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new GazeError({ title: 'The browser refused', detail: message });
}

function sessionStorageOrNull() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}
