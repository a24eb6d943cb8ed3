"""Small films that tests make: detail that is the same all over, coded time, a tone."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

RATE_FPS = 30
SOUND_HZ = 48_000


def texture(width: int, height: int, seed: int = 7) -> npt.NDArray[np.uint8]:
    """Grey noise of blobs about four pixels wide, equally detailed everywhere, (height, width)."""
    noise = np.random.default_rng(seed).standard_normal((height, width)).astype(np.float32)
    blobs = cv2.GaussianBlur(noise, (0, 0), 1.6)
    return np.clip(128 + 45 * blobs / blobs.std(), 16, 235).astype(np.uint8)


def grid(width: int, height: int, step: int = 40) -> npt.NDArray[np.uint8]:
    """Bright dots on dark ground every `step` pixels, (height, width)."""
    picture = np.full((height, width), 40, np.uint8)
    for y in range(step // 2, height, step):
        for x in range(step // 2, width, step):
            cv2.circle(picture, (x, y), 5, 220, -1, cv2.LINE_AA)
    return picture


def progress_of(grey: npt.NDArray[np.uint8]) -> float:
    """The share of the film that is over, read from the bar that `make_film` draws at the top."""
    row = grey[: max(4, grey.shape[0] // 40)].mean(axis=0) > 128
    return float(row.mean())


def dots(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Centres (x, y) of the bright dots below the bar, shape (n, 2), pixels."""
    _, bright = cv2.threshold(grey, 130, 255, cv2.THRESH_BINARY)
    bright[: grey.shape[0] // 10] = 0
    _, _, stats, centres = cv2.connectedComponentsWithStats(bright)
    return centres[1:][stats[1:, cv2.CC_STAT_AREA] > 20]


def spacing(centres: npt.NDArray[np.float64]) -> float:
    """Median distance from a dot to its nearest neighbour, in pixels."""
    apart = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    return float(np.median(apart.min(axis=0)))


def sharpness(grey: npt.NDArray[np.uint8], shown: tuple[float, float], radius: int = 40) -> float:
    """Variance of the Laplacian around a place given as fractions of the picture."""
    x, y = round(shown[0] * grey.shape[1]), round(shown[1] * grey.shape[0])
    patch = grey[max(0, y - radius) : y + radius, max(0, x - radius) : x + radius]
    return float(cv2.Laplacian(patch.astype(np.float32), cv2.CV_32F).var())


def make_film(
    path: Path,
    picture: npt.NDArray[np.uint8],
    duration_s: float = 20.0,
    *,
    tone_hz: float | None = 440.0,
) -> Path:
    """A film of a still picture under a bar that grows from left to right with time.

    H.264 and AAC, or VP8 and Opus where the file's name ends in `.webm`.
    """
    webm = path.suffix == ".webm"
    height, width = picture.shape
    frames = round(duration_s * RATE_FPS)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libvpx" if webm else "libx264", rate=RATE_FPS)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.options = (
            # More threads than one spin while they wait for each other.
            {"deadline": "realtime", "cpu-used": "8", "b": "8M", "threads": "1"}
            if webm
            else {"preset": "ultrafast", "crf": "18"}
        )
        codec = "libopus" if webm else "aac"
        sound = container.add_stream(codec, rate=SOUND_HZ, layout="stereo") if tone_hz else None
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        bar_height = max(8, height // 20)
        for index in range(frames):
            planes[:height] = picture
            planes[:bar_height] = 16
            planes[:bar_height, : round(width * index / frames)] = 235
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, RATE_FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None and tone_hz is not None:
            _add_tone(container, sound, duration_s, tone_hz)
    return path


def _add_tone(
    container: av.container.OutputContainer,
    stream: av.AudioStream,
    duration_s: float,
    tone_hz: float,
) -> None:
    samples = 960
    resampler = av.AudioResampler(stream.format, stream.layout, SOUND_HZ)
    for start in range(0, round(duration_s * SOUND_HZ), samples):
        t_s = np.arange(start, start + samples) / SOUND_HZ
        wave = (0.3 * np.sin(2 * np.pi * tone_hz * t_s)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = SOUND_HZ, start
        frame.time_base = Fraction(1, SOUND_HZ)
        for resampled in resampler.resample(frame):
            container.mux(stream.encode(resampled))
    container.mux(stream.encode(None))
