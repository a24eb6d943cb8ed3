"""Reads the header extension `video-orientation`, which aiortc does not know."""

from typing import Any

from aiortc import RTCDtlsTransport
from aiortc.rtp import HeaderExtensions, unpack_header_extensions


def read_orientation(transport: RTCDtlsTransport, number: int) -> None:
    """Let packets' extensions have a `video_orientation` when one came with this number."""
    known: Any = transport._rtp_header_extensions_map
    read = known.get
    short_head = number << 4  # one byte of value, in the one-byte form

    def with_orientation(profile: int, block: bytes) -> HeaderExtensions:
        values: Any = read(profile, block)
        if short_head in block or number in block:
            for found, value in unpack_header_extensions(profile, block):
                if found == number and len(value) == 1:
                    values.video_orientation = value[0]
        return values  # type: ignore[no-any-return]

    known.get = with_orientation
