"""What goes out: bitrates that are kept, and key frames only when they are worth it."""

import fractions

import av
import cv2
import numpy as np
import pytest
from aiortc.codecs import depayload
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.video.frame import PictureType

from gaze.rtc.encoder import VideoEncoder

WIDTH, HEIGHT, FPS = 640, 360, 30
MEGA = 1_000_000

_rng = np.random.default_rng(1)
_texture = cv2.GaussianBlur(_rng.integers(0, 256, (HEIGHT, WIDTH), np.uint8), (0, 0), 2)
_texture = cv2.normalize(_texture, None, 0, 255, cv2.NORM_MINMAX)


def frame(index: int, width: int = WIDTH, height: int = HEIGHT) -> av.VideoFrame:
    """A texture that moves, so that there is enough to spend bits on."""
    y = np.roll(_texture, (index * 3, index * 5), (0, 1))[:height, :width]
    made = av.VideoFrame(width, height, "yuv420p")
    luma, *chroma = made.planes
    rows = np.zeros((height, luma.line_size), np.uint8)
    rows[:, :width] = y
    luma.update(rows)
    for plane in chroma:
        plane.update(bytes([128]) * plane.buffer_size)
    made.pts = index
    made.time_base = fractions.Fraction(1, FPS)
    return made


def rate_bps(encoder: VideoEncoder, first: int, count: int) -> float:
    """Bits a second of the latter half of some frames."""
    sizes = [
        sum(map(len, encoder.encode(frame(index))[0])) for index in range(first, first + count)
    ]
    half = sizes[count // 2 :]
    return 8 * FPS * sum(half) / len(half)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_frames_survive_the_way(codec: str) -> None:
    """What the payloads carry is decoded to the picture that went in."""
    encoder = VideoEncoder(codec, 3 * MEGA, 6 * MEGA)
    decoder = av.CodecContext.create("libvpx" if codec == "VP8" else "h264", "r")
    parameters = RTCRtpCodecParameters(mimeType=f"video/{codec}", clockRate=90000)
    shown = None
    for index in range(10):
        payloads, timestamp = encoder.encode(frame(index))
        assert timestamp == index * 3000
        assert all(len(payload) <= 1300 for payload in payloads)
        data = b"".join(depayload(parameters, payload) for payload in payloads)
        for decoded in decoder.decode(av.Packet(data)):
            shown = decoded
    assert shown is not None
    difference = np.abs(shown.to_ndarray().astype(int) - frame(9).to_ndarray().astype(int))
    assert difference[:HEIGHT].mean() < 8


def test_h264_changes_its_bitrate_without_a_key_frame() -> None:
    encoder = VideoEncoder("H264", 1_500_000, 6 * MEGA)
    assert rate_bps(encoder, 0, 90) == pytest.approx(1_500_000, rel=0.25)
    encoder.bitrate_bps = 500_000
    assert rate_bps(encoder, 90, 90) == pytest.approx(500_000, rel=0.25)
    encoder.bitrate_bps = 1_200_000
    assert rate_bps(encoder, 180, 90) == pytest.approx(1_200_000, rel=0.25)
    assert encoder.key_frames == 1


def test_vp8_takes_a_new_encoder_for_a_large_change_only() -> None:
    encoder = VideoEncoder("VP8", 2 * MEGA, 6 * MEGA)
    assert rate_bps(encoder, 0, 90) == pytest.approx(2 * MEGA, rel=0.35)
    encoder.bitrate_bps = 1.8 * MEGA
    rate_bps(encoder, 90, 10)
    assert encoder.key_frames == 1
    encoder.bitrate_bps = 0.8 * MEGA
    assert rate_bps(encoder, 100, 90) == pytest.approx(0.8 * MEGA, rel=0.35)
    assert encoder.key_frames == 2


def test_vp8_takes_no_new_encoder_within_two_seconds() -> None:
    encoder = VideoEncoder("VP8", 2 * MEGA, 6 * MEGA)
    for index in range(61):
        encoder.bitrate_bps = MEGA * (1 + index % 3)
        encoder.encode(frame(index))
        if index < 60:
            assert encoder.key_frames == 1


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_a_key_frame_that_is_asked_for_comes_at_once_but_not_too_often(codec: str) -> None:
    encoder = VideoEncoder(codec, 2 * MEGA, 6 * MEGA)
    for index in range(31):
        encoder.encode(frame(index), force_keyframe=index >= 15)
    # at 0, 15 (half a second later), 24 (0.3 s later); one more is due at 33
    assert encoder.key_frames == 3


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_a_decoded_key_frame_makes_no_key_frame(codec: str) -> None:
    encoder = VideoEncoder(codec, 2 * MEGA, 6 * MEGA)
    for index in range(5):
        source = frame(index)
        source.pict_type = PictureType.I
        encoder.encode(source)
    assert encoder.key_frames == 1


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_a_new_size_an_odd_size_and_a_time_that_stands_still(codec: str) -> None:
    encoder = VideoEncoder(codec, 2 * MEGA, 6 * MEGA)
    for index, (width, height) in enumerate([(640, 360), (320, 180), (321, 181), (321, 181)]):
        payloads, timestamp = encoder.encode(frame(0, width, height))
        assert payloads
        assert timestamp == index


def test_another_pixel_format_is_converted() -> None:
    encoder = VideoEncoder("VP8", 2 * MEGA, 6 * MEGA)
    source = av.VideoFrame.from_ndarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8), "rgb24")
    source.pts, source.time_base = 0, fractions.Fraction(1, FPS)
    assert encoder.encode(source)[0]


def test_other_codecs_are_refused() -> None:
    with pytest.raises(ValueError, match="VP8 or H264, not VP9"):
        VideoEncoder("VP9", MEGA, MEGA)
