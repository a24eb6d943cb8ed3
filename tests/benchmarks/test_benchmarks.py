"""The benchmarks' own tools: figures, time strips, the scripted link. No figure is judged here."""

import asyncio
import json
import math
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks import strip
from benchmarks.material import film_lumas, since_sent
from benchmarks.network import judge
from benchmarks.page import main_thread_shares
from benchmarks.report import Goal, Report, number, percentiles, publish, slope
from benchmarks.uplink import figures_of
from benchmarks.viewer import Returned
from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from simulation.network_link import Conditions, Link, joined, unavailable

PACKET_BYTES = 1200
TICK = Fraction(1, 30)


def packets(
    link: Link, count: int, every_s: float = 0.001, start_s: float = 0.0
) -> list[tuple[float, float | None]]:
    """Hand over packets at a steady pace: when each was sent and when it arrived."""
    sent = [start_s + index * every_s for index in range(count)]
    return [(t_s, link.arrival_s(PACKET_BYTES, t_s)) for t_s in sent]


def test_report_shows_medians_spread_and_goals(tmp_path: Path) -> None:
    report = Report("Title", {"delay": Goal(most=10), "fps": Goal(least=28)}, prefix="720p.")
    for delay in (9.0, 12.0, 8.0):
        report.add("ours", {"delay": delay, "fps": 27.0})
    report.add("stock", {"delay": 36.0, "unknown": math.nan})
    report.ratios["delay_over_stock"] = report.ratio("delay", "ours", "stock")
    shown: list[str] = []
    publish([report], tmp_path / "figures.json", shown.append)
    lines = {line.split()[0]: line for line in shown[0].splitlines() if line}
    assert "9 (8..12)" in lines["delay"]
    assert lines["delay"].endswith("met")
    assert lines["fps"].endswith("MISSED")
    assert json.loads((tmp_path / "figures.json").read_text()) == {
        "720p.ours.delay": 9.0,
        "720p.ours.fps": 27.0,
        "720p.stock.delay": 36.0,
        "720p.delay_over_stock": 0.25,
    }


def test_unknown_figures_meet_no_goal() -> None:
    report = Report("Title", {"delay": Goal(most=10)})
    report.add("ours", {"delay": math.nan})
    assert "MISSED" in report.table()
    assert "?" in report.table()


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1234.5, "1234"), (12.345, "12.3"), (0.01234, "0.0123")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_percentiles_and_slope() -> None:
    assert percentiles("x", range(101)) == {"x_p50": 50, "x_p95": 95, "x_p99": 99}
    assert all(map(math.isnan, percentiles("x", []).values()))
    assert slope([100, 101, 102], [5, 7, 9]) == pytest.approx(2)


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (320, 180), (1279, 719)])
def test_every_number_can_be_read(size: tuple[int, int]) -> None:
    luma = np.full(size[::-1], 128, np.uint8)
    for value in (0, 1, 299, 32_768, strip.NUMBERS - 1):
        strip.write(luma, value)
        assert strip.read(luma) == value
    strip.write(luma, strip.NUMBERS + 5)
    assert strip.read(luma) == 5


def test_what_is_no_strip_is_not_read() -> None:
    assert strip.read(np.full((360, 640), 16, np.uint8)) is None
    assert strip.read(np.full((360, 640), 235, np.uint8)) is None
    noise = np.random.default_rng(1).integers(0, 256, (360, 640)).astype(np.uint8)
    assert strip.read(noise) is None
    luma = np.full((360, 640), 128, np.uint8)
    strip.write(luma, 77)
    luma[:, : 640 // strip.CELLS] = 235  # the highest bit turned over
    assert strip.read(luma) is None


def test_the_strip_survives_blur_and_a_poor_encoder() -> None:
    chain = Chain([{"name": "blur", "strength": 1.0}])
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.bit_rate, encoder.time_base = 250_000, TICK
    encoder.options = {"deadline": "realtime", "cpu-used": "-12", "lag-in-frames": "0"}
    decoder = av.CodecContext.create("vp8", "r")
    read = []
    for index, luma in enumerate(film_lumas(640, 360, 12)):
        planes = np.full((540, 640), 128, np.uint8)
        planes[:360] = luma
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        gaze = GazeState(t_s=index / 30, shown=(0.5, 0.95))
        chain.update(gaze, index / 30)
        drawn = chain.apply(frame, gaze, index / 30)
        drawn.pts, drawn.time_base = index, TICK
        for packet in encoder.encode(drawn):
            read += [strip.read(strip.luma_of(back)) for back in decoder.decode(packet)]
    assert read == list(range(12))


def test_a_perfect_link_takes_its_delay() -> None:
    assert all(
        arrival_s == pytest.approx(sent_s + 0.05)
        for sent_s, arrival_s in packets(Link(Conditions(delay_s=0.05), 1), 100)
    )


def test_loss_is_as_told_and_the_same_for_a_seed() -> None:
    conditions = Conditions(loss=0.05)
    arrivals = packets(Link(conditions, 1), 20_000)
    assert arrivals == packets(Link(conditions, 1), 20_000)
    assert arrivals != packets(Link(conditions, 2), 20_000)
    lost = sum(arrival_s is None for _, arrival_s in arrivals)
    assert lost / 20_000 == pytest.approx(0.05, abs=0.006)


def test_jitter_keeps_the_order_unless_reordering_is_asked_for() -> None:
    steady = [t for _, t in packets(Link(Conditions(0.02, jitter_s=0.03), 1), 2000) if t]
    assert all(a <= b for a, b in pairwise(steady))
    delays = [t - index * 0.001 for index, t in enumerate(steady)]
    assert min(delays) >= 0.02
    assert max(delays) <= 0.05 + 1e-9
    wild = Link(Conditions(0.02, jitter_s=0.03, reordered=0.1), 1)
    mixed = [t for _, t in packets(wild, 2000) if t]
    assert any(a > b for a, b in pairwise(mixed))


def test_a_rate_is_kept_and_its_queue_is_finite() -> None:
    link = Link(Conditions(rate_bps=1e6, queue_s=0.2), 1)
    arrivals = packets(link, 1000, every_s=0.0048)  # 2 Mbit/s
    through = [(s, a) for s, a in arrivals if a is not None]
    carried_bits = 8 * PACKET_BYTES * len(through)
    assert carried_bits / through[-1][1] == pytest.approx(1e6, rel=0.01)
    assert max(a - s for s, a in through) <= 0.2 + 8 * PACKET_BYTES / 1e6 + 1e-9
    assert link.dropped == 1000 - len(through)


def test_a_changed_rate_holds_from_then_on() -> None:
    link = Link(Conditions(rate_bps=5e6), 1)
    packets(link, 100, every_s=0.01)
    link.conditions = Conditions(rate_bps=0.7e6)
    slow = [a for _, a in packets(link, 100, 0.01, start_s=2.0) if a is not None]
    gaps = [b - a for a, b in pairwise(slow)]
    assert gaps == pytest.approx([8 * PACKET_BYTES / 0.7e6] * len(gaps))


def test_round_trips_longer_than_the_loop_are_told() -> None:
    loop, away_s = 30, 2.5
    sent_s = [index / 30 for index in range(300)]
    came = [(index % loop, t_s + away_s) for index, t_s in enumerate(sent_s)]
    came = [pair for index, pair in enumerate(came) if index % 5 or index < 30]  # some are lost
    came = [(None, 0.0), *(copy for pair in came for copy in (pair, pair))]
    trips = since_sent(came, sent_s, loop)
    assert len(trips) == 300 - 54
    assert [away for _, away in trips] == pytest.approx([away_s] * len(trips))


def _sample(t: float, frames: int, width: int) -> dict[str, object]:
    stream = {"width": width, "height": width * 9 // 16, "bytes": frames * 10_000, "frames": frames}
    return {"t": t, "camera": stream, "film": stream, "returned": stream, "estimate": 3e6}


def test_uplink_tells_when_the_film_had_its_full_size() -> None:
    samples = [_sample(t, 30 * t, 640 if t < 4 else 1280) for t in range(11)]
    figures = figures_of(samples)
    assert figures["film_full_size_after_s"] == 4
    assert figures["film_full_size_share"] == 1
    assert figures["film_fps"] == pytest.approx(30)
    assert figures["film_mbps"] == pytest.approx(2.4)
    never = figures_of([_sample(t, 30 * t, 640) for t in range(11)])
    assert never["film_full_size_after_s"] == math.inf
    assert never["film_full_size_share"] == 0


def watched(seconds: float, late_s: Callable[[float], float], width: int = 1280) -> list[Returned]:
    """A film of 30 frames a second, each frame so late."""
    dues = [number / 30 for number in range(round(seconds * 30))]
    return [Returned(n, due + late_s(due), width, width * 9 // 16) for n, due in enumerate(dues)]


def test_a_steady_film_has_no_freeze_and_the_delay_of_its_link() -> None:
    figures = judge(watched(15, lambda t: 100.0), [(100.0, Conditions(delay_s=0.02))], 115, 1280)
    assert figures["freezes"] == 0
    assert figures["fps"] == pytest.approx(30, abs=0.2)
    assert figures["delay_ms_p50"] == pytest.approx(20)


def test_where_there_are_rtp_timestamps_they_tell_the_delay() -> None:
    paused = [
        Returned(n, n / 30 + (1.0 if n > 300 else 0.0), 1280, 720, rtp=rtp % 2**32)
        for n, rtp in ((n, 2**32 - 50_000 + n * 3000 + 90_000 * (n > 300)) for n in range(450))
    ]
    figures = judge(paused, [(0.0, Conditions(delay_s=0.02))], 16, 1280)
    assert figures["delay_ms_p99"] == pytest.approx(20)


def test_a_stream_that_begins_anew_is_told_and_judged_by_itself() -> None:
    film = [
        Returned(n, n / 30, 1280, 720, rtp=n * 3000 + (8_000_000 if n >= 300 else 0))
        for n in range(450)
    ]
    figures = judge(film, [(0.0, Conditions(delay_s=0.02))], 15, 1280)
    assert figures["reconnections"] == 1
    assert figures["delay_ms_p99"] == pytest.approx(20)


def test_gaps_repeats_and_unreadable_frames_are_told() -> None:
    film = watched(15, lambda t: 0.0)
    holed = [frame for frame in film if not 8 <= frame.arrived_s < 9]
    stuttering = [copy for frame in holed for copy in (frame, frame)]
    unread = [Returned(None, 8.5, 1280, 720), *stuttering]
    figures = judge(unread, [(0.0, Conditions())], 15, 1280)
    assert figures["freezes"] == 1
    assert figures["longest_gap_ms"] == pytest.approx(1033, abs=1)
    assert figures["fps"] == pytest.approx(27, abs=0.2)
    assert judge([], [(0.0, Conditions())], 15, 1280) == {"freezes": math.inf, "fps": 0.0}


def test_a_step_is_judged_by_calm_and_by_full_size() -> None:
    near = Conditions(delay_s=0.02)
    film = watched(60, lambda t: 0.8 if 25 <= t < 28 else 0.0)
    film = [
        Returned(f.number, f.arrived_s, 640 if 30 <= f.arrived_s < 52 else 1280, 720) for f in film
    ]
    figures = judge(film, [(0.0, near), (25.0, near), (45.0, near)], 60, 1280)
    assert figures["calm_after_down_s"] == pytest.approx(3.77, abs=0.05)
    assert figures["full_size_after_up_s"] == pytest.approx(7, abs=0.05)
    frozen = [f for f in film if not 29 <= f.arrived_s < 46]
    figures = judge(frozen, [(0.0, near), (25.0, near), (45.0, near)], 60, 1280)
    assert figures["calm_after_down_s"] == math.inf
    still_late = judge(
        watched(60, lambda t: 0.8 if t >= 25 else 0.0),
        [(0.0, near), (25.0, near), (45.0, near)],
        60,
        1280,
    )
    assert still_late["calm_after_down_s"] == math.inf


RECEIVE = """import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 5000)); print("bound", flush=True)
print(s.recv(100).decode())"""
SEND = """import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", (sys.argv[1], 5000))"""


@pytest.mark.skipif(unavailable() is not None, reason=f"no namespaces: {unavailable()}")
async def test_the_link_carries_packets_between_its_ends_and_leaves_nothing() -> None:
    pipe = subprocess.PIPE
    async with joined(Conditions(delay_s=0.01)) as ends:
        listening = await asyncio.create_subprocess_exec(
            *ends.within(1, sys.executable, "-c", RECEIVE), stdout=pipe
        )
        assert listening.stdout is not None
        assert await listening.stdout.readline() == b"bound\n"
        sending = await asyncio.create_subprocess_exec(
            *ends.within(0, sys.executable, "-c", SEND, ends.addresses[1])
        )
        await sending.wait()
        assert await listening.stdout.readline() == b"hello\n"
        await listening.wait()
        assert ends.there.carried >= 1
    listed = await asyncio.create_subprocess_exec("ip", "netns", "list", stdout=pipe)
    names = (await listed.communicate())[0].decode()
    assert not set(ends.names) & set(names.split())


def test_the_share_of_the_busiest_page_is_read_off_a_trace() -> None:
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
