"""What is sent in the benchmarks: a film with time strips and a viewer's camera, encoded once.

The film is a landscape of blobs that glides by, with film grain: detail everywhere, as hard to
encode as lively footage. It loops. Encoded once per size, so that a client that sends it spends
nothing on encoding, and whatever is measured beside it is the server's.
"""

import asyncio
import fractions
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from benchmarks import strip
from simulation.films import texture
from simulation.viewers import frames as viewer_frames

RATE_FPS = 30
LOOP_S = 10
KEY_EVERY = 30  # frames: a client that cannot encode cannot make one when asked
FOLDER = Path(tempfile.gettempdir()) / "gaze-benchmarks"
CAMERA_SCENES = [(3.0, {"iris": (6.0, 0.0)}), (3.0, {"iris": (-6.0, 0.0)}), (4.0, {})]

Plane = npt.NDArray[np.uint8]


def film_lumas(width: int, height: int, count: int) -> Iterator[Plane]:
    """The film's luma planes (height, width), each with its number in the strip."""
    glide = 2  # pixels a frame
    span = 512
    big = cv2.resize(texture((width + span) // 2, height // 2), (width + span, height))
    grain = np.random.default_rng(3).normal(0, 3, (height + 64, width + 64)).astype(np.int16)
    random = np.random.default_rng(4)
    for index in range(count):
        way = index * glide % (2 * span)
        x = way if way < span else 2 * span - way - 1
        dy, dx = random.integers(0, 64, 2)
        picture = big[:, x : x + width] + grain[dy : dy + height, dx : dx + width]
        luma = np.clip(picture, 16, 235).astype(np.uint8)
        strip.write(luma, index)
        yield luma


def film_frames(width: int, height: int, count: int) -> Iterator[av.VideoFrame]:
    """The film's frames, yuv420p, grey."""
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    for luma in film_lumas(width, height, count):
        planes[:height] = luma
        yield av.VideoFrame.from_ndarray(planes, format="yuv420p")


def camera_frames() -> Iterator[av.VideoFrame]:
    """Ten seconds of a viewer who looks left, right and ahead, 640x480."""
    for image in viewer_frames(CAMERA_SCENES, RATE_FPS):
        yield av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")


def _encoded(source: Iterator[av.VideoFrame], bitrate_bps: int, key_every: int) -> list[bytes]:
    """VP8 packets, one for each frame, the first and each so many a key frame."""
    first = next(source)
    context = av.CodecContext.create("libvpx", "w")
    context.width, context.height, context.pix_fmt = first.width, first.height, "yuv420p"
    context.bit_rate, context.time_base = bitrate_bps, fractions.Fraction(1, RATE_FPS)
    context.framerate, context.gop_size = fractions.Fraction(RATE_FPS), key_every
    context.options = {
        "deadline": "realtime",
        "cpu-used": "-8",
        "lag-in-frames": "0",
        "minrate": str(bitrate_bps),
        "maxrate": str(bitrate_bps),
        "bufsize": str(bitrate_bps // 2),
        "max-intra-rate": "400",
    }
    packets: list[bytes] = []
    for index, frame in enumerate([first, *source]):
        frame.pts, frame.time_base = index, context.time_base
        packets.extend(bytes(packet) for packet in context.encode(frame))
    packets.extend(bytes(packet) for packet in context.encode(None))
    return packets


def _kept(
    name: str, make: Iterator[av.VideoFrame], bitrate_bps: int, key_every: int = KEY_EVERY
) -> list[bytes]:
    """Encoded packets, kept in a file from one benchmark to the next."""
    keys = "" if key_every == KEY_EVERY else f"-key{key_every}"
    path = FOLDER / f"{name}-{bitrate_bps // 1000}k{keys}.npz"
    if not path.exists():
        FOLDER.mkdir(exist_ok=True)
        packets = _encoded(make, bitrate_bps, key_every)
        lengths = np.array([len(packet) for packet in packets])
        with path.with_suffix(".part").open("wb") as file:
            np.savez(file, lengths=lengths, data=np.frombuffer(b"".join(packets), np.uint8))
        path.with_suffix(".part").replace(path)
    with np.load(path) as stored:
        data, ends = stored["data"].tobytes(), np.cumsum(stored["lengths"])
    return [data[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


@cache
def film(width: int, height: int, bitrate_bps: int, key_every: int = KEY_EVERY) -> list[bytes]:
    """The film's loop as VP8 packets."""
    source = film_frames(width, height, LOOP_S * RATE_FPS)
    return _kept(f"film-{width}x{height}", source, bitrate_bps, key_every)


@cache
def camera(bitrate_bps: int = 1_000_000) -> list[bytes]:
    """The camera's loop as VP8 packets."""
    return _kept("camera", camera_frames(), bitrate_bps)


def film_file(width: int, height: int, seconds: float, suffix: str = ".webm") -> Path:
    """The film as a file, numbered from 0 on: VP8 for browsers, H.264 (.mp4) to be hosted."""
    path = FOLDER / f"film-{width}x{height}-{seconds:g}s{suffix}"
    if path.exists():
        return path
    FOLDER.mkdir(exist_ok=True)
    part = path.with_name("part-" + path.name)
    with av.open(str(part), "w") as container:
        webm = suffix == ".webm"
        video = container.add_stream("libvpx" if webm else "libx264", rate=RATE_FPS)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.options = (
            {"deadline": "realtime", "cpu-used": "8", "b": "8M", "threads": "1"}
            if webm
            else {"preset": "superfast", "crf": "20", "g": "60"}
        )
        for index, frame in enumerate(film_frames(width, height, round(seconds * RATE_FPS))):
            frame.pts, frame.time_base = index, fractions.Fraction(1, RATE_FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return part.replace(path)


class LoopTrack(MediaStreamTrack):
    """Sends encoded packets in a loop at 30 a second, and remembers when.

    aiortc sends such packets as they
    are: no encoder stands between the time noted here and the first packet on the wire.
    """

    kind = "video"

    def __init__(self, packets: list[bytes]) -> None:
        super().__init__()
        self.sent_s: list[float] = []
        self._packets = packets
        self._index = 0
        self._start_s: float | None = None

    async def recv(self) -> av.Packet:
        if self._start_s is None:
            self._start_s = time.monotonic()
        due_s = self._start_s + self._index / RATE_FPS
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        if self.readyState != "live":
            raise MediaStreamError
        number = self._index % len(self._packets)
        packet = av.Packet(self._packets[number])
        packet.pts, packet.time_base = self._index, fractions.Fraction(1, RATE_FPS)
        self._index += 1
        self.sent_s.append(time.monotonic())
        return packet


def since_sent(
    returned: Iterable[tuple[int | None, float]], sent_s: Sequence[float], loop: int
) -> list[tuple[float, float]]:
    """When each frame of a looped film came back, and how long it had been away.

    Frames come back in the order in which they were sent, and never a whole loop is missing, so
    each number is the next frame of that number; repeats and unreadable frames are passed over.

    Args:
        returned: numbers in the film and times, as they came.
        sent_s: when each frame was sent, loop after loop.
        loop: how many frames the film has.
    """
    trips: list[tuple[float, float]] = []
    index = -1
    for number, arrived_s in returned:
        if number is None or number == index % loop:
            continue
        index += (number - index) % loop
        if index < len(sent_s) and sent_s[index] < arrived_s:
            trips.append((arrived_s, arrived_s - sent_s[index]))
    return trips
