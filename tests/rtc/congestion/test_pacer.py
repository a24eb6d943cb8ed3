"""The pacer in scripted time."""

from dataclasses import dataclass

import pytest

from gaze.rtc.congestion.pacer import BURST_S, GROUP_S, RETRANSMISSIONS_BURST_S, Kind, Pacer
from gaze.rtc.congestion.probing import Probe


@dataclass
class Packet:
    name: str
    size_bytes: int = 1000


def pacer(rate_bps: float = 8e6, padding: bool = True) -> Pacer[Packet]:
    return Pacer(rate_bps, lambda: Packet("padding") if padding else None)


def leave(
    pacer: Pacer[Packet], begin_s: float, end_s: float
) -> list[tuple[float, str, int | None]]:
    """All that leaves when the pacer is asked every millisecond."""
    left = []
    for step in range(round((end_s - begin_s) * 1000)):
        t_s = begin_s + step / 1000
        while taken := pacer.take(t_s):
            left.append((round(t_s, 3), taken[0].name, taken[1]))
    return left


def test_packets_leave_in_groups_and_the_last_no_later_than_one_by_one() -> None:
    paced = pacer(8e6)  # a packet a millisecond
    for i in range(100):
        paced.put(Packet(str(i)), Kind.VIDEO, 10.0)
    t_s, groups = 10.0, [sum(1 for _ in iter(lambda: paced.take(10.0), None))]
    while (wait_s := paced.wait_s(t_s)) is not None:
        t_s += wait_s
        groups.append(sum(1 for _ in iter(lambda: paced.take(t_s), None)))  # noqa: B023
    at_once, in_a_group = round(BURST_S * 1000) + 1, round(GROUP_S * 1000) + 1
    more, rest = divmod(100 - at_once, in_a_group)
    assert groups == [at_once] + [in_a_group] * more + [rest]
    assert t_s == pytest.approx(10.0 + 0.099 - BURST_S)


def test_a_key_frame_leaves_evenly_and_no_burst_lasts_longer_than_it_may() -> None:
    paced = pacer(8e6)  # a packet a millisecond
    for i in range(100):
        paced.put(Packet(str(i)), Kind.VIDEO, 10.0)
    assert paced.waiting_s == pytest.approx(0.1)
    left = leave(paced, 10.0, 10.2)
    assert [name for _, name, _ in left] == [str(i) for i in range(100)]
    times = [t_s for t_s, _, _ in left]
    burst = round(BURST_S * 1000)
    assert times.count(10.0) == burst + 1
    assert times[-1] == pytest.approx(10.0 + 0.1 - BURST_S, abs=0.0021)
    assert max(times.count(t_s) for t_s in times[burst + 1 :]) <= 2
    assert paced.wait_s(10.2) is None


def test_sound_goes_first_and_at_once_then_retransmissions() -> None:
    paced = pacer()
    for _ in range(round(BURST_S * 1000) + 20):
        paced.put(Packet("video"), Kind.VIDEO, 0.0)
    leave(paced, 0.0, 0.001)
    paced.put(Packet("again"), Kind.RETRANSMISSION, 0.001)
    paced.put(Packet("sound"), Kind.SOUND, 0.001)
    assert paced.wait_s(0.001) == 0.0
    assert [name for _, name, _ in leave(paced, 0.0005, 0.004)][:3] == ["sound", "again", "video"]


def test_who_wakes_late_makes_up_for_some_of_it() -> None:
    paced = pacer(8e6)
    for _ in range(200):
        paced.put(Packet("video"), Kind.VIDEO, 0.0)
    leave(paced, 0.0, 0.001)
    late = leave(paced, 0.1, 0.101)
    assert len(late) == pytest.approx(BURST_S * 1000, abs=1)


def test_waiting_tells_when_the_last_may_leave() -> None:
    paced = pacer(8e6)
    for _ in range(round(BURST_S * 1000) + 5):
        paced.put(Packet("video"), Kind.VIDEO, 1.0)
    while paced.take(1.0):
        pass
    wait_s = paced.wait_s(1.0)
    assert wait_s == pytest.approx(0.004)
    while paced.take(1.0 + wait_s + 1e-9):
        pass
    assert paced.waiting_s == 0.0


def test_retransmissions_have_their_share_and_no_more() -> None:
    paced = pacer(8e6)  # their share is a fifth: 200 packets of 1000 bytes a second
    taken = sum(
        paced.put(Packet("again"), Kind.RETRANSMISSION, step / 1000) for step in range(2000)
    )
    assert taken == pytest.approx(200 * (2 + RETRANSMISSIONS_BURST_S), abs=2)
    assert paced.put(Packet("video"), Kind.VIDEO, 2.0)


def test_a_probe_begins_with_the_film_and_is_filled_up() -> None:
    paced = pacer(1e6)
    probe = Probe.at(7, 8e6)  # 15 packets of 1000 bytes
    paced.start(probe)
    assert leave(paced, 0.0, 0.1) == [] and paced.wait_s(0.1) is None
    for i in range(3):
        paced.put(Packet(str(i)), Kind.VIDEO, 0.1)
    left = leave(paced, 0.1, 0.2)
    assert [name for _, name, _ in left] == ["0", "1", "2", *["padding"] * 12]
    assert {number for _, _, number in left} == {7}
    assert left[-1][0] - left[0][0] == pytest.approx(0.014, abs=0.002)
    assert not paced.probing


def test_a_probe_without_anything_to_fill_it_ends() -> None:
    paced = pacer(1e6, padding=False)
    paced.start(Probe.at(7, 8e6))
    paced.put(Packet("0"), Kind.VIDEO, 0.0)
    assert [number for _, _, number in leave(paced, 0.0, 0.05)] == [7]
    assert not paced.probing and paced.wait_s(0.05) is None


def test_a_film_that_is_dropped_leaves_its_sound() -> None:
    paced = pacer()
    for kind in Kind:
        paced.put(Packet(kind.name), kind, 0.0)
    paced.drop_film()
    assert paced.waiting_bytes == Packet("").size_bytes
    taken = paced.take(0.0)
    assert taken is not None and taken[0].name == "SOUND"
    assert paced.take(60.0) is None
