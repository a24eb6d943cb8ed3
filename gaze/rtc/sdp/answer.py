"""Finishes aiortc's answer (RFC 8829): bitrates for the browser's encoders, and rejected m-lines.

`x-google-start-bitrate` and `x-google-max-bitrate` (kbit/s, in the fmtp of a video codec) are what
Chromium and Safari take their first estimate and their limit from; others pass over them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gaze.rtc.sdp.offer import Section

_CODECS = ("VP8", "H264")


@dataclass(frozen=True, slots=True)
class SendRate:
    """What a browser is asked to send an m-line at."""

    start_bps: int
    max_bps: int


def finish_answer(
    sdp: str,
    rates: Mapping[str, SendRate],
    offered: Sequence[Section],
    rejected: Iterable[int],
) -> str:
    """The answer for the browser.

    Args:
        sdp: aiortc's answer to the offer without the rejected m-lines.
        rates: by mid, for the video m-lines that the browser sends.
        offered: the offer's m-lines.
        rejected: places in `offered` of the m-lines that `sdp` does not answer.
    """
    head, *answered = sdp.replace("\r\n", "\n").strip().split("\nm=")
    sections = [_with_rate(Section(tuple(f"m={text}".split("\n"))), rates) for text in answered]
    for index in sorted(rejected):
        sections.insert(index, _rejected(offered[index]))
    lines = [*head.split("\n"), *(line for section in sections for line in section.lines)]
    return "\r\n".join(lines) + "\r\n"


def _with_rate(section: Section, rates: Mapping[str, SendRate]) -> Section:
    rate = rates.get(section.mid)
    if rate is None:
        return section
    hint = (
        f"x-google-start-bitrate={rate.start_bps // 1000};"
        f"x-google-max-bitrate={rate.max_bps // 1000}"
    )
    lines: list[str] = []
    for line in section.lines:
        name, _, value = line.partition(" ")
        if name.startswith("a=fmtp:") and _codec_of(section, name[7:]) in _CODECS:
            line = f"{line};{hint}"
        lines.append(line)
        if name.startswith("a=rtpmap:") and value.split("/")[0] in _CODECS:
            payload_type = name[9:]
            if not any(other.startswith(f"a=fmtp:{payload_type} ") for other in section.lines):
                lines.append(f"a=fmtp:{payload_type} {hint}")
    return Section(tuple(lines))


def _codec_of(section: Section, payload_type: str) -> str:
    prefix = f"a=rtpmap:{payload_type} "
    mapped = (line[len(prefix) :] for line in section.lines if line.startswith(prefix))
    return next(mapped, "").split("/")[0]


def _rejected(section: Section) -> Section:
    """The m-line with port 0 (RFC 3264, section 6), outside the bundle."""
    kind, _, *rest = section.lines[0].split(" ")
    lines = [" ".join([kind, "0", *rest]), "c=IN IP4 0.0.0.0", "a=inactive"]
    if section.mid:
        lines.append(f"a=mid:{section.mid}")
    return Section(tuple(lines))
