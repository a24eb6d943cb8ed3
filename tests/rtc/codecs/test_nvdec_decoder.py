"""Decoding by NVDEC, and leaving it where that does not work."""

from collections.abc import Callable
from fractions import Fraction
from typing import NoReturn

import av
import pytest

from gaze.rtc.codecs import nvidia_probe
from gaze.rtc.codecs.nvdec_decoder import NvdecDecoder


def encoded() -> bytes:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = 320, 192, "yuv420p"
    context.time_base = Fraction(1, 30)
    context.options = {"tune": "zerolatency"}
    frame = av.VideoFrame(320, 192, "yuv420p")
    frame.pts = 0
    return b"".join(map(bytes, context.encode(frame)))


def succeed() -> None:
    """An attempt that works."""


def probed(monkeypatch: pytest.MonkeyPatch, attempt: Callable[[], None]) -> None:
    probe = nvidia_probe.Probe("NVDEC", attempt)
    monkeypatch.setitem(nvidia_probe.nvdec, "H264", probe)


def test_without_a_card_decoding_is_left_to_software(monkeypatch: pytest.MonkeyPatch) -> None:
    def attempt() -> NoReturn:
        raise RuntimeError("none")

    probed(monkeypatch, attempt)
    decoder = NvdecDecoder()
    assert decoder.decode("H264", encoded(), 0) is None
    assert decoder.decode("VP9", encoded(), 0) is None


def test_a_card_that_fails_later_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened = []

    def fail(codec: str) -> NoReturn:
        opened.append(codec)
        raise av.ExternalError(1, "the card is gone")

    probed(monkeypatch, succeed)
    monkeypatch.setattr(nvidia_probe, "open_nvdec", fail)
    decoder = NvdecDecoder()
    assert decoder.decode("H264", encoded(), 0) is None
    assert decoder.decode("H264", encoded(), 3000) is None
    assert opened == ["H264"]
    assert "NVDEC failed, software takes over: " in caplog.text


def test_frames_are_handed_on_as_yuv420p(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder in software stands in for the card's: the same interface, the same frames."""
    probed(monkeypatch, succeed)
    monkeypatch.setattr(
        nvidia_probe, "open_nvdec", lambda codec: av.CodecContext.create("h264", "r")
    )
    decoder = NvdecDecoder()
    assert decoder.decode("H264", b"\0\0\1\x65nonsense", 0) == []
    frames = decoder.decode("H264", encoded(), 3000)
    frames = (frames or []) + (decoder.decode("H264", encoded(), 6000) or [])
    assert frames and frames[0].pts == 3000
    assert {frame.format.name for frame in frames} == {"yuv420p"}


@pytest.mark.skipif(
    not nvidia_probe.nvdec["H264"].works(),
    reason=f"no NVDEC: {nvidia_probe.nvdec['H264'].reason()}",
)
def test_nvdec_decodes() -> None:
    frames = NvdecDecoder().decode("H264", encoded(), 0)
    assert frames is not None
