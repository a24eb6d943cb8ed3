"""What leaves by a transport, in the order and at the rate it should."""

import asyncio
import re

import pytest

from gaze.rtc.congestion import twcc
from gaze.rtc.congestion.bandwidth_estimator import Range
from gaze.rtc.congestion.pacer import Kind
from gaze.rtc.congestion.transmitter import ROOM_S, Transmitter
from gaze.rtc.rtp import header_extensions
from gaze.rtc.rtp.packet_history import Identity, Outgoing

LIMITS = Range(start_bps=2e6, min_bps=100e3, max_bps=10e6)
IDS = {header_extensions.TRANSPORT_NUMBER: 3}


class Wire:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.broken = False

    def send(self, data: bytearray) -> None:
        if self.broken:
            raise ConnectionError
        self.sent.append(bytes(data))


def stream(ssrc: int, ids: dict[str, int]) -> Outgoing:
    return Outgoing(Identity(ssrc, 96, "0"), Identity(ssrc + 1, 97, "0"), ids, (0, 0))


def numbers(sent: list[bytes]) -> list[int]:
    return [int.from_bytes(data[17:19]) for data in sent]


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.001)


async def test_all_that_leaves_is_numbered_in_the_order_of_leaving() -> None:
    wire = Wire()
    transmitter = Transmitter(wire.send, LIMITS)
    film, sound = stream(1, IDS), stream(5, IDS)
    transmitter.put(film.make([bytes(1000)] * 60, 0, 0.0), Kind.VIDEO)
    transmitter.put(sound.make([bytes(100)], 0, 0.0), Kind.SOUND)
    await until(lambda: len(wire.sent) == 61)
    assert numbers(wire.sent) == list(range(61))
    ssrcs = [int.from_bytes(data[8:12]) for data in wire.sent]
    assert ssrcs.index(5) < 30  # it overtakes the film that waits
    await transmitter.close()


async def test_what_is_not_numbered_takes_no_number() -> None:
    wire = Wire()
    transmitter = Transmitter(wire.send, LIMITS)
    transmitter.put(stream(5, {}).make([bytes(100)], 0, 0.0), Kind.SOUND)
    transmitter.put(stream(1, IDS).make([bytes(100)], 0, 0.0), Kind.VIDEO)
    await until(lambda: len(wire.sent) == 2)
    assert numbers(wire.sent[1:]) == [0]
    await transmitter.close()


async def test_the_next_frame_waits_for_room_and_is_left_out_if_there_is_none() -> None:
    wire = Wire()
    transmitter = Transmitter(wire.send, LIMITS)
    assert await transmitter.room()
    assert transmitter.held == 0
    transmitter.put(stream(1, IDS).make([bytes(1200)] * 80, 0, 0.0), Kind.VIDEO)
    assert transmitter.waiting_s > ROOM_S
    assert await transmitter.room()
    assert transmitter.waiting_s <= ROOM_S and transmitter.held == 1
    transmitter.put(stream(1, IDS).make([bytes(1200)] * 1000, 0, 0.0), Kind.VIDEO)
    assert not await transmitter.room()
    waiting = asyncio.create_task(transmitter.room())
    await asyncio.sleep(0)
    await transmitter.close()
    await asyncio.wait_for(waiting, 10)


async def test_other_reports_count_until_transport_wide_feedback_comes() -> None:
    wire = Wire()
    transmitter = Transmitter(wire.send, LIMITS)
    transmitter.reported_bps = 700e3
    assert (transmitter.estimating, transmitter.film_bps) == (False, 700e3)
    transmitter.put(stream(1, IDS).make([bytes(100)], 0, 0.0), Kind.VIDEO)
    await until(lambda: wire.sent)
    transmitter.on_feedback(b"\x8f\xcdnonsense")
    assert not transmitter.estimating
    recorder = twcc.Recorder()
    recorder.add(0, 100.0)
    transmitter.on_feedback(recorder.take(1, 2)[0])
    assert transmitter.estimating
    assert transmitter.target_bps == LIMITS.start_bps
    assert transmitter.film_bps == pytest.approx(0.95 * LIMITS.start_bps)
    await transmitter.close()


async def test_the_first_probes_are_filled_up_with_repeats() -> None:
    wire = Wire()
    transmitter = Transmitter(wire.send, LIMITS)
    film = stream(1, IDS)
    transmitter.padded = film
    transmitter.put(film.make([bytes(1000)] * 3, 0, 0.0), Kind.VIDEO)
    await until(lambda: len(wire.sent) > 5)
    again = [data for data in wire.sent if int.from_bytes(data[8:12]) == 2]
    assert again and all(re.search(rb"\x00{1000}$", data) for data in again)
    await transmitter.close()


async def test_a_broken_way_loses_packets_and_nothing_else() -> None:
    wire = Wire()
    wire.broken = True
    transmitter = Transmitter(wire.send, LIMITS)
    film = stream(1, IDS)
    transmitter.put(film.make([b"lost"], 0, 0.0), Kind.VIDEO)
    await until(lambda: transmitter.waiting_s == 0)
    wire.broken = False
    transmitter.put(film.make([b"sent"], 0, 0.0), Kind.VIDEO)
    await until(lambda: wire.sent)
    assert numbers(wire.sent) == [1]
    await transmitter.close()
