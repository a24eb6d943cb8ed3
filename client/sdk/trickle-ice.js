/**
 * Trickle ICE on the wire: RFC 8840 fragments (`application/trickle-ice-sdpfrag`) out of an offer
 * and the candidates found so far.
 */

export const TRICKLE_TYPE = 'application/trickle-ice-sdpfrag';

/**
 * The part of a session description that belongs to one mid.
 *
 * @param {string} sdp
 * @param {string} mid
 * @returns {string[] | null} its lines, the m-line first; null where there is no such mid
 */
export function mediaSection(sdp, mid) {
  const sections = sdp.split(/\r?\n(?=m=)/).slice(1);
  for (const section of sections) {
    const lines = section.split(/\r?\n/);
    if (lines.includes(`a=mid:${mid}`)) return lines;
  }
  return null;
}

/**
 * The mid whose transport carries everything, if the two sides agreed on one.
 *
 * @param {string} answerSdp
 * @returns {string | null}
 */
export function bundleMid(answerSdp) {
  return answerSdp.match(/^a=group:BUNDLE (\S+)/m)?.[1] ?? null;
}

/**
 * One fragment with the candidates of one m-line.
 *
 * @param {string} offerSdp
 * @param {string} mid
 * @param {string[]} candidates `candidate:…` as in RTCIceCandidate.candidate
 * @param {boolean} complete no more will follow
 * @returns {string}
 */
export function sdpFragment(offerSdp, mid, candidates, complete) {
  const section = mediaSection(offerSdp, mid);
  if (!section) throw new RangeError(`the offer has no mid ${mid}`);
  const [media, , protocol, firstFormat] = /** @type {string} */ (section[0]).split(' ');
  /** @param {string} name */
  const attribute = (name) =>
    section.find((line) => line.startsWith(`a=${name}:`)) ??
    offerSdp.match(new RegExp(`^a=${name}:.*$`, 'm'))?.[0].trim();
  const lines = [
    attribute('ice-ufrag'),
    attribute('ice-pwd'),
    `${media} 9 ${protocol} ${firstFormat}`,
    `a=mid:${mid}`,
    ...candidates.map((candidate) => `a=${candidate}`),
    complete ? 'a=end-of-candidates' : undefined,
  ];
  return lines.filter((line) => line !== undefined).join('\r\n') + '\r\n';
}

/**
 * The answer to an ICE restart: the one before, with the credentials and candidates of a fragment.
 *
 * @param {string} answerSdp the answer before
 * @param {string} fragment the server's
 * @returns {string}
 */
export function restartedAnswer(answerSdp, fragment) {
  const lines = fragment.split(/\r?\n/);
  /** @param {string} name */
  const found = (name) => lines.find((line) => line.startsWith(`a=${name}:`)) ?? '';
  const candidates = lines.filter((line) => /^a=(candidate:|end-of-candidates)/.test(line));
  const kept = answerSdp.split(/\r?\n/).filter((line) => !/^a=(candidate:|end-of-cand)/.test(line));
  let told = false;
  return kept
    .flatMap((line) => {
      if (line.startsWith('a=ice-ufrag:')) return [found('ice-ufrag')];
      if (!line.startsWith('a=ice-pwd:')) return [line];
      const news = told ? [found('ice-pwd')] : [found('ice-pwd'), ...candidates];
      told = true;
      return news;
    })
    .join('\r\n');
}
