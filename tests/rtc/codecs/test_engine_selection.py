"""Which engine encodes, and what takes its place where it does not work."""

import logging
from typing import NoReturn

import av
import pytest

from gaze.rtc.codecs import engine_selection, libvpx, libx264, nvidia_probe
from gaze.rtc.codecs.bundled_libs import Unavailable
from gaze.rtc.codecs.engine_selection import EncoderChoice, describe, select_engine
from tests.rtc.codecs.engine_settings import STREAM, settings

VP8_BY = f"libvpx {libvpx.VERSION}"
H264_BY = f"libx264 build {libx264.BUILD}"


def unavailable(*_: object) -> NoReturn:
    raise Unavailable("no such library here")


@pytest.fixture(autouse=True)
def nothing_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_selection, "_warned", set())


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def attempt() -> NoReturn:
        raise RuntimeError("no card here")

    monkeypatch.setattr(nvidia_probe, "nvenc", nvidia_probe.Probe("NVENC", attempt))
    monkeypatch.setattr(nvidia_probe, "nvdec", {"H264": nvidia_probe.Probe("NVDEC", attempt)})


@pytest.fixture
def a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia_probe, "nvenc", nvidia_probe.Probe("NVENC", lambda: None))
    probes = {"H264": nvidia_probe.Probe("NVDEC", lambda: None)}
    monkeypatch.setattr(nvidia_probe, "nvdec", probes)


@pytest.mark.usefixtures("no_card", "direct_bindings")
@pytest.mark.parametrize("choice", ["auto", "libvpx", "libx264", "nvenc"])
def test_without_a_card_the_libraries_encode_whatever_the_choice(choice: EncoderChoice) -> None:
    assert select_engine("VP8", choice, STREAM, settings()).name == "libvpx"
    assert select_engine("H264", choice, STREAM, settings()).name == "libx264"


@pytest.mark.usefixtures("a_card", "direct_bindings")
def test_libx264_takes_over_where_a_card_takes_no_more_streams(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Full:
        def __init__(self, *_: object) -> None:
            raise av.ExternalError(1, "out of sessions")

    monkeypatch.setattr(engine_selection, "NvencEngine", Full)
    for _ in range(2):
        assert select_engine("H264", "auto", STREAM, settings()).name == "libx264"
    assert len(caplog.records) == 1
    assert "NVENC takes no more streams; libx264 takes over" in caplog.text


@pytest.mark.usefixtures("no_card")
def test_ffmpeg_encodes_where_the_libraries_are_unavailable_with_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(libvpx, "load", unavailable)
    monkeypatch.setattr(libx264, "load", unavailable)
    for _ in range(2):
        assert select_engine("VP8", "auto", STREAM, settings()).name == "libvpx through FFmpeg"
        assert select_engine("H264", "auto", STREAM, settings()).name == "libx264 through FFmpeg"
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "where a new bitrate is a key frame: no such library here" in caplog.text
    assert describe("libx264", "software") == (
        "encoding VP8 by libvpx through FFmpeg (no such library here), "
        "H264 by libx264 through FFmpeg (no such library here); decoding in software"
    )


@pytest.mark.usefixtures("no_card", "direct_bindings")
def test_the_description_without_a_card_says_why() -> None:
    assert describe("auto", "auto") == (
        f"encoding VP8 by {VP8_BY}, H264 by {H264_BY} (no NVENC: no card here); "
        "decoding in software (no NVDEC: no card here)"
    )
    assert describe("libx264", "software") == (
        f"encoding VP8 by {VP8_BY}, H264 by {H264_BY}; decoding in software"
    )


@pytest.mark.usefixtures("a_card", "direct_bindings")
def test_the_description_with_a_card_says_what_it_does() -> None:
    assert describe("auto", "auto") == (
        f"encoding VP8 by {VP8_BY}, H264 by NVENC; decoding H264 by NVDEC"
    )
