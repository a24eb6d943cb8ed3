/**
 * The choice of a film: the hosted ones as tiles, the viewer's own file, screen or camera, and live
 * streams by their address where the server's operator allows any.
 */

import { byId, element } from '../shared/dom.js';
import { GazeError } from '../../gaze-client.js';
import { formatTime } from '../shared/time-format.js';
import { cameraProblem } from '../../sdk/camera-problems.js';
import { sessionProblem } from '../problem-texts.js';

/** @typedef {import('../../sdk/local-film.js').OwnFilm} OwnFilm */
/** @typedef {import('../../gaze-client.js').Film} Film */

/**
 * @typedef {object} Choice
 * @property {string | null} served name of a hosted film, or the address of a live stream; null for
 *   one of the viewer's own
 * @property {OwnFilm | null} own
 */

const OWN_KINDS = /** @type {const} */ (['file', 'screen', 'camera']);

/** @param {string | null} served @returns {served is string} whether it is a live stream's address */
export function isLive(served) {
  return served?.includes('://') ?? false;
}

export class FilmPicker {
  /** The hosted film that was chosen last; null where there is none. @type {string | null} */
  hosted;

  #films;
  #schemes;
  #thumbnailUrl;
  #onChoice;
  /** @type {Choice} */
  #choice;

  /**
   * @param {Film[]} films
   * @param {string[]} schemes of the addresses that can be watched live
   * @param {(name: string) => string} thumbnailUrl
   * @param {(choice: Choice) => Promise<void>} onChoice the viewer wants another film
   */
  constructor(films, schemes, thumbnailUrl, onChoice) {
    this.#films = films;
    this.#schemes = schemes;
    this.#thumbnailUrl = thumbnailUrl;
    this.#onChoice = onChoice;
    this.hosted = films[0]?.name ?? null;
    this.#choice = { served: this.hosted, own: null };
    byId('own-screen', HTMLButtonElement).addEventListener('click', () => this.#open(({ openScreen }) => openScreen()));
    byId('own-camera', HTMLButtonElement).addEventListener('click', () => this.#open(({ openCameraFilm }) => openCameraFilm()));
    const file = byId('file', HTMLInputElement);
    byId('own-file', HTMLButtonElement).addEventListener('click', () => file.click());
    file.addEventListener('change', () => {
      const chosen = file.files?.[0];
      file.value = '';
      if (chosen) this.#open(({ openFile }) => openFile(chosen));
    });
    this.#makeTiles();
    this.#offerLive();
    this.show(this.#choice);
  }

  /** What is chosen. */
  get choice() {
    return this.#choice;
  }

  /** @param {string | null | undefined} name @returns {Film | undefined} */
  find(name) {
    return this.#films.find((film) => film.name === name);
  }

  /** Where the still of what is chosen is; null where there is none. */
  get stillUrl() {
    const film = this.find(this.#choice.served);
    return film ? this.#thumbnailUrl(film.name) : null;
  }

  /** @param {string} text what is wrong with the film; empty where nothing is */
  problem(text) {
    const place = byId('film-problem', HTMLElement);
    place.textContent = text;
    if (text) place.scrollIntoView({ block: 'nearest' });
  }

  /** Show what is chosen, wherever the choice came from. @param {Choice} choice */
  show(choice) {
    this.#choice = choice;
    const { served, own } = choice;
    const hosted = this.find(served)?.name ?? null;
    this.hosted = hosted ?? this.hosted;
    for (const tile of byId('films', HTMLElement).querySelectorAll('button')) {
      const chosen = tile.dataset.film === hosted;
      tile.setAttribute('aria-checked', String(chosen));
      tile.tabIndex = chosen || (hosted === null && tile === tile.parentElement?.firstElementChild) ? 0 : -1;
    }
    for (const kind of OWN_KINDS) {
      byId(`own-${kind}`, HTMLButtonElement).setAttribute('aria-pressed', String(own?.kind === kind));
    }
    byId('live-choose', HTMLButtonElement).setAttribute('aria-pressed', String(isLive(served)));
    if (isLive(served)) byId('live-address', HTMLInputElement).value = served;
    this.problem('');
    const hint = byId('source-hint', HTMLElement);
    const title = own?.title ?? (isLive(served) ? `Live from ${new URL(served).host}` : '');
    hint.hidden = title === '';
    hint.textContent = title;
    const still = this.stillUrl;
    for (const id of ['preview-soft', 'preview-sharp']) {
      const image = byId(id, HTMLImageElement);
      image.hidden = still === null;
      if (still !== null && image.src !== still) image.src = still;
    }
    // The effects' cards show what they do on a still of some film.
    const sample = this.hosted === null ? 'none' : `url("${this.#thumbnailUrl(this.hosted)}")`;
    document.body.style.setProperty('--still', sample);
  }

  #makeTiles() {
    const place = byId('films', HTMLElement);
    const tiles = this.#films.map(({ name, title, duration }) => {
      const tile = element(
        'button',
        { type: 'button', class: 'film', role: 'radio', 'data-film': name, 'data-testid': `film-${name}` },
        element('img', { src: this.#thumbnailUrl(name), alt: '', loading: 'lazy', width: 160, height: 90 }),
        element('span', { class: 'film-title' }, title),
        element('span', { class: 'film-length' }, formatTime(Math.round(duration))),
      );
      tile.addEventListener('click', () => this.#onChoice({ served: name, own: null }));
      return tile;
    });
    place.replaceChildren(
      ...(tiles.length > 0 ? tiles : [element('p', { class: 'small' }, 'The server hosts no films. Use one of your own.')]),
    );
    if (tiles.length === 0) place.removeAttribute('role');
    place.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const place = tiles.findIndex((tile) => tile === document.activeElement);
      if (!step || place < 0) return;
      event.preventDefault();
      const next = tiles[(place + step + tiles.length) % tiles.length];
      next?.focus();
      next?.click();
    });
  }

  #offerLive() {
    const form = byId('live', HTMLFormElement);
    const address = byId('live-address', HTMLInputElement);
    form.hidden = this.#schemes.length === 0;
    address.placeholder = `${this.#schemes[0]}://…`;
    address.addEventListener('input', () => this.problem(''));
    const choose = byId('live-choose', HTMLButtonElement);
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      this.problem('');
      choose.disabled = true;
      choose.textContent = 'Opening…';
      await this.#onChoice({ served: address.value, own: null });
      choose.textContent = 'Choose';
      choose.disabled = false;
    });
  }

  /** @param {(films: typeof import('../../sdk/local-film.js')) => Promise<OwnFilm>} open */
  async #open(open) {
    try {
      this.#onChoice({ served: null, own: await open(await import('../../sdk/local-film.js')) });
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') return;
      const { title, text } = error instanceof GazeError ? sessionProblem(error) : cameraProblem(error);
      this.problem(`${title}. ${text}`);
    }
  }
}
