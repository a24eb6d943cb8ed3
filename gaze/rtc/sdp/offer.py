"""Reads a browser's offer (RFC 8829), and checks that it can do what its roles promise.

An offer is parsed once, here; what is passed on is an `Offer`. Candidates are taken out of it,
because a name to be resolved by mDNS would delay the answer; they are tried after it. M-lines that
cannot be answered (stopped ones, unknown kinds and codecs) are taken out too, and put back into the
answer as rejected.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from aiortc import RTCIceCandidate
from aiortc.sdp import DIRECTIONS, MediaDescription, SessionDescription

from gaze.rtc import aiortc_ext
from gaze.rtc.sdp import ice_fragment

ROLES = {"camera": "video", "film": "video", "audio": "audio"}
"""The kind of each role's m-line."""

MAX_SECTIONS = 16  # a page of this server offers four: chosen by hand

OfferErrorKind = Literal["not-an-offer", "mid", "direction", "codec"]

_WHY_DIRECTION = {
    "sendonly": "the server only receives the camera",
    "recvonly": "the server sends hosted media",
    "sendrecv": "what the browser sends comes back on the same m-line",
}


class OfferError(ValueError):
    """An offer that cannot be answered.

    Attributes
    ----------
    kind : OfferErrorKind
        What is wrong.
    field : str
        In which field of the request.
    message : str
        What would be right.
    """

    def __init__(self, kind: OfferErrorKind, field: str, message: str) -> None:
        """Take what is wrong.

        Parameters
        ----------
        kind : OfferErrorKind
            What is wrong.
        field : str
            In which field of the request.
        message : str
            What would be right.
        """
        super().__init__(message)
        self.kind = kind
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Section:
    """One m-line of a session description with its lines, the m-line first."""

    lines: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Its medium: audio, video or application."""
        return self.lines[0][2:].split(" ", 1)[0]

    @property
    def mid(self) -> str:
        """The identification tag, empty if there is none."""
        return self.attribute("mid") or ""

    @property
    def direction(self) -> str:
        """The direction; sendrecv if there is none (RFC 8866, section 6.7)."""
        return next((name for name in DIRECTIONS if f"a={name}" in self.lines), "sendrecv")

    @property
    def stopped(self) -> bool:
        """Whether the offerer does not use the m-line: port 0 without bundle-only (RFC 9143)."""
        return self.lines[0].split(" ")[1] == "0" and "a=bundle-only" not in self.lines

    def attribute(self, name: str) -> str | None:
        """Look an attribute up.

        Parameters
        ----------
        name : str
            Without `a=`.

        Returns
        -------
        str or None
            The value of the first `a=name:value`.
        """
        prefix = f"a={name}:"
        return next((line[len(prefix) :] for line in self.lines if line.startswith(prefix)), None)


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be answered.

    Attributes
    ----------
    roles : mapping of str to str
        The mid of the m-line for `camera`, `film` and `audio`, as far as they are there.
    hosted : bool
        Whether the server has film and audio, and the browser sends neither.
    sdp : str
        The offer of the usable m-lines alone, without candidates.
    media : tuple of MediaDescription
        The m-lines of `sdp`, parsed.
    sections : tuple of Section
        All m-lines as they were offered.
    rejected : frozenset of int
        Indices in `sections` of those left out of `sdp`.
    candidates : tuple of RTCIceCandidate
        Taken out of the offer, to be tried once it is answered.
    ufrag, pwd : str
        The browser's ICE user name fragment and password.
    """

    roles: Mapping[str, str]
    hosted: bool
    sdp: str
    media: tuple[MediaDescription, ...]
    sections: tuple[Section, ...]
    rejected: frozenset[int]
    candidates: tuple[RTCIceCandidate, ...]
    ufrag: str
    pwd: str


def read_offer(sdp: str, roles: Mapping[str, str], *, hosted: bool) -> Offer:
    """Parse an offer, and check it against the roles that its m-lines shall play.

    Parameters
    ----------
    sdp : str
        The browser's offer.
    roles : mapping of str to str
        The mid of the m-line for `camera`, `film` and `audio`, as far as they are there.
    hosted : bool
        Whether the server has the film, so that the browser only receives film and audio.

    Returns
    -------
    Offer
        What can be answered.

    Raises
    ------
    OfferError
        If it is no offer, or cannot do what the roles promise.
    """
    session, sections = _split(sdp)
    _check_roles(sections, roles, hosted=hosted)
    answerable = _parse_answerable(session, sections, roles)
    usable = [sections[index] for index in answerable]
    if not usable:
        raise _not_an_offer("the offer has no m-line that could be answered")
    _check_bundle(session, usable)
    media = tuple(answerable.values())
    ufrag, pwd = _credentials(media[0])
    return Offer(
        roles=dict(roles),
        hosted=hosted,
        sdp=_clean(session, usable),
        media=media,
        sections=tuple(sections),
        rejected=frozenset(range(len(sections))) - answerable.keys(),
        candidates=_candidates(sections),
        ufrag=ufrag,
        pwd=pwd,
    )


def _not_an_offer(message: str) -> OfferError:
    return OfferError("not-an-offer", "sdp", message)


def _split(sdp: str) -> tuple[list[str], list[Section]]:
    """Return the session-level lines, and the m-lines with theirs."""
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


def _check_roles(sections: Sequence[Section], roles: Mapping[str, str], *, hosted: bool) -> None:
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
        _check_direction(section, role, hosted=hosted)


def _check_direction(section: Section, role: str, *, hosted: bool) -> None:
    expected = "sendonly" if role == "camera" else "recvonly" if hosted else "sendrecv"
    offered = "inactive" if section.stopped else section.direction
    if offered != expected:
        raise OfferError(
            "direction",
            f"tracks.{role}",
            f"mid {section.mid!r} must be {expected} ({_WHY_DIRECTION[expected]}); it is {offered}",
        )


def _parse_answerable(
    session: Sequence[str], sections: Sequence[Section], roles: Mapping[str, str]
) -> dict[int, MediaDescription]:
    """Parse the m-lines that can be answered; returns them by their index."""
    role_of = {mid: role for role, mid in roles.items()}
    answerable: dict[int, MediaDescription] = {}
    has_data_channels = False
    for index, section in enumerate(sections):
        if section.stopped:
            continue
        if section.kind == "application":
            if has_data_channels or "webrtc-datachannel" not in section.lines[0]:
                continue
            has_data_channels = True
            answerable[index] = _parse(session, section)
        elif section.kind in ("audio", "video"):
            media = _parse(session, section)
            if aiortc_ext.common_codecs(media):
                answerable[index] = media
            elif section.mid in role_of:
                raise OfferError(
                    "codec",
                    f"tracks.{role_of[section.mid]}",
                    f"none of the codecs of mid {section.mid!r} is known here: offer "
                    + ("opus" if section.kind == "audio" else "VP8 or H264 (baseline)"),
                )
    return answerable


def _check_bundle(session: Sequence[str], sections: Sequence[Section]) -> None:
    groups = [line.split()[1:] for line in session if line.startswith("a=group:BUNDLE")]
    bundled = groups[0] if groups else []
    missing = [section.mid for section in sections if section.mid not in bundled]
    if missing and len(sections) > 1:
        raise _not_an_offer(
            f"all media must be bundled (a=group:BUNDLE); mid {', '.join(missing)} is not"
        )


def _clean(session: Sequence[str], sections: Sequence[Section]) -> str:
    """Return an offer of these sections alone, bundled in their order, without candidates."""
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


def _parse(session: Sequence[str], section: Section) -> MediaDescription:
    """Parse one m-line, with what the session-level lines add to it."""
    try:
        (media,) = SessionDescription.parse(_clean(session, [section])).media
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
    _credentials(media)
    where = _where(media)
    if media.dtls is None or not media.dtls.fingerprints:
        raise _not_an_offer(f"{where} has no a=setup and a=fingerprint")
    if media.kind in ("audio", "video") and not media.rtcp_mux:
        raise _not_an_offer(f"{where} has no a=rtcp-mux")
    if media.kind == "application" and media.sctp_port is None and not media.sctpmap:
        raise _not_an_offer(f"{where} has no a=sctp-port")
    return media


def _where(media: MediaDescription) -> str:
    return f"the m-line of mid {media.rtp.muxId!r}"


def _credentials(media: MediaDescription) -> tuple[str, str]:
    """Return ICE user name fragment and password."""
    ice = media.ice
    if not ice or not ice.usernameFragment or not ice.password:
        raise _not_an_offer(f"{_where(media)} has no a=ice-ufrag and a=ice-pwd")
    return ice.usernameFragment, ice.password


def _candidates(sections: Sequence[Section]) -> tuple[RTCIceCandidate, ...]:
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
