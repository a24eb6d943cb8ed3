/**
 * The choice of a film: hosted films as tiles, the viewer's own file, screen or camera, and live
 * streams by their address where the server's operator allows any.
 */

import { byId, element } from '../shared/dom.js';
import { GazeError } from '../../gaze-client.js';
import { formatTime } from '../shared/time-format.js';
import { cameraProblem } from '../../sdk/camera-problems.js';
import { sessionProblem } from '../problem-texts.js';

/** @typedef {import('../../sdk/local-film.js').LocalFilm} LocalFilm */
/** @typedef {import('../../gaze-client.js').Film} Film */

/**
 * @typedef {object} FilmChoice
 * @property {string | null} media name of a hosted film, or address of a live stream; null where
 *   this page sends the film
 * @property {LocalFilm | null} local the film that this page sends
 */

const LOCAL_KINDS = /** @type {const} */ (['file', 'screen', 'camera']);

/** @param {string | null} media @returns {media is string} whether it is the address of a live stream */
export function isLive(media) {
  return media?.includes('://') ?? false;
}

export class FilmPicker {
  /** Name of the hosted film that was chosen last; null where there is none. @type {string | null} */
  lastHosted;

  #films;
  #schemes;
  #thumbnailUrl;
  #onChoice;
  /** @type {FilmChoice} */
  #choice;

  /**
   * @param {Film[]} films
   * @param {string[]} schemes URL schemes of the live streams that are allowed
   * @param {(name: string) => string} thumbnailUrl
   * @param {(choice: FilmChoice) => Promise<void>} onChoice the viewer chooses another film
   */
  constructor(films, schemes, thumbnailUrl, onChoice) {
    this.#films = films;
    this.#schemes = schemes;
    this.#thumbnailUrl = thumbnailUrl;
    this.#onChoice = onChoice;
    this.lastHosted = films[0]?.name ?? null;
    this.#choice = { media: this.lastHosted, local: null };
    byId('local-screen', HTMLButtonElement).addEventListener('click', () => this.#open(({ openScreen }) => openScreen()));
    byId('local-camera', HTMLButtonElement).addEventListener('click', () => this.#open(({ openCameraFilm }) => openCameraFilm()));
    const file = byId('file', HTMLInputElement);
    byId('local-file', HTMLButtonElement).addEventListener('click', () => file.click());
    file.addEventListener('change', () => {
      const chosen = file.files?.[0];
      file.value = '';
      if (chosen) this.#open(({ openFile }) => openFile(chosen));
    });
    this.#makeTiles();
    this.#listenToLiveForm();
    this.show(this.#choice);
  }

  /** The film that is chosen. */
  get choice() {
    return this.#choice;
  }

  /** @param {string | null | undefined} name @returns {Film | undefined} */
  find(name) {
    return this.#films.find((film) => film.name === name);
  }

  /** Address of the chosen film's still; null where there is none. */
  get stillUrl() {
    const film = this.find(this.#choice.media);
    return film ? this.#thumbnailUrl(film.name) : null;
  }

  /** @param {string} text why the film cannot be watched; empty to clear it */
  showProblem(text) {
    const node = byId('film-problem', HTMLElement);
    node.textContent = text;
    if (text) node.scrollIntoView({ block: 'nearest' });
  }

  /** @param {FilmChoice} choice */
  show(choice) {
    this.#choice = choice;
    const { media, local } = choice;
    const hosted = this.find(media)?.name ?? null;
    this.lastHosted = hosted ?? this.lastHosted;
    for (const tile of byId('films', HTMLElement).querySelectorAll('button')) {
      const chosen = tile.dataset.film === hosted;
      tile.setAttribute('aria-checked', String(chosen));
      tile.tabIndex = chosen || (hosted === null && tile === tile.parentElement?.firstElementChild) ? 0 : -1;
    }
    for (const kind of LOCAL_KINDS) {
      byId(`local-${kind}`, HTMLButtonElement).setAttribute('aria-pressed', String(local?.kind === kind));
    }
    byId('live-choose', HTMLButtonElement).setAttribute('aria-pressed', String(isLive(media)));
    if (isLive(media)) byId('live-address', HTMLInputElement).value = media;
    this.showProblem('');
    const hint = byId('source-hint', HTMLElement);
    const title = local?.title ?? (isLive(media) ? `Live from ${new URL(media).host}` : '');
    hint.hidden = title === '';
    hint.textContent = title;
    const still = this.stillUrl;
    for (const id of ['preview-blurred', 'preview-sharp']) {
      const image = byId(id, HTMLImageElement);
      image.hidden = still === null;
      if (still !== null && image.src !== still) image.src = still;
    }
    // The samples of the effects are made of a hosted film's still.
    const sample = this.lastHosted === null ? 'none' : `url("${this.#thumbnailUrl(this.lastHosted)}")`;
    document.body.style.setProperty('--still', sample);
  }

  #makeTiles() {
    const list = byId('films', HTMLElement);
    const tiles = this.#films.map(({ name, title, duration }) => {
      const tile = element(
        'button',
        { type: 'button', class: 'film', role: 'radio', 'data-film': name, 'data-testid': `film-${name}` },
        element('img', { src: this.#thumbnailUrl(name), alt: '', loading: 'lazy', width: 160, height: 90 }),
        element('span', { class: 'film-title' }, title),
        element('span', { class: 'film-length' }, formatTime(Math.round(duration))),
      );
      tile.addEventListener('click', () => this.#onChoice({ media: name, local: null }));
      return tile;
    });
    list.replaceChildren(
      ...(tiles.length > 0 ? tiles : [element('p', { class: 'small' }, 'The server hosts no films. Choose a file of your own.')]),
    );
    if (tiles.length === 0) list.removeAttribute('role');
    list.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const index = tiles.findIndex((tile) => tile === document.activeElement);
      if (!step || index < 0) return;
      event.preventDefault();
      const next = tiles[(index + step + tiles.length) % tiles.length];
      next?.focus();
      next?.click();
    });
  }

  #listenToLiveForm() {
    const form = byId('live', HTMLFormElement);
    const address = byId('live-address', HTMLInputElement);
    form.hidden = this.#schemes.length === 0;
    address.placeholder = `${this.#schemes[0]}://…`;
    address.addEventListener('input', () => this.showProblem(''));
    const choose = byId('live-choose', HTMLButtonElement);
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      this.showProblem('');
      choose.disabled = true;
      choose.textContent = 'Opening…';
      await this.#onChoice({ media: address.value, local: null });
      choose.textContent = 'Choose';
      choose.disabled = false;
    });
  }

  /** @param {(films: typeof import('../../sdk/local-film.js')) => Promise<LocalFilm>} open */
  async #open(open) {
    try {
      this.#onChoice({ media: null, local: await open(await import('../../sdk/local-film.js')) });
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') return;
      const { title, text } = error instanceof GazeError ? sessionProblem(error) : cameraProblem(error);
      this.showProblem(`${title}. ${text}`);
    }
  }
}
