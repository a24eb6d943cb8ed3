"""The page benchmark's figures, from a Chromium trace."""

from fractions import Fraction

import pytest

from benchmarks.page import main_thread_shares

PACKET_BYTES = 1200
TICK = Fraction(1, 30)


def test_the_busy_share_is_that_of_the_busiest_renderers_main_thread() -> None:
    def thread(pid: int, tid: int, name: str) -> dict[str, object]:
        about = {"pid": pid, "tid": tid, "ph": "M"}
        return {**about, "name": "thread_name", "args": {"name": name}}

    def task(pid: int, tid: int, wall_us: int, cpu_us: int) -> dict[str, object]:
        about = {"pid": pid, "tid": tid, "ph": "X", "name": "ThreadControllerImpl::RunTask"}
        return {**about, "dur": wall_us, "tdur": cpu_us}

    events = [
        thread(1, 1, "CrRendererMain"),
        thread(1, 2, "Compositor"),
        thread(2, 1, "CrRendererMain"),
        task(1, 1, 100_000, 50_000),
        task(1, 1, 200_000, 150_000),
        task(1, 2, 900_000, 900_000),
        task(2, 1, 10_000, 10_000),
    ]
    assert main_thread_shares(events, 2.0) == pytest.approx({"wall": 0.15, "cpu": 0.1})
