/** What browsers have and TypeScript's DOM library does not know. */

interface Window {
  readonly mozInnerScreenX?: number;
  readonly mozInnerScreenY?: number;
}

interface Screen {
  readonly left?: number;
  readonly top?: number;
  readonly availLeft?: number;
  readonly availTop?: number;
}

interface HTMLVideoElement {
  captureStream?(): MediaStream;
  mozCaptureStream?(): MediaStream;
}
