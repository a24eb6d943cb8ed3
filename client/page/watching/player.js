/** The screen of the page: the returned film, what is drawn over and beside it, and the bar. */

import { Compare } from './comparison.js';
import { byId, element } from '../shared/dom.js';
import { formatTime } from '../shared/time-format.js';
import { Marks } from './gaze-overlay.js';

/** @typedef {import('../../gaze-client.js').GazeClient} GazeClient */
/** @typedef {import('../../gaze-client.js').PlaybackEvent} PlaybackEvent */
/** @typedef {import('../../sdk/local-film.js').OwnFilm} OwnFilm */

const IDLE_MS = 2500;
const BAR_INTERVAL_MS = 200;
const NOTICE_MS = 4000;

const NOTICES = {
  attention: 'Waiting for your eyes',
  pupil: 'Waiting for your pupils to settle',
  away: 'The connection is lost – trying again',
  lost: 'The live stream is lost and tried again',
};
const PLAYING = { paused: false, reason: null, position: null, lost: false };

export class Player {
  film = byId('film', HTMLVideoElement);
  marks = new Marks(this.film);
  compare;

  #client;
  #notice = byId('notice', HTMLElement);
  #play = byId('play', HTMLButtonElement);
  #seek = byId('seek', HTMLInputElement);
  #time = byId('time', HTMLOutputElement);
  #duration = byId('duration', HTMLOutputElement);
  #sound = byId('sound', HTMLButtonElement);
  #theatre = byId('theatre', HTMLElement);
  /** @type {OwnFilm | null} */
  #own = null;
  /** @type {number | null} */
  #hostedDuration_s = null;
  #watching = false;
  #seeking = false;
  /** @type {PlaybackEvent} */
  #playback = PLAYING;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #idle;

  /**
   * @param {GazeClient} client
   * @param {(holds: boolean) => void} onHold the viewer wants to see the film without effects
   */
  constructor(client, onHold) {
    this.#client = client;
    this.compare = new Compare(onHold);
    client.attach(this.film);
    client.on('gaze', (gaze) => this.#watching && this.marks.add(gaze));
    client.on('playback', (playback) => this.#onPlayback(playback));
    client.on('state', ({ state }) => {
      if (state === 'reconnecting') this.#keepPicture();
      this.#showPlaying();
    });
    this.film.addEventListener('playing', () => this.#forgetPicture());
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
    const full = byId('full', HTMLButtonElement);
    full.hidden = !document.fullscreenEnabled; // as on telephones whose browsers fill the screen anyway
    full.addEventListener('click', () => this.toggleFullScreen());
    this.#offerPictureInPicture();
    this.film.addEventListener('click', () => this.#onFilmClick());
    for (const type of ['pointermove', 'pointerdown', 'keydown']) {
      this.#theatre.addEventListener(type, () => this.#wakeBar(), { passive: true });
    }
    setInterval(() => this.#tick(), BAR_INTERVAL_MS);
  }

  /** Whether a film is on; without one the bar rests. */
  get watching() {
    return this.#watching;
  }

  set watching(watching) {
    this.#watching = watching;
    if (!watching) {
      this.#forgetPicture();
      this.#playback = PLAYING;
      this.marks.clear();
      this.#notice.hidden = true;
    }
    this.compare.watching = watching;
    this.#showPlaying();
    this.#showDuration();
  }

  /**
   * Which film is watched.
   *
   * @param {OwnFilm | null} own null for a hosted one
   * @param {number | null} hostedDuration_s
   */
  setFilm(own, hostedDuration_s) {
    this.#own = own;
    byId('original', HTMLElement).replaceChildren(...(own ? [own.element] : []));
    for (const type of ['ended', 'playing']) own?.element.addEventListener(type, () => this.#showPlaying());
    this.#hostedDuration_s = hostedDuration_s;
    this.compare.available = own !== null;
    this.marks.clear();
    this.#showDuration();
  }

  /** Start the returned film, silently where the browser insists. */
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
    } else if (this.#ownHasEnded) {
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
    else await this.#theatre.requestFullscreen?.().catch(() => {});
  }

  /** Not all browsers go on showing the last picture of a connection that is gone. */
  #keepPicture() {
    const { videoWidth: width, videoHeight: height } = this.film;
    if (width === 0) return;
    const canvas = element('canvas', { width, height, class: 'kept-picture', 'data-testid': 'kept-picture' });
    canvas.getContext('2d')?.drawImage(this.film, 0, 0);
    this.#forgetPicture();
    this.film.after(canvas);
  }

  #forgetPicture() {
    this.film.parentElement?.querySelector('.kept-picture')?.remove();
  }

  /** Firefox has a button of its own for it, and lends it to no page. */
  #offerPictureInPicture() {
    const button = byId('apart', HTMLButtonElement);
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
    if (this.#own?.seekable) this.#own.element.play().catch(() => {});
  }

  #onFilmClick() {
    if (matchMedia('(pointer: fine)').matches) this.togglePlay();
  }

  /** @param {PlaybackEvent} playback */
  #onPlayback(playback) {
    const isBack = this.#playback.lost && !playback.lost;
    this.#playback = playback;
    if (this.#own?.seekable) {
      if (playback.paused) this.#own.element.pause();
      else if (!this.#ownHasEnded) this.#own.element.play().catch(() => {});
    }
    this.#showPlaying();
    if (isBack) this.#tell('The live stream is back');
  }

  /** Say something over the picture for a while. @param {string} text */
  #tell(text) {
    this.#notice.textContent = text;
    this.#notice.hidden = false;
    setTimeout(() => this.#showPlaying(), NOTICE_MS);
  }

  #showPlaying() {
    const { paused, reason, lost } = this.#playback;
    const stopped = reason === 'viewer' || reason === 'ended' || this.#ownHasEnded;
    this.#play.disabled = !this.#watching;
    this.#play.setAttribute('aria-label', stopped ? 'Play' : 'Pause');
    this.#play.querySelector('use')?.setAttribute('href', stopped ? '#icon-play' : '#icon-pause');
    const waits = paused && (reason === 'attention' || reason === 'pupil') ? reason : null;
    const away = this.#watching && this.#client.state === 'reconnecting';
    const why = away ? 'away' : lost ? 'lost' : waits;
    const notice = why && NOTICES[why];
    this.#notice.hidden = notice === null;
    this.#notice.textContent = notice;
    this.#theatre.dataset.playback = paused ? (reason ?? 'paused') : 'playing';
  }

  get #ownHasEnded() {
    return this.#own?.seekable === true && this.#own.element.ended;
  }

  /** Where the film is, in seconds; null where it has no such place. */
  get position_s() {
    if (!this.#watching) return null;
    if (this.#own) return this.#own.seekable ? this.#own.element.currentTime : null;
    return this.#client.position_s;
  }

  #length_s() {
    if (!this.#own) return this.#hostedDuration_s;
    const { seekable, element } = this.#own;
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
    if (this.#own) this.#own.element.currentTime = position_s;
    else this.#client.seek(position_s);
    this.#showTime(position_s);
  }

  #tick() {
    const position_s = this.position_s;
    if (position_s !== null && !this.#seeking) this.#showTime(Math.min(position_s, this.#length_s() ?? position_s));
  }

  /** @param {number} position_s */
  #showTime(position_s) {
    const text = formatTime(position_s);
    if (this.#time.textContent !== text) this.#time.textContent = text;
    this.#seek.value = String(position_s);
    this.#seek.setAttribute('aria-valuetext', text);
    this.#seek.style.setProperty('--share', String(position_s / (this.#length_s() || 1)));
  }

  /** @param {boolean} muted */
  #setMuted(muted) {
    this.film.muted = muted;
    this.#sound.setAttribute('aria-pressed', String(!muted));
    this.#sound.title = muted ? 'Turn the sound on' : 'Turn the sound off';
    this.#sound.querySelector('use')?.setAttribute('href', muted ? '#icon-muted' : '#icon-sound');
  }

  #wakeBar() {
    this.#theatre.classList.remove('resting');
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#theatre.classList.add('resting'), IDLE_MS);
  }
}
