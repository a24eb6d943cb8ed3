/**
 * The entry point of the `<gaze-film>` element: importing it defines the element.
 *
 *     <script type="module" src="https://gaze.example/client/gaze-film.js"></script>
 *     <gaze-film src="demo" effects="blur" gaze="camera"></gaze-film>
 */

import { GazeFilm } from './sdk/film-element.js';

export { GazeClient, GazeError } from './gaze-client.js';
export { GazeFilm };

customElements.define('gaze-film', GazeFilm);
