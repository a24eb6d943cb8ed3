"""The link emulator: its arithmetic, and packets through two network namespaces."""

import asyncio
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise

import pytest

from simulation.network.emulator import Conditions, Link, joined, unavailable

PACKET_BYTES = 1200
TICK = Fraction(1, 30)


PACKET_BYTES = 1200


def packets(
    link: Link, count: int, every_s: float = 0.001, start_s: float = 0.0
) -> list[tuple[float, float | None]]:
    """Hand over packets at a steady pace: when each was sent and when it arrived."""
    sent = [start_s + index * every_s for index in range(count)]
    return [(t_s, link.arrival_s(PACKET_BYTES, t_s)) for t_s in sent]


def test_without_impairments_every_packet_takes_the_delay() -> None:
    assert all(
        arrival_s == pytest.approx(sent_s + 0.05)
        for sent_s, arrival_s in packets(Link(Conditions(delay_s=0.05), 1), 100)
    )


def test_the_loss_rate_is_kept_and_the_same_for_a_seed() -> None:
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
