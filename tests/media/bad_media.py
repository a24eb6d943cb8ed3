"""Files that are no films, and what is said of each when it lies among the hosted films."""

import os
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np

PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\ngood.mkv\n#EXT-X-ENDLIST\n"

Make = Callable[[Path, bytes], object]
"""Makes a bad file at a path; gets the content of a good one."""


def audio_only(path: Path) -> None:
    """A tenth of a second of silence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))


def one_picture(path: Path, width: int, height: int) -> None:
    """A film of a single frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(width, height, "yuvj420p")))
        container.mux(stream.encode(None))


def still_8k(path: Path) -> None:
    """A black picture of 7680x4320."""
    cv2.imwrite(str(path), np.zeros((4320, 7680, 3), np.uint8))


BAD: dict[str, tuple[Make, str]] = {
    "empty.mp4": (lambda path, good: path.write_bytes(b""), "empty, 0 bytes"),
    "text.txt": (lambda path, good: path.write_text("hello\n" * 99), "a text or a still picture"),
    "text.mp4": (lambda path, good: path.write_text("hello\n" * 99), "not a film that can be read"),
    "cut.mkv": (lambda path, good: path.write_bytes(good[: len(good) // 3]), "truncated"),
    "sound.wav": (lambda path, good: audio_only(path), "no video stream"),
    "still.png": (lambda path, good: still_8k(path), "a text or a still picture"),
    "still.jpg": (lambda path, good: still_8k(path), "a text or a still picture"),
    "still.avi": (lambda path, good: one_picture(path, 7680, 4320), "7680x4320 is larger than"),
    "single.avi": (lambda path, good: one_picture(path, 64, 48), "a still picture, or shorter"),
    "list.m3u8": (lambda path, good: path.write_text(PLAYLIST), "refers to other files"),
    "pipe.mkv": (lambda path, good: os.mkfifo(path), "not a file"),
    "away.mkv": (lambda path, good: path.symlink_to("/etc/hostname"), "leads out of the media"),
    "dangling.mkv": (lambda path, good: path.symlink_to(path.parent / "nowhere"), "not a file"),
}
"""By file name: how it is made, and a part of the line that is logged."""
