/**
 * Trickle ICE: SDP fragments (RFC 8840, `application/trickle-ice-sdpfrag`) made from an offer and
 * the candidates gathered so far, and the answer to an ICE restart (RFC 9725).
 */

export const TRICKLE_TYPE = 'application/trickle-ice-sdpfrag';

/**
 * The media section of a session description that has this mid.
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
 * The mid whose transport is bundled (RFC 9143).
 *
 * @param {string} answerSdp
 * @returns {string | null} null without a BUNDLE group
 */
export function bundleMid(answerSdp) {
  return answerSdp.match(/^a=group:BUNDLE (\S+)/m)?.[1] ?? null;
}

/**
 * A fragment with the candidates of one media section.
 *
 * @param {string} offerSdp
 * @param {string} mid
 * @param {string[]} candidates `candidate:…` as in RTCIceCandidate.candidate
 * @param {boolean} complete gathering has ended
 * @returns {string}
 * @throws {RangeError} the offer has no such mid
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
 * The answer to an ICE restart: the previous one with the credentials and candidates of a fragment.
 *
 * @param {string} answerSdp the previous answer
 * @param {string} fragment of the server
 * @returns {string}
 */
export function restartedAnswer(answerSdp, fragment) {
  const received = fragment.split(/\r?\n/);
  /** @param {string} name */
  const found = (name) => received.find((line) => line.startsWith(`a=${name}:`)) ?? '';
  const candidates = received.filter((line) => /^a=(candidate:|end-of-candidates)/.test(line));
  const kept = answerSdp.split(/\r?\n/).filter((line) => !/^a=(candidate:|end-of-cand)/.test(line));
  let listed = false;
  return kept
    .flatMap((line) => {
      if (line.startsWith('a=ice-ufrag:')) return [found('ice-ufrag')];
      if (!line.startsWith('a=ice-pwd:')) return [line];
      const lines = listed ? [found('ice-pwd')] : [found('ice-pwd'), ...candidates];
      listed = true;
      return lines;
    })
    .join('\r\n');
}
