/** The viewer's camera: opened, exchanged for another one, reopened after it was unplugged, closed. */

/** @type {MediaTrackConstraints} */
const CONSTRAINTS = {
  width: { ideal: 640 },
  height: { ideal: 480 },
  frameRate: { ideal: 30 },
};

/**
 * Dispatches `ended` when the camera ends by itself, `reopened` when it is plugged in again after
 * that, and `change` whenever `stream` changes.
 */
export class Camera extends EventTarget {
  /** The open camera's stream. @type {MediaStream | null} */
  stream = null;
  /** The open camera's video track. @type {MediaStreamTrack | null} */
  track = null;

  #requests = 0;
  #onDeviceChange = () => this.#reopen();

  /**
   * Open a camera; the browser may ask the viewer for permission.
   *
   * @param {string} [deviceId] by default the camera that faces the viewer
   * @returns {Promise<MediaStreamTrack>}
   * @throws {DOMException} as a rejection: as of `getUserMedia`, and an AbortError where `close` was
   *   called meanwhile
   */
  async open(deviceId) {
    if (this.track?.readyState === 'live' && deviceId === undefined) return this.track;
    const request = ++this.#requests;
    const choice = deviceId === undefined ? { facingMode: 'user' } : { deviceId: { exact: deviceId } };
    const stream = await navigator.mediaDevices.getUserMedia({ video: { ...CONSTRAINTS, ...choice } });
    if (request !== this.#requests) {
      stop(stream);
      throw new DOMException('The camera was closed while it opened', 'AbortError');
    }
    const track = /** @type {MediaStreamTrack} */ (stream.getVideoTracks()[0]);
    this.#use(stream, track);
    navigator.mediaDevices.addEventListener('devicechange', this.#onDeviceChange);
    track.addEventListener('ended', () => {
      if (track === this.track) this.dispatchEvent(new Event('ended'));
    });
    return track;
  }

  /** Switch the camera off. */
  close() {
    this.#requests += 1;
    navigator.mediaDevices?.removeEventListener('devicechange', this.#onDeviceChange);
    if (this.stream) this.#use(null, null);
  }

  /**
   * List the cameras. Browsers reveal them once the viewer has allowed one.
   *
   * @returns {Promise<MediaDeviceInfo[]>}
   */
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

  async #reopen() {
    if (this.track?.readyState !== 'ended') return;
    const devices = await navigator.mediaDevices.enumerateDevices();
    if (!devices.some(({ kind }) => kind === 'videoinput')) return;
    try {
      await this.open();
      this.dispatchEvent(new Event('reopened'));
    } catch {
      // No longer allowed, or unplugged again: the next change of devices tries again.
    }
  }
}

/**
 * @returns {Promise<boolean>} whether a camera opens without asking the viewer; false where the
 *   browser does not tell
 */
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
