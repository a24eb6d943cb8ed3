/** Where a film comes from when the page sends it itself: a file or the screen. */

import { GazeError } from './gaze-client.js';

const LOAD_TIMEOUT_MS = 10_000;
const CANVAS_RATE_FPS = 30;

/**
 * @typedef {object} OwnFilm
 * @property {'file' | 'screen'} kind
 * @property {string} title
 * @property {MediaStreamTrack} video
 * @property {MediaStreamTrack | null} audio
 * @property {boolean} seekable
 * @property {() => void} stop
 */

/**
 * Play a file in a video element and take its picture and sound from there.
 *
 * The sound is led away through an AudioContext: it is heard when it comes back with the picture,
 * and must not be heard twice.
 *
 * @param {File} file
 * @param {HTMLVideoElement} video
 * @returns {Promise<OwnFilm>}
 * @throws {GazeError} the browser cannot play it
 */
export async function openFile(file, video) {
  const url = URL.createObjectURL(file);
  video.srcObject = null;
  video.src = url;
  video.muted = false;
  try {
    await loaded(video);
  } catch {
    URL.revokeObjectURL(url);
    video.removeAttribute('src');
    throw new GazeError({
      title: 'This file cannot be played',
      detail: `Your browser does not play ${file.name}. MP4 (H.264) and WebM files work.`,
    });
  }
  const sound = soundOf(video);
  await sound.context.resume();
  await video.play();
  const picture = pictureOf(video);
  return {
    kind: 'file',
    title: file.name,
    video: picture.track,
    audio: sound.track,
    seekable: true,
    stop() {
      picture.stop();
      video.pause();
      video.removeAttribute('src');
      video.load();
      URL.revokeObjectURL(url);
    },
  };
}

/**
 * Let the viewer choose a screen, window or tab.
 *
 * @param {HTMLVideoElement} video shows it as it is
 * @returns {Promise<OwnFilm>}
 */
export async function openScreen(video) {
  if (!navigator.mediaDevices?.getDisplayMedia) {
    throw new GazeError({
      title: 'No screen sharing here',
      detail: 'This browser cannot share a screen or a tab. Choose a hosted film or a file.',
    });
  }
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: 30, width: { max: 1920 }, height: { max: 1080 } },
    audio: true,
  });
  const picture = /** @type {MediaStreamTrack} */ (stream.getVideoTracks()[0]);
  video.removeAttribute('src');
  video.muted = true;
  video.srcObject = stream;
  await video.play().catch(() => {});
  return {
    kind: 'screen',
    title: 'Your screen',
    video: picture,
    audio: stream.getAudioTracks()[0] ?? null,
    seekable: false,
    stop() {
      for (const track of stream.getTracks()) track.stop();
      video.srcObject = null;
    },
  };
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

/** @type {WeakMap<HTMLVideoElement, { context: AudioContext, track: MediaStreamTrack }>} */
const sounds = new WeakMap();

/**
 * A video element's sound as a track; an element gives it to one AudioContext only, for good.
 *
 * @param {HTMLVideoElement} video
 */
function soundOf(video) {
  let sound = sounds.get(video);
  if (!sound) {
    const context = new AudioContext();
    const destination = context.createMediaStreamDestination();
    context.createMediaElementSource(video).connect(destination);
    sound = { context, track: /** @type {MediaStreamTrack} */ (destination.stream.getAudioTracks()[0]) };
    sounds.set(video, sound);
  }
  return sound;
}

/**
 * A video element's picture as a track; drawn by way of a canvas where captureStream is missing.
 *
 * @param {HTMLVideoElement} video
 * @returns {{ track: MediaStreamTrack, stop: () => void }}
 */
function pictureOf(video) {
  const track = (video.captureStream?.() ?? video.mozCaptureStream?.())?.getVideoTracks()[0];
  if (track) return { track, stop: () => track.stop() };

  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const drawn = /** @type {MediaStreamTrack} */ (canvas.captureStream(CANVAS_RATE_FPS).getVideoTracks()[0]);
  let stopped = false;
  const draw = () => {
    if (stopped) return;
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    requestAnimationFrame(draw);
  };
  draw();
  return {
    track: drawn,
    stop() {
      stopped = true;
      drawn.stop();
    },
  };
}
