/**
 * One peer connection with its data channel, from offer to release: trickle ICE (RFC 8840), ICE
 * restart (RFC 9725) and the loss of the connection.
 */

import { GazeError, asGazeError } from './gaze-error.js';
import { bundleMid, restartedAnswer, sdpFragment } from './trickle-ice.js';
import { Uplink, sharing } from './degradation-preference.js';

/** @typedef {import('./types.js').OpenOptions} OpenOptions */

const CHANNEL = 'gaze';
const CONNECT_TIMEOUT_MS = 20_000;
const TRICKLE_DELAY_MS = 50;
const DISCONNECTED_PATIENCE_MS = 3_000;

/** @typedef {(fragment: string, etag: string) => Promise<Response>} Patch */

/** Made for each try to connect; a released one is never used again. */
export class Connection {
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
