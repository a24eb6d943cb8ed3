/** Where a film comes from when the page sends it itself: a file, the screen or a camera. */

import { element } from './dom.js';
import { GazeError } from './gaze-error.js';

const LOAD_TIMEOUT_MS = 10_000;
const CANVAS_RATE_FPS = 30;

/**
 * @typedef {object} OwnFilm
 * @property {'file' | 'screen' | 'camera'} kind
 * @property {string} title
 * @property {MediaStreamTrack} video
 * @property {MediaStreamTrack | null} audio
 * @property {HTMLVideoElement} element shows it as it is, without its sound
 * @property {boolean} seekable
 * @property {() => void} onRenewed called when `video` and `audio` have become others
 * @property {() => void} stop
 */

/**
 * Play a file in a muted video element and take its picture and sound from there: the sound is
 * heard when it comes back with the picture, and must not be heard twice.
 *
 * @param {File} file
 * @returns {Promise<OwnFilm>}
 * @throws {GazeError} the browser cannot play it
 */
export async function openFile(file) {
  const url = URL.createObjectURL(file);
  const video = silentVideo();
  video.src = url;
  try {
    await loaded(video);
  } catch {
    URL.revokeObjectURL(url);
    throw new GazeError({
      title: 'This file cannot be played',
      detail: `Your browser does not play ${file.name}. MP4 (H.264) and WebM files work.`,
    });
  }
  await video.play();
  let captured = capture(video);
  /** @type {OwnFilm} */
  const own = {
    kind: 'file',
    title: file.name,
    video: captured.picture,
    audio: captured.sound,
    element: video,
    seekable: true,
    onRenewed() {},
    stop() {
      captured.stop();
      video.removeAttribute('src');
      video.load();
      URL.revokeObjectURL(url);
    },
  };
  const renew = () => {
    captured.stop();
    captured = capture(video);
    own.video = captured.picture;
    own.audio = captured.sound;
    own.onRenewed();
  };
  // Captured tracks end with the film; one that is played again needs new ones.
  video.addEventListener('ended', () => video.addEventListener('playing', renew, { once: true }));
  return own;
}

/**
 * Let the viewer choose a screen, window or tab.
 *
 * @returns {Promise<OwnFilm>}
 * @throws {GazeError} this browser cannot share
 */
export async function openScreen() {
  if (!navigator.mediaDevices?.getDisplayMedia) {
    throw new GazeError({
      title: 'No screen sharing here',
      detail: 'This browser cannot share a screen or a tab. Choose a hosted film or a file.',
    });
  }
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: 30, width: { max: 1920 }, height: { max: 1080 } },
    audio: /** @type {MediaTrackConstraints} */ ({ suppressLocalAudioPlayback: true }),
  });
  return fromStream('screen', 'Your screen', stream);
}

/**
 * The viewer's camera as the film: a mirror that follows the eyes.
 *
 * @returns {Promise<OwnFilm>}
 * @throws {DOMException} as getUserMedia
 */
export async function openCameraFilm() {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
  });
  return fromStream('camera', 'Your camera', stream);
}

/**
 * @param {'screen' | 'camera'} kind
 * @param {string} title
 * @param {MediaStream} stream
 * @returns {Promise<OwnFilm>}
 */
async function fromStream(kind, title, stream) {
  const video = silentVideo();
  video.srcObject = stream;
  await video.play().catch(() => {});
  return {
    kind,
    title,
    video: /** @type {MediaStreamTrack} */ (stream.getVideoTracks()[0]),
    audio: stream.getAudioTracks()[0] ?? null,
    element: video,
    seekable: false,
    onRenewed() {},
    stop() {
      for (const track of stream.getTracks()) track.stop();
      video.srcObject = null;
    },
  };
}

function silentVideo() {
  const video = element('video', { playsinline: true, 'data-testid': 'original' });
  video.muted = true;
  return video;
}

/**
 * @param {HTMLVideoElement} video
 * @returns {Promise<void>}
 */
function loaded(video) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, LOAD_TIMEOUT_MS);
    const settle = (/** @type {() => void} */ done) => () => {
      clearTimeout(timer);
      done();
    };
    video.addEventListener('loadeddata', settle(resolve), { once: true });
    video.addEventListener('error', settle(reject), { once: true });
  });
}

/** @typedef {{ picture: MediaStreamTrack, sound: MediaStreamTrack | null, stop: () => void }} Captured */

/**
 * What a playing video element shows and sounds like, muted or not.
 *
 * @param {HTMLVideoElement} video
 * @returns {Captured}
 */
function capture(video) {
  const stream = video.captureStream?.() ?? video.mozCaptureStream?.();
  const picture = stream?.getVideoTracks()[0];
  if (!stream || !picture) return redraw(video);
  return {
    picture,
    sound: stream.getAudioTracks()[0] ?? null,
    stop: () => stream.getTracks().forEach((track) => track.stop()),
  };
}

/**
 * The same by way of a canvas and an AudioContext, for browsers without captureStream (Safari).
 *
 * @param {HTMLVideoElement} video
 * @returns {Captured}
 */
function redraw(video) {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const drawing = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const picture = /** @type {MediaStreamTrack} */ (canvas.captureStream(CANVAS_RATE_FPS).getVideoTracks()[0]);
  let stopped = false;
  const draw = () => {
    if (stopped) return;
    drawing.drawImage(video, 0, 0, canvas.width, canvas.height);
    requestAnimationFrame(draw);
  };
  draw();
  const context = new AudioContext();
  const destination = context.createMediaStreamDestination();
  context.createMediaElementSource(video).connect(destination);
  video.muted = false;
  // Not awaited: where there is no sound card it never comes about, and the picture must not wait.
  context.resume();
  return {
    picture,
    sound: destination.stream.getAudioTracks()[0] ?? null,
    stop() {
      stopped = true;
      picture.stop();
      context.close();
    },
  };
}
