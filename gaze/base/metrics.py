"""Every figure that an operator can scrape, in one place (Prometheus)."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

STAGES = ("camera_convert", "track", "effects", "encode", "gaze_age")
STREAMS = ("camera", "film")
_LATENCY_BUCKETS_S = (0.001, 0.002, 0.004, 0.008, 0.016, 0.033, 0.066, 0.133, 0.266, 0.533, 1.066)


class Metrics:
    """The figures of one server; several servers in one process do not share any."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.sessions = Gauge(
            "gaze_sessions", "Sessions by state", ["state"], registry=self._registry
        )
        self.opened = Counter(
            "gaze_sessions_opened", "Sessions opened or resumed", ["how"], registry=self._registry
        )
        self.refused = Counter(
            "gaze_requests_refused", "Requests answered with an error", ["status"],
            registry=self._registry,
        )  # fmt: skip
        self.frames = Counter(
            "gaze_frames", "Frames by stream and what became of them", ["stream", "fate"],
            registry=self._registry,
        )  # fmt: skip
        self.latency = Histogram(
            "gaze_stage_seconds", "Time that a stage takes for one frame", ["stage"],
            buckets=_LATENCY_BUCKETS_S, registry=self._registry,
        )  # fmt: skip
        ProcessCollector(registry=self._registry)
        Gauge("gaze_threads", "Threads", registry=self._registry).set_function(
            threading.active_count
        )
        Gauge("gaze_tasks", "Tasks on the event loop", registry=self._registry).set_function(
            lambda: len(asyncio.all_tasks())
        )
        for stream in STREAMS:
            for fate in ("in", "out", "dropped"):
                self.frames.labels(stream, fate)
        for stage in STAGES:
            self.latency.labels(stage)

    def scrape(self) -> bytes:
        """The exposition text."""
        return generate_latest(self._registry)


class StageTimes:
    """Recent durations of each stage of one session, also passed on to `Metrics`."""

    def __init__(self, metrics: Metrics, kept: int = 300) -> None:
        self._metrics = metrics
        self._recent_ms: dict[str, deque[float]] = {name: deque(maxlen=kept) for name in STAGES}

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Time the body."""
        started_s = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - started_s)

    def add(self, stage: str, duration_s: float) -> None:
        """Record one duration."""
        self._recent_ms[stage].append(duration_s * 1000)
        self._metrics.latency.labels(stage).observe(duration_s)

    def percentiles_ms(self) -> dict[str, dict[str, float]]:
        """p50 and p95 of each stage that was measured, in milliseconds."""
        return {
            stage: {
                "p50": round(float(np.percentile(recent, 50)), 2),
                "p95": round(float(np.percentile(recent, 95)), 2),
            }
            for stage, recent in ((name, list(kept)) for name, kept in self._recent_ms.items())
            if recent
        }
