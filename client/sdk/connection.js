/**
 * One peer connection with its data channel, from offer to release: trickle ICE (RFC 8840), ICE
 * restart (RFC 9725) and detection of a lost connection.
 */

import { GazeError, asGazeError } from './gaze-error.js';
import { bundleMid, restartedAnswer, sdpFragment } from './trickle-ice.js';
import { DegradationController, prioritised } from './degradation-preference.js';

/** @typedef {import('./types.js').OpenOptions} OpenOptions */

const CHANNEL = 'gaze';
const CONNECT_TIMEOUT_MS = 20_000;
const TRICKLE_DELAY_MS = 50;
const DISCONNECTED_TIMEOUT_MS = 3_000;

/** @typedef {(fragment: string, etag: string) => Promise<Response>} Patch sends an SDP fragment */

/** Made for each attempt to connect, and not reused after `release`. */
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
  #degradation;
  /** @type {RTCIceCandidate[]} */
  #candidates = [];
  #gatheringComplete = false;
  #onCandidates = () => {};
  /** @type {Patch} */
  #patch = () => Promise.reject(unreachable());
  #restarting = false;
  /** Counts ICE sessions; candidates of an earlier one are not sent. */
  #iceGeneration = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #disconnectedTimer;

  /**
   * @param {OpenOptions} options
   * @param {RTCIceServer[]} iceServers
   * @param {MediaStream} stream its tracks are replaced by the returned ones
   */
  constructor({ camera, film, audio, media }, iceServers, stream) {
    this.connection = new RTCPeerConnection({ iceServers });
    /** @type {RTCRtpTransceiverInit} */
    const direction = { direction: media === undefined ? 'sendrecv' : 'recvonly' };
    this.#transceivers = {
      ...(camera ? { camera: this.connection.addTransceiver(camera, prioritised('camera', { direction: 'sendonly' })) } : {}),
      film: this.connection.addTransceiver(film ?? 'video', prioritised('film', direction)),
      audio: this.connection.addTransceiver(audio ?? 'audio', direction),
    };
    const receiver = this.#transceivers.film.receiver;
    if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
    const videos = [this.#transceivers.camera, this.#transceivers.film];
    this.#degradation = new DegradationController(this.connection, videos.flatMap((one) => one?.sender ?? []));
    for (const track of stream.getTracks()) stream.removeTrack(track);
    stream.addTrack(receiver.track);
    stream.addTrack(this.#transceivers.audio.receiver.track);

    this.#channel = this.connection.createDataChannel(CHANNEL, { ordered: true });
    this.#channel.onmessage = ({ data }) => this.onMessage(JSON.parse(data));
    this.#channel.onopen = () => this.onChannelOpen();
    this.connection.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) this.#candidates.push(candidate);
      else if (!candidate) this.#gatheringComplete = true;
      this.#onCandidates();
    };
  }

  /**
   * Make the offer.
   *
   * @returns {Promise<{ sdp: string, type: 'offer', tracks: Record<string, string> }>} `tracks` are
   *   the mids by role
   */
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
   * Take the server's answer, and begin to send candidates.
   *
   * @param {string} sdp
   * @param {string} etag of the ICE session
   * @param {Patch} patch
   */
  async answer(sdp, etag, patch) {
    await this.connection.setRemoteDescription({ type: 'answer', sdp });
    this.#patch = patch;
    this.#startTrickle(bundleMid(sdp) ?? '0', etag);
  }

  /**
   * Restart ICE; media flows over the old network path until there is a new one.
   *
   * @returns {Promise<void>}
   * @throws {GazeError} as a rejection: the server no longer has the connection
   */
  async restart() {
    const { connection } = this;
    if (this.#restarting || this.#released || connection.signalingState !== 'stable') return;
    this.#restarting = true;
    try {
      const previous = /** @type {RTCSessionDescription} */ (connection.remoteDescription).sdp;
      const mid = bundleMid(previous) ?? '0';
      this.#iceGeneration += 1;
      this.#candidates = [];
      this.#gatheringComplete = false;
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

  /**
   * Wait until media and messages can flow.
   *
   * @returns {Promise<void>}
   * @throws {GazeError} as a rejection: the connection fails, or takes longer than 20 s
   */
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
    connection.addEventListener('connectionstatechange', () => this.#checkState());
    channel.addEventListener('close', () => this.#reportLoss());
    this.#checkState();
  }

  /** @param {string} text dropped while the data channel is not open */
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

  /** Close the connection; the server notices and starts the grace time. */
  release() {
    this.#released = true;
    this.#degradation.stop();
    clearTimeout(this.#disconnectedTimer);
    this.#onCandidates();
    this.connection.close();
  }

  #checkState() {
    clearTimeout(this.#disconnectedTimer);
    const state = this.connection.connectionState;
    if (state === 'closed') this.#reportLoss();
    if (state === 'disconnected' || state === 'failed') {
      this.#disconnectedTimer = setTimeout(() => this.#reportLoss(), DISCONNECTED_TIMEOUT_MS);
      this.restart().catch((error) => {
        if (asGazeError(error).status) this.#reportLoss(); // without a status the server may be reachable soon
      });
    }
  }

  /** @param {string} mid @param {string} etag */
  #startTrickle(mid, etag) {
    this.#trickle(mid, etag, ++this.#iceGeneration).catch((error) => {
      if (!this.#released) console.warn('ICE candidates were not accepted:', error.message);
    });
  }

  #reportLoss() {
    if (this.#released) return;
    clearTimeout(this.#disconnectedTimer);
    this.onLost();
  }

  /**
   * Send candidates as they are gathered, those of the bundled transport only, one request at a time.
   *
   * @param {string} target mid of the bundled transport
   * @param {string} etag of the ICE session
   * @param {number} generation of the ICE session; the next one ends this
   */
  async #trickle(target, etag, generation) {
    let sent = 0;
    for (let ended = false; !ended && !this.#released; ) {
      if (this.#candidates.length === sent && !this.#gatheringComplete) {
        await new Promise((/** @type {(value?: unknown) => void} */ resolve) => (this.#onCandidates = resolve));
      }
      await new Promise((resolve) => setTimeout(resolve, TRICKLE_DELAY_MS));
      if (this.#released || generation !== this.#iceGeneration) return;
      const fresh = this.#candidates.slice(sent).filter((candidate) => candidate.sdpMid === target);
      sent = this.#candidates.length;
      ended = this.#gatheringComplete;
      if (fresh.length === 0 && !ended) continue;
      const lines = fresh.map(({ candidate }) => candidate);
      await this.#patch(sdpFragment(this.#offerSdp, target, lines, ended), etag);
    }
  }
}

function unreachable() {
  return new GazeError({
    title: 'No connection for the film',
    detail: 'The server responds, but video cannot reach it. A firewall may block it.',
  });
}
