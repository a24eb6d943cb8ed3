"""Is there a card that encodes and decodes? Tried once, and never fatal."""

from fractions import Fraction

import av
import pytest

from gaze.rtc.codecs import nvidia
from gaze.rtc.codecs.nvdec import CardDecoder


class Attempt:
    """Counts how often it is made."""

    def __init__(self, error: Exception | None = None) -> None:
        self.made = 0
        self._error = error

    def __call__(self) -> None:
        self.made += 1
        if self._error:
            raise self._error


def test_what_works_is_tried_once() -> None:
    attempt = Attempt()
    probe = nvidia.Probe("card", attempt)
    assert not probe.known_to_work
    assert probe.works() and probe.works()
    assert probe.known_to_work
    assert (attempt.made, probe.reason()) == (1, "")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (av.ExternalError(1, "no driver"), "no driver"),
        (RuntimeError("it decodes nothing"), "it decodes nothing"),
        (NotImplementedError(), "NotImplementedError"),
    ],
)
def test_what_does_not_is_tried_once_and_says_why(error: Exception, reason: str) -> None:
    attempt = Attempt(error)
    probe = nvidia.Probe("card", attempt)
    assert not probe.works() and not probe.works() and not probe.known_to_work
    assert (attempt.made, probe.reason()) == (1, reason)


def test_the_probes_of_this_machine_come_to_an_end() -> None:
    """With a card or without: an outcome, and a reason where it is no."""
    for probe in (nvidia.nvenc, *nvidia.nvdec.values()):
        assert probe.works() is (probe.reason() == "")


def encoded() -> bytes:
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = 320, 192, "yuv420p"
    context.time_base = Fraction(1, 30)
    context.options = {"tune": "zerolatency"}
    frame = av.VideoFrame(320, 192, "yuv420p")
    frame.pts = 0
    return b"".join(map(bytes, context.encode(frame)))


def test_without_a_card_decoding_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = nvidia.Probe("NVDEC", Attempt(RuntimeError("none")))
    monkeypatch.setitem(nvidia.nvdec, "H264", probe)
    decoder = CardDecoder()
    assert decoder.decode("H264", encoded(), 0) is None
    assert decoder.decode("VP9", encoded(), 0) is None


def test_a_card_that_fails_on_the_way_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened = Attempt(av.ExternalError(1, "the card is gone"))
    monkeypatch.setitem(nvidia.nvdec, "H264", nvidia.Probe("NVDEC", Attempt()))
    monkeypatch.setattr(nvidia, "decoder", lambda codec: opened())
    decoder = CardDecoder()
    assert decoder.decode("H264", encoded(), 0) is None
    assert decoder.decode("H264", encoded(), 3000) is None
    assert opened.made == 1
    assert "NVDEC failed, software goes on: " in caplog.text


def test_what_a_card_decodes_is_handed_on_as_yuv420p(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder in software stands in for the card's: the same interface, the same frames."""
    monkeypatch.setitem(nvidia.nvdec, "H264", nvidia.Probe("NVDEC", Attempt()))
    monkeypatch.setattr(nvidia, "decoder", lambda codec: av.CodecContext.create("h264", "r"))
    decoder = CardDecoder()
    assert decoder.decode("H264", b"\0\0\1\x65nonsense", 0) == []
    frames = decoder.decode("H264", encoded(), 3000)
    frames = (frames or []) + (decoder.decode("H264", encoded(), 6000) or [])
    assert frames and frames[0].pts == 3000
    assert {frame.format.name for frame in frames} == {"yuv420p"}


@pytest.mark.skipif(
    not nvidia.nvdec["H264"].works(), reason=f"no NVDEC: {nvidia.nvdec['H264'].reason()}"
)
def test_nvdec_decodes() -> None:
    frames = CardDecoder().decode("H264", encoded(), 0)
    assert frames is not None
