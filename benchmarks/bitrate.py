"""What each effect does to the size of the encoded film: `python -m benchmarks.bitrate [FILM …]`.

Unit: bitrate relative to the untouched film, and PSNR of luma in dB. Peer: the untouched film.
Every film is encoded untouched and with each effect at a fixed quantizer by the encoders and with
the settings of live sessions, while the eyes fixate one point after another. The PSNR is that of
the sharp disc around the point of gaze against the untouched film, the same disc for both; the
untouched film is also encoded with neighbouring quantizers, and its bitrate at the very PSNR that
an effect has there is interpolated ("bitrate at equal PSNR").

Then blur once more at a constant bitrate, by the live H.264 encoder, which gets quantizer offsets
where detail was removed: what these gain in the disc.
"""

import itertools
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

from benchmarks.report import arguments, write_figures
from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from gaze.frames.planes import planes_of
from gaze.media.decode import pictures
from gaze.media.film_file import open_film
from gaze.rtc.codecs.libx264_encoder import H264Encoder
from tools.demo_film import make_demo

RATE_FPS = 30
DISC_RADIUS = 0.15  # picture heights; what blur leaves untouched by default
UNCERTAINTY, NOISE = 0.02, 0.004  # of the tracker, in picture widths; chosen by hand

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
"""Effects that leave the disc untouched, so that its quality can be compared."""

SPEED, LEVEL_IDC = 2, 51  # preset of the live encoder; H.264 level 5.1
SCARCE = 0.35  # constant bitrate as a share of what the untouched film takes

Point = tuple[float, float]
Frames = Sequence[av.VideoFrame]


def fixations(frames: int, seed: int = 5) -> Iterator[GazeState]:
    """Yield gaze states: fixations of 0.25 to 0.6 s around the middle, with a tracker's noise.

    Parameters
    ----------
    frames : int
        How many, at `RATE_FPS`.
    seed : int, default 5
        Of the fixations and the noise.
    """
    rng = np.random.default_rng(seed)
    fixated, until = np.array([0.5, 0.5]), 0
    for index in range(frames):
        if index >= until:
            fixated = np.clip(rng.normal(0.5, 0.18, 2), 0.1, 0.9)
            until = index + round(rng.uniform(0.25, 0.6) * RATE_FPS)
        x, y = fixated + rng.normal(0, NOISE, 2)
        yield GazeState(index / RATE_FPS, (float(x), float(y)), UNCERTAINTY, picture_deg=30.0)


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoder at a fixed quantizer.

    Attributes
    ----------
    name, decoder : str
        FFmpeg's names.
    quantiser : int
        The quantizer.
    step : int
        To the neighbouring quantizers of the rate-distortion curve.
    options : callable
        FFmpeg's options for a quantizer.
    """

    name: str
    decoder: str
    quantiser: int
    step: int
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
    """Encode frames at a fixed quantizer, and decode them again.

    Parameters
    ----------
    codec : Codec
        Which encoder.
    quantiser : int
        Its quantizer.
    frames : sequence of av.VideoFrame
        The film.

    Returns
    -------
    bits : float
        Mean size of a frame, without the first (a keyframe).
    decoded : list of av.VideoFrame
        The decoded frames.
    """
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
    """Return the PSNR of luma, in dB, in the disc around the point of gaze, over all frames.

    Parameters
    ----------
    frames, decoded : sequence of av.VideoFrame
        Before and after the codec.
    points : sequence of (float, float)
        Points of gaze, as fractions of the picture.
    """
    error, count = 0.0, 0
    for frame, coded, point in zip(frames, decoded, points, strict=True):
        inside = disc(frame.height, frame.width, point)
        off = luma(frame)[inside].astype(float) - luma(coded)[inside]
        error, count = error + float(np.sum(off * off)), count + off.size
    return 10 * math.log10(255**2 * count / max(error, 1e-9))


def luma(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """Return the Y plane, a view.

    Parameters
    ----------
    frame : av.VideoFrame
        yuv420p.
    """
    return planes_of(frame, writable=False).y


def disc(height: int, width: int, point: Point) -> npt.NDArray[np.bool_]:
    """Return where the picture stays sharp.

    Parameters
    ----------
    height, width : int
        Of the picture, px.
    point : (float, float)
        Point of gaze, as fractions of the picture.

    Returns
    -------
    ndarray, shape (height, width), bool
        True in the disc.
    """
    y, x = np.ogrid[0:height, 0:width]
    away = np.hypot(x - point[0] * width, y - point[1] * height)
    return np.asarray(away <= DISC_RADIUS * height)


def with_effect(specs: list[dict[str, Any]], frames: Frames, gazes: Sequence[GazeState]) -> Frames:
    """Apply effects to a film; `opaque` of each changed frame says where it was softened.

    Parameters
    ----------
    specs : list of dict
        Effects, as in a request.
    frames : sequence of av.VideoFrame
        The film.
    gazes : sequence of GazeState
        One for each frame.

    Returns
    -------
    list of av.VideoFrame
        As they are returned to a viewer.
    """
    chain = Chain(specs)
    drawn = []
    for frame, gaze in zip(frames, gazes, strict=True):
        chain.update(gaze, gaze.t_s)
        result = chain.apply(frame, gaze, gaze.t_s)
        if result is not frame:
            result.opaque = chain.softened
        drawn.append(result)
    return drawn


def encode_live(
    frames: Frames, bitrate_bps: float, *, softened: bool
) -> tuple[float, list[av.VideoFrame]]:
    """Encode frames with the live H.264 encoder at a constant bitrate, and decode them again.

    Parameters
    ----------
    frames : sequence of av.VideoFrame
        The film.
    bitrate_bps : float
        The bitrate.
    softened : bool
        Whether the encoder gets the frames' softened areas for quantizer offsets.

    Returns
    -------
    bits : float
        Mean size of a frame, without the first (a keyframe).
    decoded : list of av.VideoFrame
        The decoded frames.
    """
    size = frames[0].width, frames[0].height
    encoder = H264Encoder(*size, bitrate_bps, SPEED, level_idc=LEVEL_IDC)
    decoder: Any = av.CodecContext.create("h264", "r")
    sizes, decoded = [], []
    for frame in frames:
        coarser: Any = frame.opaque if softened else None
        data = encoder.encode(frame, softened=coarser).data
        sizes.append(len(data))
        decoded += decoder.decode(av.Packet(data))
    decoded += decoder.decode(None)
    return 8 * float(np.mean(sizes[1:])), decoded


def at_quality(curve: Sequence[tuple[float, float]], psnr_db: float) -> float:
    """Interpolate a rate-distortion curve, linearly in the logarithm of the bits.

    Parameters
    ----------
    curve : sequence of (float, float)
        PSNR and bits of several quantizers.
    psnr_db : float
        The quality.

    Returns
    -------
    float
        Bits at that quality.
    """
    known = sorted(curve)
    qualities = [quality for quality, _ in known]
    logs = [math.log2(bits) for _, bits in known]
    return float(2 ** np.interp(psnr_db, qualities, logs))


def film_frames(path: Path, count: int) -> list[av.VideoFrame]:
    """Return the first frames of a film as the server decodes them.

    Parameters
    ----------
    path : Path
        The film.
    count : int
        How many.
    """
    with open_film(path) as container:
        return [picture.frame for picture in itertools.islice(pictures(container, 0.0), count)]


def measure(name: str, frames: Frames, names: Sequence[str]) -> dict[str, float]:
    """Print one film's table and return its figures.

    Parameters
    ----------
    name : str
        Of the film.
    frames : sequence of av.VideoFrame
        The film.
    names : sequence of str
        Effects, keys of `EFFECTS`.

    Returns
    -------
    dict of str to float
        By film, codec and effect.
    """
    gazes = list(fixations(len(frames)))
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
        print(f"{label}, q {codec.quantiser}: untouched {mbps:.2f} Mbit/s, {psnr_db:.1f} dB")
        print(f"  {'effect':16}{'bitrate':>8}{'PSNR':>10}{'bitrate at equal PSNR':>23}")
        for effect in names:
            bits, decoded = encode(codec, codec.quantiser, drawn[effect])
            line = f"  {effect:16}{bits / whole:8.2f}"
            key = f"{name}_{label}_{effect}".replace(" ", "_").lower()
            figures[f"{key}_bits"] = round(bits / whole, 4)
            if effect in SAME_DISC:
                own_db = disc_psnr(frames, decoded, points)
                same = bits / at_quality(curve, own_db)
                figures[f"{key}_bits_at_equal_quality"] = round(same, 4)
                line += f"{own_db:7.1f} dB{same:23.2f}"
            print(line)
    bitrate_bps = SCARCE * untouched_bps["H264"]
    print(f"H264, live encoder at a constant {bitrate_bps / 1e6:.2f} Mbit/s")
    print(f"  {'':30}{'Mbit/s':>8}{'PSNR':>10}")
    for key, row, shown, softened in (
        ("untouched", "untouched", frames, False),
        ("blur", "blur", drawn["blur"], False),
        ("blur_told_where", "blur, quantizer offsets", drawn["blur"], True),
    ):
        bits, decoded = encode_live(shown, bitrate_bps, softened=softened)
        own_db = disc_psnr(frames, decoded, points)
        figures[f"{name}_live_{key}_db".replace(" ", "_").lower()] = round(own_db, 2)
        print(f"  {row:30}{bits * RATE_FPS / 1e6:8.2f}{own_db:7.1f} dB")
    return figures


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every film, print the tables and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "bitrate")
    parser.add_argument("films", nargs="*", type=Path, help="default: the demo film")
    parser.add_argument("--effects", nargs="+", default=list(EFFECTS), choices=EFFECTS)
    parser.add_argument("--frames", type=int, default=90, help="of each film, default 90")
    options = parser.parse_args(argv)
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
    write_figures(figures, options.json)


if __name__ == "__main__":
    main()
