"""Sockets that read many datagrams at a time, each with its time of arrival."""

import asyncio
import socket
import sys
import time
from typing import Any

import pytest

from gaze.rtc.ice.udp_transport import BATCH, MAX_DATAGRAM_BYTES, NoPortError, bind, open_endpoint


class Receiver:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, Any, float | None]] = []
        self.lost = asyncio.Event()
        self.news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any, arrival_s: float | None = None) -> None:
        self.got.append((data, addr, arrival_s))
        self.news.set()

    def error_received(self, exc: Exception) -> None:
        raise exc

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.got) < count:
                self.news.clear()
                await self.news.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="kernel times are read on Linux only")
async def test_datagrams_that_waited_have_the_times_at_which_they_came() -> None:
    receiver = Receiver()
    opened = bind("127.0.0.1", None)
    transport = await open_endpoint(opened, receiver)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        sent_s = []
        for number in range(3):  # while the loop sleeps, as it does when it is busy
            began_s = time.monotonic()
            sender.sendto(bytes([number]), opened.getsockname())
            sent_s.append((began_s, time.monotonic()))
            time.sleep(0.03)  # noqa: ASYNC251
        await receiver.until(3)
        assert [data for data, _, _ in receiver.got] == [b"\0", b"\1", b"\2"]
        assert {addr for _, addr, _ in receiver.got} == {sender.getsockname()}
    for (began_s, done_s), (_, _, arrival_s) in zip(sent_s, receiver.got, strict=True):
        assert arrival_s is not None
        assert began_s - 0.005 < arrival_s < done_s + 0.005
    transport.close()
    await asyncio.wait_for(receiver.lost.wait(), 10)


async def test_others_have_their_turn_between_batches() -> None:
    receiver = Receiver()
    opened = bind("127.0.0.1", None)
    transport = await open_endpoint(opened, receiver)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(3 * BATCH):
            sender.sendto(b"x", opened.getsockname())
        seen = []
        while len(receiver.got) < 3 * BATCH:
            await asyncio.sleep(0)
            seen.append(len(receiver.got))
    assert BATCH in seen and 2 * BATCH in seen
    transport.close()


async def test_what_webrtc_never_sends_is_dropped() -> None:
    receiver = Receiver()
    opened = bind("127.0.0.1", None)
    transport = await open_endpoint(opened, receiver)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for size in (0, MAX_DATAGRAM_BYTES + 1, MAX_DATAGRAM_BYTES):
            sender.sendto(bytes(size), opened.getsockname())
        await receiver.until(1)
    assert [len(data) for data, _, _ in receiver.got] == [MAX_DATAGRAM_BYTES]
    transport.close()


async def test_ipv6_datagrams_go_both_ways() -> None:
    here, there = Receiver(), Receiver()
    first, second = bind("::1", None), bind("::1", None)
    one, other = await open_endpoint(first, here), await open_endpoint(second, there)
    one.sendto(b"ping", second.getsockname()[:2])
    await there.until(1)
    other.sendto(b"pong", there.got[0][1][:2])
    await here.until(1)
    assert here.got[0][0] == b"pong"
    one.close()
    other.close()


def test_ports_are_taken_from_the_range_until_none_is_left() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        first = min(probe.getsockname()[1], 65_500)
    bound = []
    try:
        with pytest.raises(NoPortError, match=rf"no UDP port from {first} to {first + 3} is free"):
            for _ in range(5):
                bound.append(bind("127.0.0.1", (first, first + 3)))
        ports = {opened.getsockname()[1] for opened in bound}
        assert ports <= set(range(first, first + 4)) and len(ports) == len(bound)
    finally:
        for opened in bound:
            opened.close()


def test_an_address_of_another_machine_is_no_lack_of_ports() -> None:
    with pytest.raises(OSError, match="assign") as error:
        bind("203.0.113.77", (50_000, 50_001))
    assert not isinstance(error.value, NoPortError)
