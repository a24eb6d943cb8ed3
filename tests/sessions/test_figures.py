"""The figures of a session."""

from pathlib import Path

import av

from gaze.base.metrics import Metrics, StageTimes
from gaze.effects.chain import Chain
from gaze.frames.latest import LatestValue
from gaze.media.address import Allowed
from gaze.media.library import Library
from gaze.rtc.peer import Peer
from gaze.sessions.figures import Figures
from gaze.sessions.film_composer import FilmComposer
from gaze.sessions.film_playback import FilmPlayback
from gaze.sessions.resume_state import ResumeState


async def test_frames_are_counted_once(films: Path) -> None:
    metrics = Metrics()
    times, peer, chain = StageTimes(metrics), Peer(), Chain([])
    film = FilmPlayback(
        Library(films), Allowed.of([], []), ResumeState(effects=[]), lambda message: None
    )
    composer = FilmComposer(chain, film, times, (640, 480), lambda message: None)
    figures = Figures(metrics, times, peer, film, chain, composer)
    camera: LatestValue[av.VideoFrame] = LatestValue()
    peer.camera = camera
    for _ in range(3):
        camera.put(av.VideoFrame(16, 16, "yuv420p"))
    figures.count_frames()
    figures.count_frames()
    assert b'gaze_frames_total{fate="in",stream="camera"} 3.0' in metrics.scrape()
    assert b'gaze_frames_total{fate="out",stream="camera"} 1.0' in metrics.scrape()
    assert b'gaze_frames_total{fate="dropped",stream="camera"} 2.0' in metrics.scrape()
    await peer.close()
