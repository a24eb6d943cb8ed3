"""Reads a browser's offer (RFC 8829): is it one, and can it do what its roles promise?

The offer that aiortc gets is a cleaned one. Candidates are taken out, because a name to be resolved
by mDNS would delay the answer; they are tried after it. M-lines that nothing can be done with
(stopped ones, kinds and codecs that nobody here knows) are taken out too, and put back into the
answer as rejected.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from aiortc import RTCIceCandidate
from aiortc.sdp import DIRECTIONS, MediaDescription, SessionDescription

from gaze.rtc import aiortc_ext
from gaze.rtc.sdp import ice_fragment

ROLES = {"camera": "video", "film": "video", "audio": "audio"}

MAX_SECTIONS = 16

OfferErrorKind = Literal["not-an-offer", "mid", "direction", "codec"]


class OfferError(ValueError):
    """An offer that cannot be answered: what is wrong, in which field, and what would be right."""

    def __init__(self, kind: OfferErrorKind, field: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Section:
    """One m-line of an offer with its lines, the m-line first."""

    lines: tuple[str, ...]

    @property
    def kind(self) -> str:
        """audio, video or application."""
        return self.lines[0][2:].split(" ", 1)[0]

    @property
    def mid(self) -> str:
        """The identification tag, empty if there is none."""
        return self.attribute("mid") or ""

    @property
    def direction(self) -> str:
        """As offered; sendrecv if nothing is said (RFC 8866, section 6.7)."""
        return next((name for name in DIRECTIONS if f"a={name}" in self.lines), "sendrecv")

    @property
    def stopped(self) -> bool:
        """Whether the offerer does not use the m-line: port 0 without bundle-only (RFC 9143)."""
        return self.lines[0].split(" ")[1] == "0" and "a=bundle-only" not in self.lines

    def attribute(self, name: str) -> str | None:
        """The value of the first `a=name:value`."""
        prefix = f"a={name}:"
        return next((line[len(prefix) :] for line in self.lines if line.startswith(prefix)), None)


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be answered.

    Attributes:
        sdp: what aiortc is to be given.
        media: the m-lines of `sdp`, parsed.
        sections: all m-lines as they were offered.
        rejected: the mids (or places, if there is none) of those left out of `sdp`.
        candidates: taken out of the offer, to be tried once it is answered.
        ufrag: the browser's ICE user name fragment.
        pwd: its password.
    """

    sdp: str
    media: tuple[MediaDescription, ...]
    sections: tuple[Section, ...]
    rejected: frozenset[int]
    candidates: tuple[RTCIceCandidate, ...]
    ufrag: str
    pwd: str


def read_offer(sdp: str, roles: Mapping[str, str], *, hosted: bool) -> Offer:
    """Check an offer against the roles that its m-lines shall play.

    Args:
        sdp: the browser's offer.
        roles: the mid of the m-line for `camera`, `film` and `audio`, as far as they are there.
        hosted: the server has the film, so film and audio are received only by the browser.

    Raises:
        OfferError: see its kinds.
    """
    session, sections = _split(sdp)
    _check_roles(sections, roles, hosted=hosted)
    usable, rejected = _sort_out(session, sections, roles)
    cleaned = _clean(session, [sections[index] for index in usable])
    media = tuple(_parse(cleaned).media)
    ice = media[0].ice
    assert ice is not None and ice.usernameFragment is not None and ice.password is not None
    return Offer(
        sdp=cleaned,
        media=media,
        sections=tuple(sections),
        rejected=frozenset(rejected),
        candidates=_candidates(sections),
        ufrag=ice.usernameFragment,
        pwd=ice.password,
    )


def _not_an_offer(message: str) -> OfferError:
    return OfferError("not-an-offer", "sdp", message)


def _split(sdp: str) -> tuple[list[str], list[Section]]:
    lines = [line.strip() for line in sdp.splitlines() if line.strip()]
    if not lines or lines[0] != "v=0":
        raise _not_an_offer("a session description begins with v=0")
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
    if not starts:
        raise _not_an_offer("the offer has no m-line")
    if len(starts) > MAX_SECTIONS:
        raise _not_an_offer(f"the offer has {len(starts)} m-lines; at most {MAX_SECTIONS} will do")
    ends = [*starts[1:], len(lines)]
    sections = [Section(tuple(lines[start:end])) for start, end in zip(starts, ends, strict=True)]
    for section in sections:
        words = section.lines[0].split(" ")
        if len(words) < 4 or not words[1].isdecimal():
            raise _not_an_offer(f"not an m-line: {section.lines[0][:100]!r}")
        if not section.mid and not section.stopped:
            raise _not_an_offer("every m-line needs an a=mid")
    mids = [section.mid for section in sections if section.mid]
    if len(set(mids)) < len(mids):
        raise _not_an_offer("two m-lines have the same a=mid")
    return lines[: starts[0]], sections


def _check_roles(sections: list[Section], roles: Mapping[str, str], *, hosted: bool) -> None:
    by_mid = {section.mid: section for section in sections if section.mid}
    taken: dict[str, str] = {}
    for role, mid in roles.items():
        field = f"tracks.{role}"
        if role not in ROLES:
            raise OfferError("mid", field, f"a track is one of {', '.join(ROLES)}, not {role}")
        section = by_mid.get(mid)
        if section is None:
            there = ", ".join(sorted(by_mid))
            raise OfferError("mid", field, f"the offer has no mid {mid!r}; it has {there}")
        if section.kind != ROLES[role]:
            raise OfferError(
                "mid", field, f"mid {mid!r} is {section.kind}; {role} needs {ROLES[role]}"
            )
        if mid in taken:
            raise OfferError("mid", field, f"mid {mid!r} is the {taken[mid]} already")
        taken[mid] = role
        wanted = "sendonly" if role == "camera" else "recvonly" if hosted else "sendrecv"
        offered = "inactive" if section.stopped else section.direction
        if offered != wanted:
            why = {
                "sendonly": "the server only receives the camera",
                "recvonly": "the server sends hosted media",
                "sendrecv": "what the browser sends comes back on the same m-line",
            }[wanted]
            raise OfferError(
                "direction",
                field,
                f"mid {mid!r} must be {wanted} ({why}); it is {offered}",
            )


def _sort_out(
    session: list[str], sections: list[Section], roles: Mapping[str, str]
) -> tuple[list[int], list[int]]:
    """The places of the m-lines that can be answered by aiortc, and of the others."""
    named = {mid: role for role, mid in roles.items()}
    usable: list[int] = []
    rejected: list[int] = []
    data_channels = False
    for index, section in enumerate(sections):
        role = named.get(section.mid)
        if section.kind == "application":
            understood = not data_channels and "webrtc-datachannel" in section.lines[0]
            fits = understood and not section.stopped
            data_channels = data_channels or fits
        elif section.kind in ("audio", "video") and not section.stopped:
            (media,) = _parse(_clean(session, [section])).media
            fits = bool(aiortc_ext.common_codecs(media))
            if role and not fits:
                raise OfferError(
                    "codec",
                    f"tracks.{role}",
                    f"none of the codecs of mid {section.mid!r} is known here: offer "
                    + ("opus" if section.kind == "audio" else "VP8 or H264 (baseline)"),
                )
        else:
            fits = False
        (usable if fits else rejected).append(index)
    if not usable:
        raise _not_an_offer("the offer has no m-line that could be answered")
    _check_bundle(session, [sections[index] for index in usable])
    return usable, rejected


def _check_bundle(session: list[str], sections: list[Section]) -> None:
    groups = [line.split()[1:] for line in session if line.startswith("a=group:BUNDLE")]
    bundled = groups[0] if groups else []
    loose = [section.mid for section in sections if section.mid not in bundled]
    if loose and len(sections) > 1:
        raise _not_an_offer(
            f"all media must be bundled (a=group:BUNDLE); mid {', '.join(loose)} is not"
        )


def _clean(session: list[str], sections: list[Section]) -> str:
    """An offer of these sections alone, bundled in their order, without candidates."""
    lines = [line for line in session if not line.startswith("a=group:BUNDLE")]
    lines.append(" ".join(["a=group:BUNDLE", *(section.mid for section in sections)]))
    for section in sections:
        kept = [
            line
            for line in section.lines
            if not line.startswith("a=candidate:")
            and line != "a=end-of-candidates"
            and line[2:] not in DIRECTIONS
        ]
        lines.extend(kept)
        lines.append(f"a={section.direction}")
    return "\r\n".join(lines) + "\r\n"


def _parse(sdp: str) -> SessionDescription:
    try:
        description = SessionDescription.parse(sdp)
    except (
        # aiortc's parser takes a well-formed text for granted.
        AssertionError,
        AttributeError,
        IndexError,
        KeyError,
        StopIteration,
        TypeError,
        ValueError,
    ) as error:
        raise _not_an_offer(f"the session description is malformed ({error!r})") from error
    for media in description.media:
        where = f"the m-line of mid {media.rtp.muxId!r}"
        if not media.ice or not media.ice.usernameFragment or not media.ice.password:
            raise _not_an_offer(f"{where} has no a=ice-ufrag and a=ice-pwd")
        if media.dtls is None or not media.dtls.fingerprints:
            raise _not_an_offer(f"{where} has no a=setup and a=fingerprint")
        if media.kind in ("audio", "video") and not media.rtcp_mux:
            raise _not_an_offer(f"{where} has no a=rtcp-mux")
        if media.kind == "application" and media.sctp_port is None and not media.sctpmap:
            raise _not_an_offer(f"{where} has no a=sctp-port")
    return description


def _candidates(sections: list[Section]) -> tuple[RTCIceCandidate, ...]:
    prefix = "a=candidate:"
    try:
        candidates = [
            ice_fragment.parse_candidate(line[len(prefix) :], section.mid)
            for section in sections
            for line in section.lines
            if line.startswith(prefix)
        ]
    except ValueError as error:
        raise _not_an_offer(str(error)) from error
    return tuple(candidates[: ice_fragment.MAX_CANDIDATES])
