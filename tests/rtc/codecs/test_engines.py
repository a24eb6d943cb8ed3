"""Which engine encodes, and what takes over where it does not work."""

import logging
from typing import NoReturn

import av
import pytest

from gaze.rtc.codecs import engines, h264, libvpx, libx264, nvidia
from gaze.rtc.codecs.bundled_libs import Unavailable
from gaze.rtc.codecs.engines import Order, Stream
from tests.rtc.codecs.test_encoder import HEIGHT, WIDTH, frame

MEGA = 1_000_000
STREAM = Stream(WIDTH, HEIGHT, 6 * MEGA, h264.sendable({}, {}))


def order(bitrate_bps: float = MEGA, speed: int = 2, key_frame: bool = False) -> Order:
    return Order(bitrate_bps, speed, key_frame, duration=3000)


def unavailable(*_: object) -> NoReturn:
    raise Unavailable("no such library here")


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_said", set())


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def attempt() -> NoReturn:
        raise RuntimeError("no card here")

    monkeypatch.setattr(nvidia, "nvenc", nvidia.Probe("NVENC", attempt))
    monkeypatch.setattr(nvidia, "nvdec", {"H264": nvidia.Probe("NVDEC", attempt)})


@pytest.fixture
def a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "nvenc", nvidia.Probe("NVENC", lambda: None))
    monkeypatch.setattr(nvidia, "nvdec", {"H264": nvidia.Probe("NVDEC", lambda: None)})


@pytest.mark.usefixtures("no_card")
@pytest.mark.parametrize("choice", ["auto", "libvpx", "libx264", "nvenc"])
def test_without_a_card_software_encodes_whatever_was_wanted(choice: engines.Choice) -> None:
    assert engines.make("VP8", choice, STREAM, order()).name == "libvpx"
    assert engines.make("H264", choice, STREAM, order()).name == "libx264"


@pytest.mark.usefixtures("a_card")
def test_a_card_that_takes_no_more_streams_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Full:
        def __init__(self, *_: object) -> None:
            raise av.ExternalError(1, "out of sessions")

    monkeypatch.setattr(engines, "Nvenc", Full)
    for _ in range(2):
        assert engines.make("H264", "auto", STREAM, order()).name == "libx264"
    assert len(caplog.records) == 1
    assert "NVENC takes no more streams; libx264 goes on" in caplog.text


@pytest.mark.usefixtures("no_card")
def test_without_the_libraries_ffmpeg_s_wrappers_encode_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(libvpx, "load", unavailable)
    monkeypatch.setattr(libx264, "load", unavailable)
    for _ in range(2):
        assert engines.make("VP8", "auto", STREAM, order()).name == "libvpx through FFmpeg"
        assert engines.make("H264", "auto", STREAM, order()).name == "libx264 through FFmpeg"
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "where a new bitrate is a key frame: no such library here" in caplog.text


def keys(engine: engines.Engine, orders: list[Order]) -> list[int]:
    """The places of the key frames among some frames."""
    return [
        index
        for index, one in enumerate(orders)
        if engine.encode(frame(index), index * 3000, one).is_key_frame
    ]


def test_vp8_through_ffmpeg_takes_a_new_encoder_for_a_large_change_only() -> None:
    engine = engines.FfmpegVp8(STREAM, order(2 * MEGA))
    rates = [2.0] * 60 + [1.8] * 10 + [0.8] * 20
    assert keys(engine, [order(rate * MEGA) for rate in rates]) == [0, 70]


def test_and_none_within_two_seconds() -> None:
    engine = engines.FfmpegVp8(STREAM, order(2 * MEGA))
    assert keys(engine, [order(MEGA * (2 + index % 3)) for index in range(64)]) == [0, 61]


def test_h264_through_ffmpeg_changes_its_bitrate_without_a_key_frame() -> None:
    engine = engines.FfmpegX264(STREAM, order(2 * MEGA))
    assert keys(engine, [order(MEGA * (1 + index % 3)) for index in range(60)]) == [0]


def test_and_its_speed_with_a_key_frame_or_if_it_must() -> None:
    engine = engines.FfmpegX264(STREAM, order(speed=1))
    orders = (
        [order(speed=1)] * 10
        + [order(speed=0)] * 10  # a better picture can wait
        + [order(speed=0, key_frame=True)]
        + [order(speed=2)] * 310  # more speed cannot, for longer than 10 s
    )
    assert keys(engine, orders) == [0, 20, 320]


@pytest.mark.usefixtures("no_card")
def test_without_a_card_one_line_says_so() -> None:
    assert engines.describe("auto", "auto") == (
        "encoding VP8 by libvpx v1.16.0, H264 by libx264 build 165 (no NVENC: no card here); "
        "decoding in software (no NVDEC: no card here)"
    )
    assert engines.describe("libx264", "software") == (
        "encoding VP8 by libvpx v1.16.0, H264 by libx264 build 165; decoding in software"
    )


@pytest.mark.usefixtures("a_card")
def test_and_with_one_what_it_does() -> None:
    assert engines.describe("auto", "auto") == (
        "encoding VP8 by libvpx v1.16.0, H264 by NVENC; decoding H264 by NVDEC"
    )


@pytest.mark.skipif(not nvidia.nvenc.works(), reason=f"no NVENC: {nvidia.nvenc.reason()}")
def test_nvenc_encodes_and_changes_its_bitrate_without_a_key_frame() -> None:
    engine = engines.Nvenc(STREAM, order(2 * MEGA))
    assert keys(engine, [order(MEGA * (1 + index % 3)) for index in range(60)]) == [0]
