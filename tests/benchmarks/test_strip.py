"""Frame numbers drawn into a film: read back after blur and a codec, or not at all."""

from fractions import Fraction

import av
import numpy as np
import pytest

from benchmarks import strip
from benchmarks.material import film_lumas
from gaze.effects.chain import Chain
from gaze.effects.state import GazeState

PACKET_BYTES = 1200
TICK = Fraction(1, 30)


TICK = Fraction(1, 30)


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (320, 180), (1279, 719)])
def test_every_number_can_be_read(size: tuple[int, int]) -> None:
    luma = np.full(size[::-1], 128, np.uint8)
    for value in (0, 1, 299, 32_768, strip.NUMBERS - 1):
        strip.write(luma, value)
        assert strip.read(luma) == value
    strip.write(luma, strip.NUMBERS + 5)
    assert strip.read(luma) == 5


def test_pictures_without_a_valid_strip_give_no_number() -> None:
    assert strip.read(np.full((360, 640), 16, np.uint8)) is None
    assert strip.read(np.full((360, 640), 235, np.uint8)) is None
    noise = np.random.default_rng(1).integers(0, 256, (360, 640)).astype(np.uint8)
    assert strip.read(noise) is None
    luma = np.full((360, 640), 128, np.uint8)
    strip.write(luma, 77)
    luma[:, : 640 // strip.CELLS] = 235  # the highest bit turned over
    assert strip.read(luma) is None


def test_the_strip_survives_blur_and_a_poor_encoder() -> None:
    chain = Chain([{"name": "blur", "strength": 1.0}])
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.bit_rate, encoder.time_base = 250_000, TICK
    encoder.options = {"deadline": "realtime", "cpu-used": "-12", "lag-in-frames": "0"}
    decoder = av.CodecContext.create("vp8", "r")
    read = []
    for index, luma in enumerate(film_lumas(640, 360, 12)):
        planes = np.full((540, 640), 128, np.uint8)
        planes[:360] = luma
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        gaze = GazeState(t_s=index / 30, shown=(0.5, 0.95))
        chain.update(gaze, index / 30)
        drawn = chain.apply(frame, gaze, index / 30)
        drawn.pts, drawn.time_base = index, TICK
        for packet in encoder.encode(drawn):
            read += [strip.read(strip.luma_of(back)) for back in decoder.decode(packet)]
    assert read == list(range(12))
