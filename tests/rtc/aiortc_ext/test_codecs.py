"""aiortc's packetizers, as our encoders use them."""

import pytest

from gaze.rtc.aiortc_ext import common_codecs, packetize_h264, packetize_vp8
from gaze.rtc.sdp.offer import read_offer
from simulation.clients.rtc_client import Client


def test_vp8_payloads_carry_the_picture_id_and_the_frame() -> None:
    (payload,) = packetize_vp8(b"\x00" * 10, picture_id=5)
    assert payload.endswith(b"\x00" * 10)
    assert len(packetize_vp8(b"\x00" * 3000, picture_id=5)) == 3


def test_an_h264_nal_unit_that_fits_is_one_payload() -> None:
    assert packetize_h264(b"\0\0\0\1\x65\x88\x80") == [b"\x65\x88\x80"]


async def test_common_codecs_have_the_offered_payload_types() -> None:
    async with Client() as client:
        offer = read_offer(await client.offer(), Client.ROLES, hosted=False)
    camera = next(media for media in offer.media if media.rtp.muxId == "0")
    offered = {codec.payloadType for codec in camera.rtp.codecs}
    assert {codec.payloadType for codec in common_codecs(camera)} == offered
    camera.rtp.codecs = [codec for codec in camera.rtp.codecs if codec.name == "VP8"]
    assert [codec.name for codec in common_codecs(camera)] == ["VP8"]
    data = next(media for media in offer.media if media.kind == "application")
    assert common_codecs(data) == []


@pytest.mark.parametrize("picture_id", [0, 127, 128, 0x7FFF])
def test_any_picture_id_is_packed(picture_id: int) -> None:
    assert packetize_vp8(b"\x10\x20", picture_id)[0].endswith(b"\x10\x20")
