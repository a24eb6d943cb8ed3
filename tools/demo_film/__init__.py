"""Makes the demo film, so that there is something to watch on the first day."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tools.demo_film.canvas import DURATION_S, HEIGHT, RATE_FPS, WIDTH
from tools.demo_film.music import SAMPLE_RATE_HZ, music
from tools.demo_film.scene import Scene

_X264 = {
    "preset": "veryfast",
    "crf": "24",
    "maxrate": "2800k",
    "bufsize": "5600k",
    "g": str(2 * RATE_FPS),
}


def make_demo(path: Path, duration_s: int = DURATION_S) -> None:
    """Write the film (1280x720, H.264 and AAC in MP4); `path` is there only when it is whole.

    Missing folders are made. The 30 s take about 20 s on two cores.

    Raises:
        OSError: the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        _write(unfinished, duration_s)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write(path: Path, duration_s: int) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=RATE_FPS, options=_X264)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE_HZ, bit_rate=128_000)
        sound = music(duration_s)
        scene = Scene()
        per_frame = SAMPLE_RATE_HZ // RATE_FPS
        for index in range(duration_s * RATE_FPS):
            container.mux(video.encode(_video_frame(scene.frame(index), index)))
            start = index * per_frame
            container.mux(audio.encode(_audio_frame(sound[start : start + per_frame], start)))
        container.mux(video.encode())
        container.mux(audio.encode())


def _video_frame(image: NDArray[np.uint8], index: int) -> av.VideoFrame:
    planes = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), np.uint8)
    frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
    frame.pts, frame.time_base = index, Fraction(1, RATE_FPS)
    return frame


def _audio_frame(samples: NDArray[np.int16], start: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "stereo")
    frame.sample_rate = SAMPLE_RATE_HZ
    frame.pts, frame.time_base = start, Fraction(1, SAMPLE_RATE_HZ)
    return frame
