/** The viewer's camera: opened on request, another one chosen, unplugging noticed, and given back. */

/** @type {MediaTrackConstraints} */
const WANTED = {
  width: { ideal: 640 },
  height: { ideal: 480 },
  frameRate: { ideal: 30 },
};

/**
 * Dispatches `ended` when the camera goes away by itself and `back` when, still wanted, it is there
 * again after that; `change` whenever its stream is another one, or none.
 */
export class Camera extends EventTarget {
  /** @type {MediaStream | null} */
  stream = null;
  /** Its picture. @type {MediaStreamTrack | null} */
  track = null;

  #requests = 0;
  #onDevices = () => this.#lookForIt();

  /**
   * @param {string} [deviceId] of the wanted camera; the one that looks at the viewer otherwise
   * @returns {Promise<MediaStreamTrack>}
   * @throws {DOMException} as getUserMedia does, and an AbortError where it was closed meanwhile
   */
  async open(deviceId) {
    if (this.track?.readyState === 'live' && deviceId === undefined) return this.track;
    const request = ++this.#requests;
    const which = deviceId === undefined ? { facingMode: 'user' } : { deviceId: { exact: deviceId } };
    const stream = await navigator.mediaDevices.getUserMedia({ video: { ...WANTED, ...which } });
    if (request !== this.#requests) {
      stop(stream);
      throw new DOMException('The camera is no longer wanted', 'AbortError');
    }
    const track = /** @type {MediaStreamTrack} */ (stream.getVideoTracks()[0]);
    this.#use(stream, track);
    navigator.mediaDevices.addEventListener('devicechange', this.#onDevices);
    track.addEventListener('ended', () => {
      if (track === this.track) this.dispatchEvent(new Event('ended'));
    });
    return track;
  }

  /** Switch it off; its light goes out. */
  close() {
    this.#requests += 1;
    navigator.mediaDevices?.removeEventListener('devicechange', this.#onDevices);
    if (this.stream) this.#use(null, null);
  }

  /** @returns {Promise<MediaDeviceInfo[]>} the cameras that can be chosen, once one is allowed */
  async list() {
    const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    return devices.filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId !== '');
  }

  /**
   * @param {MediaStream | null} stream
   * @param {MediaStreamTrack | null} track
   */
  #use(stream, track) {
    if (this.stream) stop(this.stream);
    [this.stream, this.track] = [stream, track];
    this.dispatchEvent(new Event('change'));
  }

  async #lookForIt() {
    if (this.track?.readyState !== 'ended') return;
    const devices = await navigator.mediaDevices.enumerateDevices();
    if (!devices.some(({ kind }) => kind === 'videoinput')) return;
    try {
      await this.open();
      this.dispatchEvent(new Event('back'));
    } catch {
      // Not allowed any more, or gone again: the next change of devices is the next chance.
    }
  }
}

/** @returns {Promise<boolean>} whether it opens without a question */
export async function cameraIsAllowed() {
  try {
    const name = /** @type {PermissionName} */ ('camera');
    return (await navigator.permissions.query({ name })).state === 'granted';
  } catch {
    return false;
  }
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}
