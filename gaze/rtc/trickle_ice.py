"""Trickled ICE candidates and ICE restarts as WHIP has them (RFC 9725, section 4.3)."""

import asyncio
import hashlib

from aiortc import RTCIceCandidate

from gaze.rtc.connection import PeerConnection
from gaze.rtc.sdp import ice_fragment
from gaze.rtc.sdp.offer import Offer
from gaze.rtc.tasks import start

MAX_CANDIDATES = (
    100  # tried in all per ICE session; RFC 8445, section 6.1.2.5 has the same for pairs
)


class TrickleIce:
    """What the browser says of its ICE sessions, for one connection.

    Parameters
    ----------
    connection : PeerConnection
        That was answered with the offer.
    offer : Offer
        The browser's.
    """

    def __init__(self, connection: PeerConnection, offer: Offer) -> None:
        self._connection = connection
        self._offer = offer
        self._remote = {  # the browser's user name fragment and password, by ours
            connection.ice_connection.local_username: (offer.ufrag, offer.pwd)
        }
        self._tried = 0
        self._resolving: set[asyncio.Task[None]] = set()
        self._try(offer.candidates)

    @property
    def etag(self) -> str:
        """The ICE session as an entity tag with its quotes."""
        ufrag = self._connection.ice_connection.local_username
        session = f"{ufrag} {self._remote[ufrag][0]}"
        return f'"{hashlib.sha256(session.encode()).hexdigest()[:16]}"'

    def add_candidates(self, text: str) -> None:
        """Try the candidates of a trickle-ice-sdpfrag (RFC 8840); does not wait for the outcome.

        Parameters
        ----------
        text : str
            The fragment.

        Raises
        ------
        ValueError
            It is malformed, of another ICE session, or of a media section that was not offered.
        """
        fragment = ice_fragment.parse(text)
        ufrag, pwd = self._remote[self._connection.ice_connection.local_username]
        if fragment.ufrag not in (None, ufrag) or fragment.pwd not in (None, pwd):
            raise ValueError("a=ice-ufrag and a=ice-pwd are not those of this ICE session")
        self._check_mids(fragment)
        self._try(fragment.candidates)

    async def restart(self, text: str) -> str:
        """Begin an ICE restart: the browser's fragment in, ours out.

        Media goes on over the old network path until the new one works; if it never does, all is
        as before.

        Parameters
        ----------
        text : str
            A fragment with new credentials.

        Returns
        -------
        str
            A fragment with our new credentials and all our candidates.

        Raises
        ------
        ValueError
            The fragment is malformed or no restart, or of a media section that was not offered.
        ConnectionError
            There is no connection that could be restarted.
        NoPortError
            Every UDP port that may be used is in use.
        """
        fragment = ice_fragment.parse(text)
        if fragment.ufrag is None or fragment.pwd is None:
            raise ValueError("an ICE restart needs a=ice-ufrag and a=ice-pwd")
        if not ice_fragment.are_credentials(fragment.ufrag, fragment.pwd):
            raise ValueError("a=ice-ufrag has 4 to 256, a=ice-pwd 22 to 256 of A-Z a-z 0-9 + /")
        used = self._remote.values()
        if any(fragment.ufrag == ufrag or fragment.pwd == pwd for ufrag, pwd in used):
            raise ValueError("an ICE restart needs a new a=ice-ufrag and a new a=ice-pwd")
        self._check_mids(fragment)
        await self._connection.restart_ice(fragment.ufrag, fragment.pwd)
        fresh = self._connection.ice_connection
        self._remote[fresh.local_username] = fragment.ufrag, fragment.pwd
        self._tried = 0
        self._try(fragment.candidates)
        bundle = self._offer.media[0].rtp.muxId
        section = next(section for section in self._offer.sections if section.mid == bundle)
        return ice_fragment.write(
            fresh.local_username,
            fresh.local_password,
            section.lines[0],
            bundle,
            [candidate.to_sdp() for candidate in fresh.local_candidates],
        )

    def _check_mids(self, fragment: ice_fragment.Fragment) -> None:
        mids = {section.mid for section in self._offer.sections}
        for mid in {candidate.sdpMid for candidate in fragment.candidates} | fragment.ended:
            if mid not in mids:
                raise ValueError(f"the offer has no mid {mid!r}")

    def _try(self, candidates: tuple[RTCIceCandidate, ...]) -> None:
        # ICE is never told of the end of the candidates: it would give up at once if those known so
        # far fail, while a check from the browser may still come. The peer's deadline ends it.
        for candidate in candidates:
            if candidate.component != 1 or candidate.protocol != "udp":
                continue
            if self._tried >= MAX_CANDIDATES:
                return
            self._tried += 1
            task = start(self._connection.add_remote_candidate(candidate), "adding a candidate")
            self._resolving.add(task)
            task.add_done_callback(self._resolving.discard)

    async def close(self) -> None:
        """Give up resolving candidates' names."""
        resolving = list(self._resolving)
        for task in resolving:
            task.cancel()
        await asyncio.gather(*resolving, return_exceptions=True)
