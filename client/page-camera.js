/** The viewer's camera: opened on request, another one chosen, unplugging noticed, and closed. */

/** @type {MediaTrackConstraints} */
const WANTED = {
  width: { ideal: 640 },
  height: { ideal: 480 },
  frameRate: { ideal: 30 },
};

/** Dispatches `ended` when the camera goes away by itself, and `change` when its state changes. */
export class Camera extends EventTarget {
  /** @type {MediaStream | null} */
  stream = null;

  get track() {
    return this.stream?.getVideoTracks()[0] ?? null;
  }

  /**
   * @param {string} [deviceId] of the wanted camera; the one that looks at the viewer otherwise
   * @throws {DOMException} as getUserMedia
   */
  async open(deviceId) {
    if (this.stream?.active && deviceId === undefined) return;
    const which = deviceId === undefined ? { facingMode: 'user' } : { deviceId: { exact: deviceId } };
    const stream = await navigator.mediaDevices.getUserMedia({ video: { ...WANTED, ...which } });
    this.close();
    this.stream = stream;
    const { track } = this;
    track?.addEventListener('ended', () => {
      if (track === this.track) this.dispatchEvent(new Event('ended'));
    });
    this.dispatchEvent(new Event('change'));
  }

  /** The camera's light goes off. */
  close() {
    if (!this.stream) return;
    for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    this.dispatchEvent(new Event('change'));
  }

  /** @returns {Promise<MediaDeviceInfo[]>} the cameras that can be chosen, once one is allowed */
  async list() {
    const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    return devices.filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId !== '');
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
