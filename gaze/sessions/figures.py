"""A connection's figures, for `stats` and `GET /api/sessions/{id}`, and its frame counters."""

import time
from typing import Any

from gaze.base.metrics import Metrics, StageTimes
from gaze.effects.chain import Chain
from gaze.rtc.peer import Peer
from gaze.sessions.film_composer import FilmComposer
from gaze.sessions.film_playback import FilmPlayback
from gaze.tracking.pool import RemoteTracker


class Figures:
    """Reads the figures of one connection's parts.

    Parameters
    ----------
    metrics : Metrics
        Takes the frames counted.
    times : StageTimes
        How long each stage takes.
    peer, film, chain, composer
        The connection's parts.

    Attributes
    ----------
    tracker : RemoteTracker or None
        The one that follows the eyes, if any.
    """

    def __init__(
        self,
        metrics: Metrics,
        times: StageTimes,
        peer: Peer,
        film: FilmPlayback,
        chain: Chain,
        composer: FilmComposer,
    ) -> None:
        self.tracker: RemoteTracker | None = None
        self._metrics = metrics
        self._times = times
        self._peer = peer
        self._film = film
        self._chain = chain
        self._composer = composer
        self._counted: dict[tuple[str, str], int] = {}

    def as_json(self) -> dict[str, Any]:
        """Return the members of `stats`: frames, latencies, gaze age, eyes and transport."""
        now_s = time.monotonic()
        gaze, perclos = self._composer.gaze, self._composer.perclos
        return {
            "frames": self._frames(),
            "latency_ms": self._times.percentiles_ms(),
            "gaze_age_ms": None if gaze is None else round((now_s - gaze.t_s) * 1000, 1),
            "perclos": None if perclos is None else round(perclos, 4),
            "eyes": None if self.tracker is None else self.tracker.eyes_at,
            "effects": {"overruns": self._chain.overruns},
            "behind_s": round(self._film.behind_s, 2),
            "transport": self._peer.stats(),
        }

    def count_frames(self) -> None:
        """Add the frames since the last call to the server's metrics."""
        for stream, fates in self._frames().items():
            for fate, total in fates.items():
                new = total - self._counted.get((stream, fate), 0)
                self._counted[stream, fate] = total
                self._metrics.frames.labels(stream, fate).inc(max(0, new))

    def _frames(self) -> dict[str, dict[str, int]]:
        frames: dict[str, dict[str, int]] = {}
        if (camera := self._peer.camera) is not None:
            frames["camera"] = {
                "in": camera.received,
                "out": camera.received - camera.dropped,
                "dropped": camera.dropped,
            }
        film, returned = self._peer.film, self._composer.frames
        frames["film"] = {
            "in": returned if film is None else film.received,
            "out": returned,
            "dropped": 0 if film is None else film.dropped,
        }
        return frames
