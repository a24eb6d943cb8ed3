/** The server's HTTP interface: asks, waits no longer than is reasonable, and tells what was wrong. */

import { GazeError } from './gaze-error.js';
import { TRICKLE_TYPE } from './trickle-ice.js';

/** @typedef {import('./types.js').SessionKey} SessionKey */

const UNREACHABLE = 'The server cannot be reached. Check your network, or try again in a moment.';
const REQUEST_TIMEOUT_MS = 20_000;

export class Api {
  #base;

  /** @param {URL} base where the server is; ends in a slash */
  constructor(base) {
    this.#base = base;
  }

  /** @param {string} path */
  url(path) {
    return new URL(path, this.#base).href;
  }

  /** @param {string} path */
  async read(path) {
    return (await this.#fetch(path, {})).json();
  }

  /**
   * Open a session or take one up again.
   *
   * @param {object} request as the wire contract has it
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
   * Send candidates, or ask for an ICE restart.
   *
   * @param {SessionKey} key
   * @param {string} fragment
   * @param {string} etag of the ICE session; `*` for a restart
   */
  patchSession(key, fragment, etag) {
    return this.#fetch(sessionPath(key), {
      method: 'PATCH',
      headers: { ...authorization(key), 'Content-Type': TRICKLE_TYPE, 'If-Match': etag },
      body: fragment,
    });
  }

  /** @param {SessionKey} key */
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
