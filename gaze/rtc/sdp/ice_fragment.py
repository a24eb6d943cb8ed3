"""Trickled ICE candidates in `application/trickle-ice-sdpfrag` (RFC 8840, used as in RFC 9725)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aiortc import RTCIceCandidate

MAX_CANDIDATES = 64

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}")


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a fragment says.

    Attributes:
        ufrag: ICE user name fragment that the candidates belong to, if it is given.
        pwd: its password, if it is given.
        candidates: each with its `sdpMid`.
        ended: the mids for which no further candidate will come.
    """

    ufrag: str | None
    pwd: str | None
    candidates: tuple[RTCIceCandidate, ...]
    ended: frozenset[str]


def parse_candidate(value: str, mid: str) -> RTCIceCandidate:
    """Read what follows `a=candidate:` (RFC 8839, section 5.1).

    Raises:
        ValueError: it is not a candidate.
    """
    words = value.split()
    if len(words) < 8 or words[6] != "typ":
        raise ValueError(f"not an ICE candidate: {value[:100]!r}")
    try:
        component, priority, port = int(words[1]), int(words[3]), int(words[5])
    except ValueError:
        raise ValueError(
            f"component, priority and port of a candidate are whole numbers: {value[:100]!r}"
        ) from None
    if not 0 <= port <= 65535:
        raise ValueError(f"a candidate's port is from 0 to 65535, not {port}")
    further = dict(zip(words[8::2], words[9::2], strict=False))
    related_port = further.get("rport")
    return RTCIceCandidate(
        component=component,
        foundation=words[0],
        ip=words[4],
        port=port,
        priority=priority,
        protocol=words[2].lower(),
        type=words[7],
        relatedAddress=further.get("raddr"),
        relatedPort=int(related_port) if related_port and related_port.isdecimal() else None,
        sdpMid=mid,
        tcpType=further.get("tcptype"),
    )


def parse(text: str) -> Fragment:
    """Read a fragment.

    Raises:
        ValueError: a line is malformed, a candidate stands before any `a=mid`, sections disagree
            about the ICE credentials, or there are more than `MAX_CANDIDATES` candidates.
    """
    mid: str | None = None
    ufrags: list[str] = []
    pwds: list[str] = []
    candidates: list[RTCIceCandidate] = []
    ended: set[str] = set()
    for line in filter(None, map(str.strip, text.splitlines())):
        if len(line) < 3 or line[1] != "=":
            raise ValueError(f"not a line of SDP: {line[:100]!r}")
        if line.startswith("m="):
            mid = None
            continue
        if not line.startswith("a="):
            continue
        name, _, value = line[2:].partition(":")
        if name == "mid":
            mid = value
        elif name == "ice-ufrag":
            ufrags.append(value)
        elif name == "ice-pwd":
            pwds.append(value)
        elif name in ("candidate", "end-of-candidates"):
            if mid is None:
                raise ValueError(f"a={name} must stand after the a=mid it belongs to")
            if name == "candidate":
                candidates.append(parse_candidate(value, mid))
            else:
                ended.add(mid)
    if len(candidates) > MAX_CANDIDATES:
        raise ValueError(f"at most {MAX_CANDIDATES} candidates, not {len(candidates)}")
    return Fragment(
        ufrag=_only(ufrags, "a=ice-ufrag"),
        pwd=_only(pwds, "a=ice-pwd"),
        candidates=tuple(candidates),
        ended=frozenset(ended),
    )


def are_credentials(ufrag: str, pwd: str) -> bool:
    """Whether they are an ICE user name fragment and password (RFC 8839, section 5.4)."""
    return bool(_UFRAG.fullmatch(ufrag) and _PWD.fullmatch(pwd))


def write(ufrag: str, pwd: str, media: str, mid: str, candidates: Iterable[str]) -> str:
    """A fragment with all candidates of a bundle.

    Args:
        ufrag: ICE user name fragment.
        pwd: its password.
        media: the bundle's first m-line, as it was offered.
        mid: its identification tag.
        candidates: each as it follows `a=candidate:`.
    """
    kind, _, protocol, payload_format, *_ = media.split(" ")
    lines = [
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{pwd}",
        "a=ice-options:trickle",
        f"{kind} 9 {protocol} {payload_format}",
        f"a=mid:{mid}",
        *(f"a=candidate:{candidate}" for candidate in candidates),
        "a=end-of-candidates",
    ]
    return "\r\n".join(lines) + "\r\n"


def _only(values: Iterable[str], name: str) -> str | None:
    distinct = set(values)
    if len(distinct) > 1:
        raise ValueError(f"{name} differs between sections; bundled media share one")
    return distinct.pop() if distinct else None
