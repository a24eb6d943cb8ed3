/** The server's HTTP API: every request has a time limit, and every failure is a `GazeError`. */

import { GazeError } from './gaze-error.js';
import { TRICKLE_TYPE } from './trickle-ice.js';

/** @typedef {import('./types.js').SessionKey} SessionKey */

const UNREACHABLE = 'The server cannot be reached. Check your network, or try again in a moment.';
const REQUEST_TIMEOUT_MS = 20_000;

export class HttpApi {
  #base;

  /** @param {URL} base address of the server; ends in a slash */
  constructor(base) {
    this.#base = base;
  }

  /** @param {string} path relative to the server's address @returns {string} */
  url(path) {
    return new URL(path, this.#base).href;
  }

  /**
   * @param {string} path
   * @returns {Promise<any>} the JSON that lies there
   * @throws {GazeError} as a rejection
   */
  async read(path) {
    return (await this.#fetch(path, {})).json();
  }

  /**
   * Open or resume a session.
   *
   * @param {object} request body of the POST, as the API document defines it
   * @returns {Promise<{ key: SessionKey, sdp: string, etag: string }>} `sdp` is the answer, `etag`
   *   names its ICE session
   * @throws {GazeError} as a rejection
   */
  async openSession(request) {
    const response = await this.#fetch('api/sessions', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(request),
    });
    const { id, token, sdp } = await response.json();
    return {
      key: /** @type {SessionKey} */ ({ id, token }),
      sdp: /** @type {string} */ (sdp),
      etag: response.headers.get('ETag') ?? '',
    };
  }

  /**
   * Send candidates, or request an ICE restart.
   *
   * @param {SessionKey} key
   * @param {string} fragment SDP fragment (RFC 8840)
   * @param {string} etag of the ICE session; `*` for a restart
   * @returns {Promise<Response>}
   * @throws {GazeError} as a rejection
   */
  patchSession(key, fragment, etag) {
    return this.#fetch(sessionPath(key), {
      method: 'PATCH',
      headers: { ...authorization(key), 'Content-Type': TRICKLE_TYPE, 'If-Match': etag },
      body: fragment,
    });
  }

  /** @param {SessionKey} key @throws {GazeError} as a rejection */
  async endSession(key) {
    const headers = authorization(key);
    await this.#fetch(sessionPath(key), { method: 'DELETE', headers, keepalive: true });
  }

  /**
   * @param {string} path
   * @param {RequestInit} init
   */
  async #fetch(path, init) {
    let response;
    try {
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      response = await fetch(this.url(path), { signal, ...init });
    } catch {
      throw new GazeError({ title: 'No connection', detail: UNREACHABLE });
    }
    if (!response.ok) throw await GazeError.fromResponse(response);
    return response;
  }
}

/** @param {SessionKey} key */
function sessionPath({ id }) {
  return `api/sessions/${encodeURIComponent(id)}`;
}

/** @param {SessionKey} key */
function authorization({ token }) {
  return { Authorization: `Bearer ${token}` };
}
