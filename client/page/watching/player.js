/** The player: the returned film, what is drawn over and beside it, and the playback bar. */

import { byId, element } from '../shared/dom.js';
import { formatTime } from '../shared/time-format.js';
import { Comparison } from './comparison.js';
import { GazeOverlay } from './gaze-overlay.js';

/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../../gaze-client.js').PlaybackEvent} PlaybackEvent */
/** @typedef {import('../../sdk/local-film.js').LocalFilm} LocalFilm */

const HIDE_BAR_AFTER_MS = 2500;
const POSITION_INTERVAL_MS = 200;
const NOTICE_MS = 4000;

/** Why the film is paused, as the viewer reads it. */
const NOTICES = {
  attention: 'Waiting for your eyes',
  pupil: 'Waiting for your pupils to settle',
  reconnecting: 'Connection lost – reconnecting',
  lost: 'The live stream was lost – reconnecting',
};
/** @type {PlaybackEvent} */
const PLAYING = { paused: false, reason: null, position: null, lost: false };

export class Player {
  film = byId('film', HTMLVideoElement);
  overlay = new GazeOverlay(this.film);
  comparison;

  #client;
  #notice = byId('notice', HTMLElement);
  #play = byId('play', HTMLButtonElement);
  #seek = byId('seek', HTMLInputElement);
  #time = byId('time', HTMLOutputElement);
  #duration = byId('duration', HTMLOutputElement);
  #sound = byId('sound', HTMLButtonElement);
  #root = byId('player', HTMLElement);
  /** @type {LocalFilm | null} */
  #local = null;
  /** @type {number | null} */
  #hostedDuration_s = null;
  #watching = false;
  #seeking = false;
  /** @type {PlaybackEvent} */
  #playback = PLAYING;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #hideBarTimer;
  /** Runs while a notice of `showNotice` is shown. @type {ReturnType<typeof setTimeout> | undefined} */
  #noticeTimer;

  /**
   * @param {GazeClient} client
   * @param {(bypassed: boolean) => void} onBypass the viewer holds or releases the bypass button
   */
  constructor(client, onBypass) {
    this.#client = client;
    this.comparison = new Comparison(onBypass);
    client.attach(this.film);
    client.on('gaze', (gaze) => this.#watching && this.overlay.add(gaze));
    client.on('playback', (playback) => this.#onPlayback(playback));
    client.on('state', ({ state }) => {
      if (state === 'reconnecting') this.#showLastFrame();
      this.#showPlaying();
    });
    this.film.addEventListener('playing', () => this.#removeLastFrame());
    this.#play.addEventListener('click', () => this.togglePlay());
    this.#seek.addEventListener('input', () => {
      this.#seeking = true;
      this.#showTime(Number(this.#seek.value));
    });
    this.#seek.addEventListener('change', () => {
      this.#seeking = false;
      this.#seekTo(Number(this.#seek.value));
    });
    this.#sound.addEventListener('click', () => this.#setMuted(!this.film.muted));
    const full = byId('fullscreen', HTMLButtonElement);
    full.hidden = !document.fullscreenEnabled; // as on telephones, whose browsers fill the screen anyway
    full.addEventListener('click', () => this.toggleFullScreen());
    this.#offerPictureInPicture();
    this.film.addEventListener('click', () => this.#onFilmClick());
    for (const type of ['pointermove', 'pointerdown', 'keydown']) {
      this.#root.addEventListener(type, () => this.#showBar(), { passive: true });
    }
    setInterval(() => this.#updatePosition(), POSITION_INTERVAL_MS);
  }

  /** Whether a session shows a film; without one the bar is disabled. */
  get watching() {
    return this.#watching;
  }

  set watching(watching) {
    this.#watching = watching;
    if (!watching) {
      this.#removeLastFrame();
      this.#playback = PLAYING;
      this.overlay.clear();
      clearTimeout(this.#noticeTimer);
      this.#noticeTimer = undefined;
    }
    this.comparison.watching = watching;
    this.#showPlaying();
    this.#showDuration();
  }

  /**
   * Set the film that is watched.
   *
   * @param {LocalFilm | null} local the film that this page sends; null for one of the server's
   * @param {number | null} hostedDuration_s of a hosted film
   */
  setFilm(local, hostedDuration_s) {
    this.#local = local;
    byId('original', HTMLElement).replaceChildren(...(local ? [local.element] : []));
    for (const type of ['ended', 'playing']) local?.element.addEventListener(type, () => this.#showPlaying());
    this.#hostedDuration_s = hostedDuration_s;
    this.comparison.available = local !== null;
    this.overlay.clear();
    this.#showDuration();
  }

  /** Play the returned film, muted where the browser allows no sound without a click. */
  async start() {
    this.film.muted = false;
    try {
      await this.film.play();
    } catch {
      this.#setMuted(true);
      await this.film.play().catch(() => {});
    }
    this.#setMuted(this.film.muted);
  }

  togglePlay() {
    if (!this.#watching) return;
    const { reason } = this.#playback;
    if (reason === 'ended') {
      this.#seekTo(0);
      this.#client.play();
    } else if (this.#localHasEnded) {
      this.#seekTo(0);
      this.#resume();
    } else if (reason === 'viewer') this.#resume();
    else this.#client.pause();
  }

  /** @param {number} step_s */
  skip(step_s) {
    const position_s = this.position_s;
    if (position_s !== null) this.#seekTo(Math.min(this.#length_s() ?? 0, Math.max(0, position_s + step_s)));
  }

  async toggleFullScreen() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.#root.requestFullscreen?.().catch(() => {});
  }

  /** Not all browsers keep showing the last frame of a lost connection. */
  #showLastFrame() {
    const { videoWidth: width, videoHeight: height } = this.film;
    if (width === 0) return;
    const canvas = element('canvas', { width, height, class: 'last-frame', 'data-testid': 'last-frame' });
    canvas.getContext('2d')?.drawImage(this.film, 0, 0);
    this.#removeLastFrame();
    this.film.after(canvas);
  }

  #removeLastFrame() {
    this.film.parentElement?.querySelector('.last-frame')?.remove();
  }

  /** Firefox has its own button for it and no API. */
  #offerPictureInPicture() {
    const button = byId('picture-in-picture', HTMLButtonElement);
    button.hidden = !document.pictureInPictureEnabled;
    button.addEventListener('click', () => {
      if (document.pictureInPictureElement) document.exitPictureInPicture().catch(() => {});
      else this.film.requestPictureInPicture().catch(() => {});
    });
    for (const type of ['enterpictureinpicture', 'leavepictureinpicture']) {
      this.film.addEventListener(type, () =>
        button.setAttribute('aria-pressed', String(document.pictureInPictureElement === this.film)),
      );
    }
  }

  #resume() {
    this.#client.play();
    if (this.#local?.seekable) this.#local.element.play().catch(() => {});
  }

  #onFilmClick() {
    if (matchMedia('(pointer: fine)').matches) this.togglePlay();
  }

  /** @param {PlaybackEvent} playback */
  #onPlayback(playback) {
    const isBack = this.#playback.lost && !playback.lost;
    this.#playback = playback;
    if (this.#local?.seekable) {
      if (playback.paused) this.#local.element.pause();
      else if (!this.#localHasEnded) this.#local.element.play().catch(() => {});
    }
    this.#showPlaying();
    if (isBack) this.showNotice('The live stream is back');
  }

  /**
   * Show a notice over the film for a while.
   *
   * @param {string} text
   * @param {number} [duration_ms]
   */
  showNotice(text, duration_ms = NOTICE_MS) {
    this.#notice.textContent = text;
    this.#notice.hidden = false;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => {
      this.#noticeTimer = undefined;
      this.#showPlaying();
    }, duration_ms);
  }

  #showPlaying() {
    const { paused, reason, lost } = this.#playback;
    const stopped = reason === 'viewer' || reason === 'ended' || this.#localHasEnded;
    this.#play.disabled = !this.#watching;
    this.#play.setAttribute('aria-label', stopped ? 'Play' : 'Pause');
    this.#play.querySelector('use')?.setAttribute('href', stopped ? '#icon-play' : '#icon-pause');
    const waitsFor = paused && (reason === 'attention' || reason === 'pupil') ? reason : null;
    const reconnecting = this.#watching && this.#client.state === 'reconnecting';
    const cause = reconnecting ? 'reconnecting' : lost ? 'lost' : waitsFor;
    if (cause || this.#noticeTimer === undefined) {
      this.#notice.hidden = cause === null;
      this.#notice.textContent = cause && NOTICES[cause];
    }
    this.#root.dataset.playback = paused ? (reason ?? 'paused') : 'playing';
  }

  get #localHasEnded() {
    return this.#local?.seekable === true && this.#local.element.ended;
  }

  /** Position in the film, in seconds; null where it has none. */
  get position_s() {
    if (!this.#watching) return null;
    if (this.#local) return this.#local.seekable ? this.#local.element.currentTime : null;
    return this.#client.position_s;
  }

  #length_s() {
    if (!this.#local) return this.#hostedDuration_s;
    const { seekable, element } = this.#local;
    return seekable && Number.isFinite(element.duration) ? element.duration : null;
  }

  #showDuration() {
    const length_s = this.#length_s();
    this.#seek.disabled = !this.#watching || length_s === null;
    if (length_s !== null) this.#seek.max = String(length_s);
    this.#duration.textContent = length_s === null ? '–:––' : formatTime(length_s);
    if (length_s === null || !this.#watching) this.#showTime(0);
  }

  /** @param {number} position_s */
  #seekTo(position_s) {
    if (this.#local) this.#local.element.currentTime = position_s;
    else this.#client.seek(position_s);
    this.#showTime(position_s);
  }

  #updatePosition() {
    const position_s = this.position_s;
    if (position_s !== null && !this.#seeking) this.#showTime(Math.min(position_s, this.#length_s() ?? position_s));
  }

  /** @param {number} position_s */
  #showTime(position_s) {
    const text = formatTime(position_s);
    if (this.#time.textContent !== text) this.#time.textContent = text;
    this.#seek.value = String(position_s);
    this.#seek.setAttribute('aria-valuetext', text);
    this.#seek.style.setProperty('--fraction', String(position_s / (this.#length_s() || 1)));
  }

  /** @param {boolean} muted */
  #setMuted(muted) {
    this.film.muted = muted;
    this.#sound.setAttribute('aria-pressed', String(!muted));
    this.#sound.title = muted ? 'Turn the sound on' : 'Turn the sound off';
    this.#sound.querySelector('use')?.setAttribute('href', muted ? '#icon-muted' : '#icon-sound');
  }

  #showBar() {
    this.#root.classList.remove('idle');
    clearTimeout(this.#hideBarTimer);
    this.#hideBarTimer = setTimeout(() => this.#root.classList.add('idle'), HIDE_BAR_AFTER_MS);
  }
}
