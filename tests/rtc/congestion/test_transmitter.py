"""Order, numbers and room of what leaves by a transport."""

import asyncio
import re

import pytest

from gaze.rtc.congestion.feedback_recorder import FeedbackRecorder
from gaze.rtc.congestion.pacer import PacketType
from gaze.rtc.congestion.send_side_bwe import BitrateConstraints
from gaze.rtc.congestion.transmitter import MAX_PACER_S, Transmitter
from gaze.rtc.rtp import header_extensions
from gaze.rtc.rtp.packet_history import PacketHistory, StreamIdentity

CONSTRAINTS = BitrateConstraints(start_bps=2e6, min_bps=100e3, max_bps=10e6)
IDS = {header_extensions.TRANSPORT_SEQUENCE_NUMBER: 3}


class Wire:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.broken = False

    def send(self, data: bytearray) -> None:
        if self.broken:
            raise ConnectionError
        self.sent.append(bytes(data))


def stream(ssrc: int, ids: dict[str, int]) -> PacketHistory:
    return PacketHistory(
        StreamIdentity(ssrc, 96, "0"), StreamIdentity(ssrc + 1, 97, "0"), ids, (0, 0)
    )


def numbers(sent: list[bytes]) -> list[int]:
    return [int.from_bytes(data[17:19]) for data in sent]


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.001)


async def test_packets_are_numbered_in_the_order_of_leaving() -> None:
    wire = Wire()
    transmitter = Transmitter(wire.send, CONSTRAINTS)
    video, audio = stream(1, IDS), stream(5, IDS)
    transmitter.enqueue(video.make_packets([bytes(1000)] * 60, 0, 0.0), PacketType.VIDEO)
    transmitter.enqueue(audio.make_packets([bytes(100)], 0, 0.0), PacketType.AUDIO)
    await until(lambda: len(wire.sent) == 61)
    assert numbers(wire.sent) == list(range(61))
    ssrcs = [int.from_bytes(data[8:12]) for data in wire.sent]
    assert ssrcs.index(5) < 30  # it overtakes the video that waits
    await transmitter.close()


async def test_a_stream_without_the_extension_takes_no_number() -> None:
    wire = Wire()
    transmitter = Transmitter(wire.send, CONSTRAINTS)
    transmitter.enqueue(stream(5, {}).make_packets([bytes(100)], 0, 0.0), PacketType.AUDIO)
    transmitter.enqueue(stream(1, IDS).make_packets([bytes(100)], 0, 0.0), PacketType.VIDEO)
    await until(lambda: len(wire.sent) == 2)
    assert numbers(wire.sent[1:]) == [0]
    await transmitter.close()


async def test_the_next_frame_waits_for_room_and_is_left_out_if_there_is_none() -> None:
    wire = Wire()
    transmitter = Transmitter(wire.send, CONSTRAINTS)
    assert await transmitter.wait_for_room()
    assert transmitter.frames_held == 0
    transmitter.enqueue(stream(1, IDS).make_packets([bytes(1200)] * 80, 0, 0.0), PacketType.VIDEO)
    assert transmitter.queue_time_s > MAX_PACER_S
    assert await transmitter.wait_for_room()
    assert transmitter.queue_time_s <= MAX_PACER_S and transmitter.frames_held == 1
    transmitter.enqueue(stream(1, IDS).make_packets([bytes(1200)] * 1000, 0, 0.0), PacketType.VIDEO)
    assert not await transmitter.wait_for_room()
    waiting = asyncio.create_task(transmitter.wait_for_room())
    await asyncio.sleep(0)
    await transmitter.close()
    await asyncio.wait_for(waiting, 10)


async def test_rtcp_reports_count_until_transport_wide_feedback_comes() -> None:
    wire = Wire()
    transmitter = Transmitter(wire.send, CONSTRAINTS)
    transmitter.reported_bps = 700e3
    assert (transmitter.has_feedback, transmitter.video_bps) == (False, 700e3)
    transmitter.enqueue(stream(1, IDS).make_packets([bytes(100)], 0, 0.0), PacketType.VIDEO)
    await until(lambda: wire.sent)
    transmitter.on_feedback(b"\x8f\xcdnonsense")
    assert not transmitter.has_feedback
    recorder = FeedbackRecorder()
    recorder.add(0, 100.0)
    transmitter.on_feedback(recorder.build_feedback(1, 2)[0])
    assert transmitter.has_feedback
    assert transmitter.target_bps == CONSTRAINTS.start_bps
    assert transmitter.video_bps == pytest.approx(0.95 * CONSTRAINTS.start_bps)
    await transmitter.close()


async def test_the_first_probe_clusters_are_filled_with_retransmissions() -> None:
    wire = Wire()
    transmitter = Transmitter(wire.send, CONSTRAINTS)
    video = stream(1, IDS)
    transmitter.padding_source = video
    transmitter.enqueue(video.make_packets([bytes(1000)] * 3, 0, 0.0), PacketType.VIDEO)
    await until(lambda: len(wire.sent) > 5)
    retransmitted = [data for data in wire.sent if int.from_bytes(data[8:12]) == 2]
    assert retransmitted
    assert all(re.search(rb"\x00{1000}$", data) for data in retransmitted)
    await transmitter.close()


async def test_a_broken_network_path_loses_packets_and_nothing_else() -> None:
    wire = Wire()
    wire.broken = True
    transmitter = Transmitter(wire.send, CONSTRAINTS)
    video = stream(1, IDS)
    transmitter.enqueue(video.make_packets([b"lost"], 0, 0.0), PacketType.VIDEO)
    await until(lambda: transmitter.queue_time_s == 0)
    wire.broken = False
    transmitter.enqueue(video.make_packets([b"sent"], 0, 0.0), PacketType.VIDEO)
    await until(lambda: wire.sent)
    assert numbers(wire.sent) == [1]
    await transmitter.close()
