"""Header extensions as bytes."""

import pytest
from aiortc.rtp import unpack_header_extensions

from gaze.rtc.rtp import header_extensions
from gaze.rtc.rtp.header_extensions import (
    ABSOLUTE_SEND_TIME,
    MID,
    PLAYOUT_DELAY,
    TRANSPORT_SEQUENCE_NUMBER,
    ExtensionBlock,
)


def test_the_block_is_whole_words() -> None:
    block = ExtensionBlock({MID: 4}, "10")
    assert len(block.data) % 4 == 0
    assert unpack_header_extensions(0xBEDE, block.data[4:]) == [(4, b"10")]


def test_the_offsets_point_at_the_values() -> None:
    block = ExtensionBlock({TRANSPORT_SEQUENCE_NUMBER: 3, ABSOLUTE_SEND_TIME: 2}, "0")
    assert block.transport_number_offset is not None and block.send_time_offset is not None
    data = bytearray(block.data)
    data[block.transport_number_offset : block.transport_number_offset + 2] = b"ab"
    data[block.send_time_offset : block.send_time_offset + 3] = b"cde"
    assert sorted(unpack_header_extensions(0xBEDE, bytes(data[4:]))) == [(2, b"cde"), (3, b"ab")]
    assert block.audio_level_offset is None


def test_nothing_negotiated_is_no_block() -> None:
    block = ExtensionBlock({}, "0")
    assert block.data == b""
    block.set_playout_delay(10, 400)
    assert block.data == b""


def test_the_playout_delay_can_be_changed() -> None:
    block = ExtensionBlock({PLAYOUT_DELAY: 5}, "0")
    block.set_playout_delay(10, 400)
    assert unpack_header_extensions(0xBEDE, block.data[4:]) == [(5, b"\x00\x10\x28")]
    assert header_extensions.playout_delay(20, 4000) == b"\x00\x21\x90"


def test_the_absolute_send_time_is_6_18_bits_modulo_64_seconds() -> None:
    assert header_extensions.absolute_send_time(64.25) == (1 << 16).to_bytes(3, "big")


@pytest.mark.parametrize(("orientation", "degrees"), [(0, 0), (1, 90), (2, 180), (3, 270), (9, 90)])
def test_the_orientation_is_a_clockwise_rotation(orientation: int, degrees: int) -> None:
    assert header_extensions.clockwise_degrees(orientation) == degrees
