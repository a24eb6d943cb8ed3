/**
 * Where the film's picture lies on the viewer's screen: the `layout` message, kept right.
 *
 * Screen coordinates are CSS pixels at 100 % page zoom, origin at the screen's top-left corner. A
 * page cannot ask where its viewport lies; pointer events tell (`screenX - clientX × zoom`),
 * Firefox tells (`mozInnerScreenX`), full screen tells (it lies at the origin), and otherwise the
 * place is estimated from the window's and said to be inexact.
 */

/** @typedef {[number, number]} Point */
/** @typedef {[number, number, number, number]} Rectangle x, y, width, height */

/**
 * @typedef {object} Layout
 * @property {Point} screen width and height
 * @property {Rectangle} viewport on the screen
 * @property {Rectangle} picture of the film's picture in the viewport
 * @property {boolean} exact
 * @property {number} [diagonal_mm]
 */

const ZOOM_STEPS = [0.25, 0.3, 1 / 3, 0.5, 0.67, 0.75, 0.8, 0.9, 1, 1.1, 1.2, 1.25, 1.33, 1.5, 1.7, 1.75, 2, 2.4, 2.5, 3, 4, 5];
const ZOOM_TOLERANCE = 0.04;
const ZOOM_BASELINE_PX = 200;
const SEND_INTERVAL_MS = 100;
const WINDOW_POLL_MS = 500;

/**
 * The picture's rectangle inside a box that shows it whole (`object-fit: contain`).
 *
 * @param {Rectangle} box
 * @param {number} width of the picture, any unit; 0 when not known yet
 * @param {number} height
 * @returns {Rectangle}
 */
export function containedPicture([x, y, boxWidth, boxHeight], width, height) {
  if (!(width > 0 && height > 0 && boxWidth > 0 && boxHeight > 0)) {
    return [x, y, Math.max(1, boxWidth), Math.max(1, boxHeight)];
  }
  const scale = Math.min(boxWidth / width, boxHeight / height);
  const shownWidth = width * scale;
  const shownHeight = height * scale;
  return [x + (boxWidth - shownWidth) / 2, y + (boxHeight - shownHeight) / 2, shownWidth, shownHeight];
}

/**
 * Page zoom from the window's outer and inner width, where these tell; else 1.
 *
 * @param {number} outerWidth unzoomed
 * @param {number} innerWidth zoomed
 */
export function estimatedZoom(outerWidth, innerWidth) {
  const ratio = outerWidth / innerWidth;
  const nearest = ZOOM_STEPS.reduce((best, step) =>
    Math.abs(step - ratio) < Math.abs(best - ratio) ? step : best,
  );
  return Math.abs(nearest / ratio - 1) < ZOOM_TOLERANCE ? nearest : 1;
}

/**
 * Where a screen begins in the desktop's coordinates. Browsers tell where its usable part begins;
 * the strips of task bars lie between the two.
 *
 * @param {number} available start of the usable part
 * @param {number} strips size of what is not usable
 */
export function screenOrigin(available, strips) {
  return available - strips <= 0 && available >= 0 ? 0 : available;
}

/** Finds the viewport on the screen, and remembers what pointer events said about it. */
export class ViewportLocator {
  /** @type {{ origin: Point, zoom: number, window: string } | null} */
  #fix = null;
  /** @type {{ client: Point, screen: Point, window: string } | null} */
  #anchor = null;
  /** @type {{ zoom: number, ratio: number } | null} */
  #measuredZoom = null;

  /** Screen pixels at 100 % per CSS pixel of the page. */
  get zoom() {
    if (document.fullscreenElement) return screen.width / innerWidth;
    if (this.#measuredZoom?.ratio === devicePixelRatio) return this.#measuredZoom.zoom;
    return estimatedZoom(outerWidth, innerWidth);
  }

  /**
   * Learn from a pointer event.
   *
   * @param {MouseEvent} event
   * @returns {boolean} whether the viewport's place was not known exactly before
   */
  observe(event) {
    if (!event.isTrusted || document.fullscreenElement) return false;
    const window = windowGeometry();
    /** @type {Point} */
    const client = [event.clientX, event.clientY];
    /** @type {Point} */
    const place = [event.screenX, event.screenY];
    if (this.#anchor?.window !== window) this.#anchor = { client, screen: place, window };
    this.#measureZoom(client, place);
    const zoom = this.zoom;
    const known = this.#fix?.window === window && this.#fix.zoom === zoom;
    this.#fix = {
      origin: [place[0] - client[0] * zoom, place[1] - client[1] * zoom],
      zoom,
      window,
    };
    return !known;
  }

  /**
   * Two places far apart tell the zoom; both coordinates come as whole pixels in some browsers.
   *
   * @param {Point} client
   * @param {Point} place
   */
  #measureZoom(client, place) {
    if (!this.#anchor) return;
    const travelled = client[0] - this.#anchor.client[0];
    if (Math.abs(travelled) < ZOOM_BASELINE_PX) return;
    const slope = (place[0] - this.#anchor.screen[0]) / travelled;
    if (!(slope > 0.2 && slope < 6)) return;
    const nearest = estimatedZoom(slope, 1);
    const zoom = Math.abs(nearest / slope - 1) < ZOOM_TOLERANCE ? nearest : slope;
    this.#measuredZoom = { zoom, ratio: devicePixelRatio };
  }

  /**
   * The viewport's rectangle on the screen.
   *
   * @returns {{ viewport: Rectangle, exact: boolean }}
   */
  locate() {
    const zoom = this.zoom;
    const width = innerWidth * zoom;
    const height = innerHeight * zoom;
    if (document.fullscreenElement) return { viewport: [0, 0, width, height], exact: true };
    const left = screen.left ?? screenOrigin(screen.availLeft ?? 0, screen.width - screen.availWidth);
    const top = screen.top ?? screenOrigin(screen.availTop ?? 0, screen.height - screen.availHeight);
    if (this.#fix?.window === windowGeometry()) {
      const [x, y] = this.#fix.origin;
      return { viewport: [x - left, y - top, width, height], exact: true };
    }
    if (window.mozInnerScreenX !== undefined && window.mozInnerScreenY !== undefined) {
      return {
        viewport: [window.mozInnerScreenX * zoom - left, window.mozInnerScreenY * zoom - top, width, height],
        exact: true,
      };
    }
    const side = Math.max(0, (outerWidth - width) / 2);
    const bars = Math.max(0, outerHeight - height - side);
    return { viewport: [screenX + side - left, screenY + bars - top, width, height], exact: false };
  }
}

/** What must stay the same for a pointer's word to hold. */
function windowGeometry() {
  return [screenX, screenY, outerWidth, outerHeight, innerWidth, innerHeight, devicePixelRatio].join();
}

/** Watches one video element and reports its layout whenever that changes. */
export class LayoutWatcher {
  #video;
  #report;
  #diagonal_mm;
  #stopping = new AbortController();
  #locator = new ViewportLocator();
  #observer;
  #last = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLVideoElement} video
   * @param {(layout: Layout) => void} report
   * @param {number} [diagonal_mm] of the screen, where it is known
   */
  constructor(video, report, diagonal_mm) {
    this.#video = video;
    this.#report = report;
    this.#diagonal_mm = diagonal_mm;
    const { signal } = this.#stopping;
    const soon = () => this.#soon();
    for (const type of ['resize', 'scroll', 'fullscreenchange']) {
      window.addEventListener(type, soon, { signal, capture: true, passive: true });
    }
    video.addEventListener('resize', soon, { signal });
    window.addEventListener('pointermove', (event) => this.#locator.observe(event) && soon(), {
      signal,
      capture: true,
      passive: true,
    });
    window.addEventListener('pointerdown', (event) => this.#locator.observe(event) && soon(), {
      signal,
      capture: true,
      passive: true,
    });
    this.#observer = new ResizeObserver(soon);
    this.#observer.observe(video);
    const poll = setInterval(soon, WINDOW_POLL_MS);
    signal.addEventListener('abort', () => clearInterval(poll));
  }

  stop() {
    this.#stopping.abort();
    this.#observer.disconnect();
    clearTimeout(this.#timer);
  }

  /** Report again even if nothing changed: there is a new listener on the other side. */
  renew() {
    this.#last = '';
    this.#send();
  }

  /** @returns {Layout} */
  get layout() {
    const { viewport, exact } = this.#locator.locate();
    const zoom = this.#locator.zoom;
    const [x, y, width, height] = this.pictureInViewport;
    return {
      screen: [screen.width, screen.height],
      viewport: /** @type {Rectangle} */ (viewport.map(rounded)),
      picture: /** @type {Rectangle} */ ([x, y, width, height].map((length) => rounded(length * zoom))),
      exact,
      ...(this.#diagonal_mm === undefined ? {} : { diagonal_mm: this.#diagonal_mm }),
    };
  }

  /** The picture in the viewport, in the page's own CSS pixels. */
  get pictureInViewport() {
    const box = this.#video.getBoundingClientRect();
    return containedPicture(
      [box.x, box.y, box.width, box.height],
      this.#video.videoWidth,
      this.#video.videoHeight,
    );
  }

  /**
   * A place in the viewport (`clientX`, `clientY`) on the screen.
   *
   * @param {Point} client
   * @returns {Point}
   */
  toScreen([x, y]) {
    const { viewport } = this.#locator.locate();
    const zoom = this.#locator.zoom;
    return [rounded(viewport[0] + x * zoom), rounded(viewport[1] + y * zoom)];
  }

  /**
   * A place in the viewport as fractions of the picture.
   *
   * @param {Point} client
   * @returns {Point}
   */
  toShown([x, y]) {
    const [left, top, width, height] = this.pictureInViewport;
    return [(x - left) / width, (y - top) / height];
  }

  #soon() {
    this.#timer ??= setTimeout(() => this.#send(), SEND_INTERVAL_MS);
  }

  #send() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const layout = this.layout;
    const text = JSON.stringify(layout);
    if (text === this.#last) return;
    this.#last = text;
    this.#report(layout);
  }
}

/** @param {number} length */
function rounded(length) {
  return Math.round(length * 10) / 10;
}
