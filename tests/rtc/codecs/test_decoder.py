from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pytest

from gaze.rtc.codecs.decoder import VideoDecoder

OPTIONS = {
    "VP8": ("libvpx", {"deadline": "realtime", "lag-in-frames": "0"}),
    "H264": ("libx264", {"tune": "zerolatency", "profile": "baseline"}),
}


def encoded(codec: str, width: int, height: int, brightness: list[int]) -> Iterator[bytes]:
    """A packet for each frame, of one grey each."""
    name, options = OPTIONS[codec]
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.bit_rate = Fraction(1, 30), 1_000_000
    context.options = options
    for number, level in enumerate(brightness):
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        planes[:height] = level
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number
        yield b"".join(map(bytes, context.encode(frame)))


@pytest.mark.parametrize("codec", OPTIONS)
def test_each_frame_comes_out_at_once_also_when_the_size_changes(codec: str) -> None:
    decoder = VideoDecoder(on_card=False)
    seen = []
    for width, height, brightness in ((320, 180, [60, 90, 120]), (640, 360, [150, 180])):
        for data in encoded(codec, width, height, brightness):
            (frame,) = decoder.decode(codec, data, 3000 * len(seen))
            luma = frame.to_ndarray()[:height].mean()
            seen.append((frame.pts, frame.width, frame.format.name, round(float(luma) / 30)))
    assert seen == [
        (0, 320, "yuv420p", 2),
        (3000, 320, "yuv420p", 3),
        (6000, 320, "yuv420p", 4),
        (9000, 640, "yuv420p", 5),
        (12000, 640, "yuv420p", 6),
    ]


def test_the_codec_may_change() -> None:
    decoder = VideoDecoder(on_card=False)
    for codec in ("VP8", "H264", "VP8"):
        (data,) = encoded(codec, 320, 180, [100])
        (frame,) = decoder.decode(codec, data, 0)
        assert (frame.width, frame.height) == (320, 180)


@pytest.mark.parametrize("codec", OPTIONS)
def test_what_cannot_be_decoded_is_an_error_and_the_next_key_frame_mends_it(codec: str) -> None:
    decoder = VideoDecoder(on_card=False)
    with pytest.raises(av.FFmpegError):
        decoder.decode(codec, b"\0\0\1\x65nonsense", 0)
    (data,) = encoded(codec, 320, 180, [100])
    (frame,) = decoder.decode(codec, data, 3000)
    assert frame.width == 320
