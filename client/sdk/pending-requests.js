/** Commands that wait for their answer among the messages that come in. */

import { GazeError } from './gaze-error.js';

/**
 * @typedef {object} Waiting
 * @property {(message: any) => boolean} isAnswer
 * @property {(error: GazeError) => boolean} isRefusal
 * @property {object | null} again what is sent again over the next connection; null where that one
 *   makes the question pointless
 * @property {(message: any) => void} resolve
 * @property {(error: GazeError) => void} reject
 */

export class Replies {
  /** In the order in which they were asked, which is the order of the answers. @type {Waiting[]} */
  #waiting = [];

  /**
   * The next answer of that kind. Who does not await it need not catch its rejection either: a
   * refusal is an `error` event as well.
   *
   * @param {Pick<Waiting, 'isAnswer'> & Partial<Waiting>} question
   * @returns {Promise<any>}
   */
  next({ isAnswer, isRefusal = () => false, again = null }) {
    const answer = new Promise((resolve, reject) => {
      this.#waiting.push({ isAnswer, isRefusal, again, resolve, reject });
    });
    answer.catch(() => {});
    return answer;
  }

  /** @param {any} message for the first that asks for it */
  answer(message) {
    this.#take(({ isAnswer }) => isAnswer(message))?.resolve(message);
  }

  /** @param {any} message for all that ask for it: what comes of a dot ends each question about it */
  answerAll(message) {
    for (let one; (one = this.#take(({ isAnswer }) => isAnswer(message))); ) one.resolve(message);
  }

  /** @param {GazeError} error of the server */
  refuse(error) {
    this.#take(({ isRefusal }) => isRefusal(error))?.reject(error);
  }

  /** What a new connection has to be asked, in the old order. */
  get unanswered() {
    return this.#waiting.flatMap(({ again }) => again ?? []);
  }

  /**
   * @param {GazeError} error why no answer will come
   * @param {boolean} forGood there will be no other connection
   */
  giveUp(error, forGood) {
    const lost = this.#waiting.filter(({ again }) => forGood || again === null);
    this.#waiting = this.#waiting.filter((one) => !lost.includes(one));
    for (const { reject } of lost) reject(error);
  }

  /** @param {(waiting: Waiting) => boolean} fits */
  #take(fits) {
    const index = this.#waiting.findIndex(fits);
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }
}
