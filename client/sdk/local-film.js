/** Films that the page sends itself: from a file, the screen or a camera. */

import { element } from './dom.js';
import { GazeError } from './gaze-error.js';

const LOAD_TIMEOUT_MS = 10_000;
const CANVAS_RATE_FPS = 30;

/**
 * @typedef {object} LocalFilm
 * @property {'file' | 'screen' | 'camera'} kind
 * @property {string} title
 * @property {MediaStreamTrack} video
 * @property {MediaStreamTrack | null} audio
 * @property {HTMLVideoElement} element shows the original, muted
 * @property {boolean} seekable
 * @property {() => void} onTracksReplaced called when `video` and `audio` have changed
 * @property {() => void} stop ends the tracks
 */

/**
 * Play a file in a muted video element and capture its tracks. The audio is heard when it returns
 * with the video, so it must not be heard here as well.
 *
 * @param {File} file
 * @returns {Promise<LocalFilm>}
 * @throws {GazeError} as a rejection: the browser cannot play it
 */
export async function openFile(file) {
  const url = URL.createObjectURL(file);
  const video = mutedVideo();
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
  /** @type {LocalFilm} */
  const local = {
    kind: 'file',
    title: file.name,
    video: captured.video,
    audio: captured.audio,
    element: video,
    seekable: true,
    onTracksReplaced() {},
    stop() {
      captured.stop();
      video.removeAttribute('src');
      video.load();
      URL.revokeObjectURL(url);
    },
  };
  const replaceTracks = () => {
    captured.stop();
    captured = capture(video);
    local.video = captured.video;
    local.audio = captured.audio;
    local.onTracksReplaced();
  };
  // Captured tracks end with the film; playing it again needs new ones.
  video.addEventListener('ended', () => video.addEventListener('playing', replaceTracks, { once: true }));
  return local;
}

/**
 * Let the viewer choose a screen, window or tab.
 *
 * @returns {Promise<LocalFilm>}
 * @throws {GazeError} as a rejection: this browser cannot share
 * @throws {DOMException} as a rejection: as of `getDisplayMedia`
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
 * Use the viewer's camera as the film.
 *
 * @returns {Promise<LocalFilm>}
 * @throws {DOMException} as a rejection: as of `getUserMedia`
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
 * @returns {Promise<LocalFilm>}
 */
async function fromStream(kind, title, stream) {
  const video = mutedVideo();
  video.srcObject = stream;
  await video.play().catch(() => {});
  return {
    kind,
    title,
    video: /** @type {MediaStreamTrack} */ (stream.getVideoTracks()[0]),
    audio: stream.getAudioTracks()[0] ?? null,
    element: video,
    seekable: false,
    onTracksReplaced() {},
    stop() {
      for (const track of stream.getTracks()) track.stop();
      video.srcObject = null;
    },
  };
}

function mutedVideo() {
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

/** @typedef {{ video: MediaStreamTrack, audio: MediaStreamTrack | null, stop: () => void }} CapturedTracks */

/**
 * Capture the tracks of a playing video element, muted or not.
 *
 * @param {HTMLVideoElement} video
 * @returns {CapturedTracks}
 */
function capture(video) {
  const stream = video.captureStream?.() ?? video.mozCaptureStream?.();
  const track = stream?.getVideoTracks()[0];
  if (!stream || !track) return captureByCanvas(video);
  return {
    video: track,
    audio: stream.getAudioTracks()[0] ?? null,
    stop: () => stream.getTracks().forEach((track) => track.stop()),
  };
}

/**
 * Capture by way of a canvas and an AudioContext, for browsers without `captureStream` (Safari).
 *
 * @param {HTMLVideoElement} video
 * @returns {CapturedTracks}
 */
function captureByCanvas(video) {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const drawing = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const track = /** @type {MediaStreamTrack} */ (canvas.captureStream(CANVAS_RATE_FPS).getVideoTracks()[0]);
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
  // Not awaited: without a sound card it never resolves, and the video must not wait for it.
  context.resume();
  return {
    video: track,
    audio: destination.stream.getAudioTracks()[0] ?? null,
    stop() {
      stopped = true;
      track.stop();
      context.close();
    },
  };
}
