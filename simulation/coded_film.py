"""Films whose every frame and sample says where in the film it stands, and scripted time."""

import asyncio
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
    """A yuv420p frame with its number as eight blocks, bright for 1, the lowest bit at the left."""
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = 16
    for bit in range(BITS):
        if number >> bit & 1:
            planes[:BLOCK_PX, bit * BLOCK_PX : (bit + 1) * BLOCK_PX] = 235
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def number_of(frame: av.VideoFrame) -> int:
    """The number that `coded_frame` wrote."""
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    blocks = rows[:BLOCK_PX, : BITS * BLOCK_PX].reshape(BLOCK_PX, BITS, BLOCK_PX).mean((0, 2))
    return sum(1 << bit for bit in range(BITS) if blocks[bit] > 128)


def coded_sound(samples: int) -> npt.NDArray[np.int16]:
    """Left: milliseconds + 1, right: sample within the millisecond + 1; (samples, 2)."""
    index = np.arange(samples)
    return np.stack((index // PER_MS + 1, index % PER_MS + 1), 1).astype(np.int16)


def position_of(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """The film's sample numbers that `coded_sound` wrote; -1 for silence."""
    left, right = samples[:, 0].astype(np.int64), samples[:, 1].astype(np.int64)
    return np.where(left > 0, (left - 1) * PER_MS + right - 1, -1)


def sweeping_sound(samples: int) -> npt.NDArray[np.int16]:
    """A tone that rises from 500 Hz by `SWEEP_HZ_PER_S` and begins anew every second; (samples, 2).

    It says where it stands even after a lossy codec.
    """
    t_s = np.arange(samples) / SOUND_HZ % 1.0
    wave = 9000 * np.sin(2 * np.pi * (500 * t_s + SWEEP_HZ_PER_S / 2 * t_s**2))
    return np.stack((wave, wave), 1).astype(np.int16)


def swept_s(samples: npt.NDArray[np.int16]) -> float | None:
    """Seconds since the sweep began, at the middle of these samples, (n, 2); None for silence."""
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
    """25 frames a second, H.264 with B frames and a key frame every 12, untouched PCM sound.

    `sound` makes so many samples of it.
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


class ScriptedTime:
    """Time that stands still until the test moves it."""

    def __init__(self) -> None:
        self.t_s = 1000.0
        self._waiting: list[tuple[float, asyncio.Event]] = []

    def now_s(self) -> float:
        return self.t_s

    async def wait(self, event: asyncio.Event, until_s: float | None) -> None:
        entry = (float("inf") if until_s is None else until_s, event)
        if entry[0] <= self.t_s:
            return
        self._waiting.append(entry)
        try:
            await event.wait()
        finally:
            self._waiting.remove(entry)

    @property
    def next_s(self) -> float:
        """The earliest time that somebody waits for."""
        return min((until_s for until_s, _ in self._waiting), default=float("inf"))

    def move_to(self, t_s: float) -> None:
        """Let time pass; wakes those whose time has come."""
        assert t_s >= self.t_s
        self.t_s = t_s
        for until_s, event in self._waiting:
            if until_s <= t_s:
                event.set()


def open_files() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def settled() -> None:
    """Let every callback and task that can run now do so."""
    for _ in range(8):
        await asyncio.sleep(0)


async def reached(condition: Callable[[], bool]) -> None:
    """Wait for what other threads bring about."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)
    await settled()
