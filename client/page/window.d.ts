/** What the viewer's page adds to its window; not part of the SDK. */

interface Window {
  gazeApp?: import('./app.js').GazeApp;
}
