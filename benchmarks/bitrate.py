"""What each effect does to the size of the encoded film: `python -m benchmarks.bitrate [FILM …]`.

Every film is encoded untouched and with each effect at a fixed quantiser by the encoders and with
the settings of live sessions, the eyes fixating one place after the other. In the sharp disc around
the gaze the picture's quality (PSNR of luma against the untouched film, the same disc for both) is
measured; the untouched film is encoded with neighbouring quantisers, too, and what it takes at the
very quality that the effect has there is interpolated.

Then blur once more at a constant bitrate, by the live encoder of H.264, which is told where detail
was taken away and uses a coarser quantiser there: what that gains in the disc.
"""

import argparse
import itertools
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from gaze.frames.planes import planes_of
from gaze.media.decode import open_film, pictures
from gaze.rtc.codecs import libx264
from tools.demo_film import make_demo

RATE_FPS = 30
DISC = 0.15
"""Radius, in picture heights, of what blur leaves untouched by default."""
UNCERTAINTY = 0.02
NOISE = 0.004

EFFECTS: dict[str, list[dict[str, Any]]] = {
    "blur": [{"name": "blur"}],
    "blur visible": [{"name": "blur", "model": "visible"}],
    "blur perceptual": [{"name": "blur", "model": "perceptual"}],
    "zoom": [{"name": "zoom", "mode": "follow"}],
    "spotlight": [{"name": "spotlight"}],
    "pixelate": [{"name": "pixelate"}],
    "grade": [{"name": "grade"}],
    "cursor": [{"name": "cursor"}],
    "trail": [{"name": "trail"}],
    "heatmap": [{"name": "heatmap"}],
    "guide": [{"name": "guide", "near": 0.02}],
}
SAME_DISC = ("blur", "spotlight", "pixelate")
"""Effects that leave the disc alone, so that its quality can be compared."""

SPEED, LEVEL_IDC = 2, 51
SCARCE = 0.35
"""Share of what the untouched film takes that is there at a constant bitrate."""

Point = tuple[float, float]
Frames = Sequence[av.VideoFrame]


def looks(frames: int, seed: int = 5) -> Iterator[GazeState]:
    """Fixations of 0.25 to 0.6 s around the middle, with a tracker's noise."""
    rng = np.random.default_rng(seed)
    place, until = np.array([0.5, 0.5]), 0
    for index in range(frames):
        if index >= until:
            place = np.clip(rng.normal(0.5, 0.18, 2), 0.1, 0.9)
            until = index + round(rng.uniform(0.25, 0.6) * RATE_FPS)
        x, y = place + rng.normal(0, NOISE, 2)
        yield GazeState(index / RATE_FPS, (float(x), float(y)), UNCERTAINTY, picture_deg=30.0)


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoder at fixed quantisers."""

    name: str
    decoder: str
    quantiser: int
    step: int
    """To the neighbouring quantisers."""
    options: Callable[[int], dict[str, str]]


CODECS = {
    "H264": Codec(
        "libx264",
        "h264",
        27,
        3,
        lambda q: {"qp": str(q), "preset": "superfast", "tune": "zerolatency"},
    ),
    "VP8": Codec(
        "libvpx",
        "vp8",
        28,
        8,
        lambda q: {
            "qmin": str(q),
            "qmax": str(q),
            "b": "20M",
            "deadline": "realtime",
            "cpu-used": "-6",
            "lag-in-frames": "0",
            "static-thresh": "1",
        },
    ),
}


def encode(codec: Codec, quantiser: int, frames: Frames) -> tuple[float, list[av.VideoFrame]]:
    """Return the bits a frame, without the first (a key frame), and the decoded frames."""
    encoder: Any = av.CodecContext.create(codec.name, "w")
    encoder.width, encoder.height, encoder.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, RATE_FPS), Fraction(RATE_FPS)
    encoder.gop_size, encoder.thread_count = 3000, 1
    encoder.options = codec.options(quantiser)
    decoder: Any = av.CodecContext.create(codec.decoder, "r")
    sizes, decoded = [], []
    for index, frame in enumerate(frames):
        frame.pts, frame.time_base = index, Fraction(1, RATE_FPS)
        frame.pict_type = av.video.frame.PictureType.NONE
        for packet in encoder.encode(frame):
            sizes.append(packet.size)
            decoded += decoder.decode(packet)
    for packet in encoder.encode(None):
        sizes.append(packet.size)
        decoded += decoder.decode(packet)
    decoded += decoder.decode(None)
    return 8 * float(np.mean(sizes[1:])), decoded


def disc_psnr(frames: Frames, decoded: Frames, points: Sequence[Point]) -> float:
    """Return the PSNR of luma, in dB, in the disc around the point of gaze, over all frames."""
    error, count = 0.0, 0
    for frame, coded, point in zip(frames, decoded, points, strict=True):
        inside = disc(frame.height, frame.width, point)
        off = luma(frame)[inside].astype(float) - luma(coded)[inside]
        error, count = error + float(np.sum(off * off)), count + off.size
    return 10 * math.log10(255**2 * count / max(error, 1e-9))


def luma(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """The Y plane."""
    return planes_of(frame, writable=False).y


def disc(height: int, width: int, point: Point) -> npt.NDArray[np.bool_]:
    """Where the picture is sharp."""
    y, x = np.ogrid[0:height, 0:width]
    away = np.hypot(x - point[0] * width, y - point[1] * height)
    return np.asarray(away <= DISC * height)


def with_effect(specs: list[dict[str, Any]], frames: Frames, gazes: Sequence[GazeState]) -> Frames:
    """The frames as they are returned to a viewer; `opaque` says where they were softened."""
    chain = Chain(specs)
    drawn = []
    for frame, gaze in zip(frames, gazes, strict=True):
        chain.update(gaze, gaze.t_s)
        made = chain.apply(frame, gaze, gaze.t_s)
        if made is not frame:
            made.opaque = chain.softened
        drawn.append(made)
    return drawn


def live(frames: Frames, bitrate_bps: float, *, told: bool) -> tuple[float, list[av.VideoFrame]]:
    """As `encode`, by the live encoder of H.264 at a constant bitrate."""
    size = frames[0].width, frames[0].height
    encoder = libx264.H264Encoder(*size, bitrate_bps, SPEED, level_idc=LEVEL_IDC)
    decoder: Any = av.CodecContext.create("h264", "r")
    sizes, decoded = [], []
    for frame in frames:
        data = encoder.encode(frame, softened=frame.opaque if told else None).data
        sizes.append(len(data))
        decoded += decoder.decode(av.Packet(data))
    decoded += decoder.decode(None)
    return 8 * float(np.mean(sizes[1:])), decoded


def at_quality(curve: Sequence[tuple[float, float]], psnr_db: float) -> float:
    """Bits at a quality, from (PSNR, bits) of several quantisers: straight lines in log bits."""
    known = sorted(curve)
    qualities = [quality for quality, _ in known]
    logs = [math.log2(bits) for _, bits in known]
    return float(2 ** np.interp(psnr_db, qualities, logs))


def film_frames(path: Path, count: int) -> list[av.VideoFrame]:
    """The first frames of a film as the server decodes them."""
    with open_film(path) as container:
        return [picture.frame for picture in itertools.islice(pictures(container, 0.0), count)]


def measure(name: str, frames: Frames, names: Sequence[str]) -> dict[str, float]:
    """Print one film's table and return its figures."""
    gazes = list(looks(len(frames)))
    points = [gaze.shown for gaze in gazes if gaze.shown is not None]
    drawn = {effect: with_effect(EFFECTS[effect], frames, gazes) for effect in {*names, "blur"}}
    print(f"\n{name}: {frames[0].width}x{frames[0].height}, {len(frames)} frames")
    figures: dict[str, float] = {}
    untouched_bps = {}
    for label, codec in CODECS.items():
        curve = []
        for quantiser in (codec.quantiser + k * codec.step for k in (-1, 0, 1)):
            bits, decoded = encode(codec, quantiser, frames)
            curve.append((disc_psnr(frames, decoded, points), bits))
        psnr_db, whole = curve[1]
        untouched_bps[label] = whole * RATE_FPS
        mbps = untouched_bps[label] / 1e6
        print(f"{label} q {codec.quantiser}: untouched {mbps:.2f} Mbit/s, disc {psnr_db:.1f} dB")
        for effect in names:
            bits, decoded = encode(codec, codec.quantiser, drawn[effect])
            line = f"  {effect:16}{bits / whole:6.2f} of the bits"
            key = f"{name}_{label}_{effect}".replace(" ", "_").lower()
            figures[f"{key}_bits"] = round(bits / whole, 4)
            if effect in SAME_DISC:
                own_db = disc_psnr(frames, decoded, points)
                same = bits / at_quality(curve, own_db)
                figures[f"{key}_bits_at_equal_quality"] = round(same, 4)
                line += f", disc {own_db:.1f} dB: {same:.2f} at that quality"
            print(line)
    bitrate_bps = SCARCE * untouched_bps["H264"]
    print(f"H264 at {bitrate_bps / 1e6:.2f} Mbit/s, live encoder")
    for row, shown, told in (
        ("untouched", frames, False),
        ("blur", drawn["blur"], False),
        ("blur, told where", drawn["blur"], True),
    ):
        bits, decoded = live(shown, bitrate_bps, told=told)
        own_db = disc_psnr(frames, decoded, points)
        key = f"{name}_live_{row}_db".replace(",", "").replace(" ", "_").lower()
        figures[key] = round(own_db, 2)
        print(f"  {row:16}{bits * RATE_FPS / 1e6:6.2f} Mbit/s, disc {own_db:.1f} dB")
    return figures


def main() -> None:
    """Print a table for each film."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("films", nargs="*", type=Path, help="films; by default the demo film")
    parser.add_argument("--effects", nargs="+", default=list(EFFECTS), choices=EFFECTS)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        films = options.films
        if not films:
            films = [Path(folder) / "demo.mp4"]
            make_demo(films[0])
        for film in films:
            frames = film_frames(film, options.frames)
            figures |= measure(film.stem, frames, options.effects)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
