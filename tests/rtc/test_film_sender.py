"""The encoder of the film follows what the browser reports."""

import re
from typing import Any

import av
import pytest
from aiortc.sdp import MediaDescription

from gaze.rtc.congestion.send_side_bwe import BitrateConstraints
from gaze.rtc.congestion.transmitter import Transmitter
from gaze.rtc.film_sender import FilmLimits, FilmSender
from gaze.rtc.media_section import MediaSection
from gaze.rtc.sdp.offer import read_offer
from gaze.rtc.streams.sender import Sender
from simulation.clients.rtc_client import Client

LIMITS = FilmLimits(2_000_000, 150_000, 3_000_000, "libvpx", "fast")


@pytest.fixture
async def offered() -> MediaDescription:
    async with Client() as client:
        offer = read_offer(await client.offer(), Client.ROLES, hosted=False)
    return next(media for media in offer.media if media.rtp.muxId == "1")


class Sending:
    """A film sender that is not connected."""

    def __init__(self, offered: MediaDescription, codec: str = "VP8") -> None:
        section = MediaSection(offered)
        section.prefer_codec(codec)
        self.transmitter = Transmitter(lambda data: None, BitrateConstraints(2e6, 150e3, 6e6))
        self.sender = Sender("video", 1, 2, "name", self.transmitter, lambda packets: None)
        self.film = FilmSender(
            self.sender, section.codecs[0], offered, self.transmitter, LIMITS, None
        )


async def test_the_target_follows_losses_and_remb_within_the_limits(
    offered: MediaDescription,
) -> None:
    sending = Sending(offered)
    assert sending.sender.on_loss is not None and sending.sender.on_remb is not None
    assert sending.film.figures()["target_bitrate_bps"] == 2_000_000
    sending.sender.on_loss(0.5)
    after_loss_bps = sending.film.figures()["target_bitrate_bps"]
    assert 150_000 <= after_loss_bps < 2_000_000
    sending.sender.on_remb(900_000)
    assert sending.film.figures()["remb_bps"] == 900_000
    for _ in range(50):
        sending.sender.on_loss(0.9)
    assert sending.film.figures()["target_bitrate_bps"] >= 150_000


async def test_the_encoder_is_set_before_each_frame(offered: MediaDescription) -> None:
    sending = Sending(offered)
    encoder: Any = sending.sender.encoder
    assert sending.sender.on_frame is not None
    sending.transmitter.reported_bps = 400_000
    sending.sender.on_frame(av.VideoFrame(1280, 720, "yuv420p"), True)
    assert encoder.bitrate_bps == 400_000
    assert encoder.scale < 1.0  # 720p needs more than that
    assert sending.film.figures()["scale"] == encoder.scale


@pytest.mark.parametrize("level", ["42e0ff", "42e01f"])
async def test_h264_of_a_level_that_nobody_knows_is_not_negotiated(
    offered: MediaDescription, level: str
) -> None:
    for codec in offered.rtp.codecs:
        if codec.name == "H264":
            profile = str(codec.parameters["profile-level-id"])
            codec.parameters["profile-level-id"] = re.sub("..$", level[-2:], profile)
    sending = Sending(offered, "H264")
    known = sending.sender.encoder.codec
    assert known == ("H264" if level == "42e01f" else "VP8")
