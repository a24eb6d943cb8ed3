/** What the viewer's page puts on its window; no part of the SDK. */

interface Window {
  gazeApp?: import('./app.js').GazeApp;
}
