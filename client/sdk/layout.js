/**
 * Where the film's picture lies on the viewer's screen, as the `layout` message says.
 *
 * Screen coordinates are CSS pixels at 100 % page zoom, origin at the screen's top-left corner. A
 * page cannot ask where its viewport lies. Pointer events tell it (`screenX - clientX × zoom`),
 * Firefox has `mozInnerScreenX`, in full screen it lies at the origin, and otherwise it is estimated
 * from the window's position and reported as not exact.
 */

/** @typedef {[x: number, y: number]} Point */
/** @typedef {[x: number, y: number, width: number, height: number]} Rectangle */

/**
 * @typedef {object} Layout
 * @property {Point} screen width and height, px
 * @property {Rectangle} viewport on the screen, px
 * @property {Rectangle} picture of the film in the viewport, px at 100 % page zoom
 * @property {boolean} exact whether the viewport's position is measured, and not estimated
 * @property {number} [diagonal_mm] of the screen
 */

/** The page zooms that browsers offer. */
const ZOOM_STEPS = [0.25, 0.3, 1 / 3, 0.5, 0.67, 0.75, 0.8, 0.9, 1, 1.1, 1.2, 1.25, 1.33, 1.5, 1.7, 1.75, 2, 2.4, 2.5, 3, 4, 5];
const ZOOM_TOLERANCE = 0.04;
const ZOOM_BASELINE_PX = 200;
const REPORT_INTERVAL_MS = 100;
const WINDOW_POLL_MS = 500;

/**
 * The picture's rectangle inside a box that shows it whole (`object-fit: contain`).
 *
 * @param {Rectangle} box px
 * @param {number} width of the picture, any unit; 0 while unknown
 * @param {number} height in the same unit
 * @returns {Rectangle} px; the box itself while the picture's size is unknown
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
 * Estimate the page zoom from the window's outer and inner width.
 *
 * @param {number} outerWidth px at 100 % page zoom
 * @param {number} innerWidth CSS px
 * @returns {number} 1 where their ratio is no zoom that browsers offer
 */
export function estimatedZoom(outerWidth, innerWidth) {
  const ratio = outerWidth / innerWidth;
  const nearest = ZOOM_STEPS.reduce((best, step) =>
    Math.abs(step - ratio) < Math.abs(best - ratio) ? step : best,
  );
  return Math.abs(nearest / ratio - 1) < ZOOM_TOLERANCE ? nearest : 1;
}

/**
 * Where a screen begins in the desktop's coordinates. Browsers tell where its available part
 * begins; task bars may lie between the two.
 *
 * @param {number} available start of the available part, px
 * @param {number} taskBars size of the part that is not available, px
 * @returns {number} px
 */
export function screenOrigin(available, taskBars) {
  return available - taskBars <= 0 && available >= 0 ? 0 : available;
}

/** Finds the viewport on the screen, and learns its position from pointer events. */
export class ViewportLocator {
  /** The viewport's origin, from the last pointer event. @type {{ origin: Point, zoom: number, window: string } | null} */
  #measuredOrigin = null;
  /** A pointer event to measure the zoom from. @type {{ client: Point, screen: Point, window: string } | null} */
  #zoomReference = null;
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
   * @returns {boolean} whether the viewport's position was not measured before
   */
  observe(event) {
    if (!event.isTrusted || document.fullscreenElement) return false;
    const window = windowGeometry();
    /** @type {Point} */
    const client = [event.clientX, event.clientY];
    /** @type {Point} */
    const onScreen = [event.screenX, event.screenY];
    if (this.#zoomReference?.window !== window) this.#zoomReference = { client, screen: onScreen, window };
    this.#measureZoom(client, onScreen);
    const zoom = this.zoom;
    const known = this.#measuredOrigin?.window === window && this.#measuredOrigin.zoom === zoom;
    this.#measuredOrigin = {
      origin: [onScreen[0] - client[0] * zoom, onScreen[1] - client[1] * zoom],
      zoom,
      window,
    };
    return !known;
  }

  /**
   * Measure the zoom from two events far apart: some browsers round both coordinates to pixels.
   *
   * @param {Point} client
   * @param {Point} onScreen
   */
  #measureZoom(client, onScreen) {
    if (!this.#zoomReference) return;
    const travelled = client[0] - this.#zoomReference.client[0];
    if (Math.abs(travelled) < ZOOM_BASELINE_PX) return;
    const slope = (onScreen[0] - this.#zoomReference.screen[0]) / travelled;
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
    if (this.#measuredOrigin?.window === windowGeometry()) {
      const [x, y] = this.#measuredOrigin.origin;
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

/** A measured origin holds for as long as these stay the same. */
function windowGeometry() {
  return [screenX, screenY, outerWidth, outerHeight, innerWidth, innerHeight, devicePixelRatio].join();
}

/** Observes one video element and reports its layout whenever that changes. */
export class LayoutWatcher {
  #video;
  #report;
  #diagonal_mm;
  #stopping = new AbortController();
  #locator = new ViewportLocator();
  #observer;
  #reported = '';
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
    const schedule = () => this.#schedule();
    for (const type of ['resize', 'scroll', 'fullscreenchange']) {
      window.addEventListener(type, schedule, { signal, capture: true, passive: true });
    }
    video.addEventListener('resize', schedule, { signal });
    window.addEventListener('pointermove', (event) => this.#locator.observe(event) && schedule(), {
      signal,
      capture: true,
      passive: true,
    });
    window.addEventListener('pointerdown', (event) => this.#locator.observe(event) && schedule(), {
      signal,
      capture: true,
      passive: true,
    });
    this.#observer = new ResizeObserver(schedule);
    this.#observer.observe(video);
    const poll = setInterval(schedule, WINDOW_POLL_MS);
    signal.addEventListener('abort', () => clearInterval(poll));
  }

  stop() {
    this.#stopping.abort();
    this.#observer.disconnect();
    clearTimeout(this.#timer);
  }

  /** Report the layout even if it has not changed: a new connection does not know it. */
  reportAgain() {
    this.#reported = '';
    this.#reportChange();
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

  /** The picture in the viewport, CSS px. @returns {Rectangle} */
  get pictureInViewport() {
    const box = this.#video.getBoundingClientRect();
    return containedPicture(
      [box.x, box.y, box.width, box.height],
      this.#video.videoWidth,
      this.#video.videoHeight,
    );
  }

  /**
   * Convert a point of the viewport to the screen.
   *
   * @param {Point} client `clientX` and `clientY`, CSS px
   * @returns {Point} screen px
   */
  toScreen([x, y]) {
    const { viewport } = this.#locator.locate();
    const zoom = this.#locator.zoom;
    return [rounded(viewport[0] + x * zoom), rounded(viewport[1] + y * zoom)];
  }

  /**
   * Convert a point of the viewport to fractions of the picture.
   *
   * @param {Point} client `clientX` and `clientY`, CSS px
   * @returns {Point} 0..1
   */
  toShown([x, y]) {
    const [left, top, width, height] = this.pictureInViewport;
    return [(x - left) / width, (y - top) / height];
  }

  #schedule() {
    this.#timer ??= setTimeout(() => this.#reportChange(), REPORT_INTERVAL_MS);
  }

  #reportChange() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const layout = this.layout;
    const text = JSON.stringify(layout);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#report(layout);
  }
}

/** @param {number} length */
function rounded(length) {
  return Math.round(length * 10) / 10;
}
