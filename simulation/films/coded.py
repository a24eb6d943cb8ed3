"""Films whose every frame carries its number and every sound sample its position."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RATE_FPS = 25
BITS, BLOCK_PX = 8, 16
SOUND_HZ = 48_000
PER_MS = SOUND_HZ // 1000
SWEEP_HZ_PER_S = 3000


def coded_frame(number: int, width: int = 128, height: int = 72) -> av.VideoFrame:
    """Draw a frame number as eight blocks, bright for 1, the least significant bit at the left.

    Parameters
    ----------
    number : int
        0 to 255.
    width, height : int
        Size in pixels.

    Returns
    -------
    av.VideoFrame
        yuv420p.
    """
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = 16
    for bit in range(BITS):
        if number >> bit & 1:
            planes[:BLOCK_PX, bit * BLOCK_PX : (bit + 1) * BLOCK_PX] = 235
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def number_of(frame: av.VideoFrame) -> int:
    """Read the number that `coded_frame` drew.

    Parameters
    ----------
    frame : av.VideoFrame
        yuv420p, as decoded.
    """
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    blocks = rows[:BLOCK_PX, : BITS * BLOCK_PX].reshape(BLOCK_PX, BITS, BLOCK_PX).mean((0, 2))
    return sum(1 << bit for bit in range(BITS) if blocks[bit] > 128)


def coded_sound(samples: int) -> npt.NDArray[np.int16]:
    """Return sound whose every sample carries its position; lossless codecs preserve it.

    Parameters
    ----------
    samples : int
        Length.

    Returns
    -------
    ndarray, shape (samples, 2), int16
        Left: milliseconds + 1; right: sample within the millisecond + 1.
    """
    index = np.arange(samples)
    return np.asarray(np.stack((index // PER_MS + 1, index % PER_MS + 1), 1), np.int16)


def position_of(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Read the positions that `coded_sound` wrote.

    Parameters
    ----------
    samples : ndarray, shape (n, 2), int16
        Sound.

    Returns
    -------
    ndarray, shape (n,)
        Sample numbers of the film; -1 for silence.
    """
    left, right = samples[:, 0].astype(np.int64), samples[:, 1].astype(np.int64)
    return np.where(left > 0, (left - 1) * PER_MS + right - 1, -1)


def sweeping_sound(samples: int) -> npt.NDArray[np.int16]:
    """Return a tone that rises by `SWEEP_HZ_PER_S` and starts again at 500 Hz every second.

    Its frequency gives the position even after a lossy codec.

    Parameters
    ----------
    samples : int
        Length.

    Returns
    -------
    ndarray, shape (samples, 2), int16
        Both channels equal.
    """
    t_s = np.arange(samples) / SOUND_HZ % 1.0
    wave = 9000 * np.sin(2 * np.pi * (500 * t_s + SWEEP_HZ_PER_S / 2 * t_s**2))
    return np.asarray(np.stack((wave, wave), 1), np.int16)


def swept_s(samples: npt.NDArray[np.int16]) -> float | None:
    """Read the position within the second from the tone of `sweeping_sound`.

    Parameters
    ----------
    samples : ndarray, shape (n, 2)
        A short piece of sound.

    Returns
    -------
    float or None
        Seconds since the sweep started, at the middle of the piece; None for silence.
    """
    mono = samples.astype(float).mean(axis=1)
    if np.sqrt(np.mean(mono**2)) < 2000:
        return None
    power = np.abs(np.fft.rfft(mono * np.hanning(len(mono)), 16 * len(mono)))
    hz = float(np.argmax(power)) * SOUND_HZ / (16 * len(mono))
    return (hz - 500) / SWEEP_HZ_PER_S


def make_coded_film(
    path: Path,
    frames: int = 50,
    *,
    sound: Callable[[int], npt.NDArray[np.int16]] | None = coded_sound,
    size: tuple[int, int] = (128, 72),
    start_s: float = 0.0,
) -> Path:
    """Write a film of coded frames: H.264 with B frames, a keyframe every 12 frames, and PCM sound.

    Parameters
    ----------
    path : Path
        The file.
    frames : int, default 50
        Length, at 25 frames a second.
    sound : callable or None, default coded_sound
        Makes that many samples, shape (n, 2); None for a film without sound.
    size : tuple of int, default (128, 72)
        Width and height in pixels.
    start_s : float, default 0
        First timestamp of both streams.

    Returns
    -------
    Path
        The file.
    """
    width, height = size
    shift = round(start_s * SOUND_HZ)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE_FPS)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.options = {"preset": "superfast", "bf": "2", "g": "12", "crf": "20"}
        audio = (
            container.add_stream("pcm_s16le", rate=SOUND_HZ, layout="stereo")
            if sound is not None
            else None
        )
        per_frame = SOUND_HZ // RATE_FPS
        code = None if sound is None else sound(frames * per_frame)
        for number in range(frames):
            frame = coded_frame(number, width, height)
            frame.pts = number * per_frame + shift
            frame.time_base = Fraction(1, SOUND_HZ)
            container.mux(video.encode(frame))
            if audio is not None and code is not None:
                start = number * per_frame
                block = code[start : start + per_frame].reshape(1, -1)
                samples = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
                samples.sample_rate, samples.pts = SOUND_HZ, start + shift
                samples.time_base = Fraction(1, SOUND_HZ)
                container.mux(audio.encode(samples))
        container.mux(video.encode(None))
    return path
