"""Frames at the marker bit, in order, whole or not at all."""

import random
from collections.abc import Iterable
from itertools import pairwise

import pytest
from aiortc.rtp import RtpPacket

from gaze.rtc.rtp.jitter_buffer import VideoBuffer, is_key_frame

VP8 = 96
FRAME_TICKS = 3000  # 30 a second


def packet(sequence_number: int, frame: int, data: bytes, *, marker: bool = False) -> RtpPacket:
    made = RtpPacket(
        payload_type=VP8,
        marker=int(marker),
        sequence_number=sequence_number & 0xFFFF,
        timestamp=(frame * FRAME_TICKS) & 0xFFFFFFFF,
    )
    made._data = data
    return made


def frame_data(frame: int, *, key: bool) -> bytes:
    return bytes([0 if key else 1]) + frame.to_bytes(4, "big")


def stream(
    frames: int, sizes: Iterable[int] = (3,), start: int = 0, key_frames: Iterable[int] = (0,)
) -> list[RtpPacket]:
    """Packets of frames; the first byte of each says whether it is a key frame, as in VP8."""
    packets: list[RtpPacket] = []
    sizes = list(sizes)
    for frame in range(frames):
        size = sizes[frame % len(sizes)]
        for index in range(size):
            data = frame_data(frame, key=frame in key_frames) if index == 0 else b"x"
            packets.append(packet(start + len(packets), frame, data, marker=index == size - 1))
    return packets


def buffer() -> VideoBuffer:
    return VideoBuffer({VP8: "VP8"})


def play(packets: Iterable[RtpPacket], into: VideoBuffer) -> tuple[list[int], int]:
    """The frames that came out (by number), and how often a key frame was asked for."""
    frames, asked = [], 0
    for item in packets:
        ask, frame = into.add(item)
        asked += ask
        if frame is not None:
            frames.append(frame.timestamp // FRAME_TICKS)
            assert frame.data[1:5] == frames[-1].to_bytes(4, "big")
    return frames, asked


def test_a_frame_is_released_by_its_own_last_packet() -> None:
    into = buffer()
    first, second, last = stream(1)
    assert into.add(first) == (False, None)
    assert into.add(second) == (False, None)
    ask, frame = into.add(last)
    assert not ask
    assert frame is not None
    assert frame.data == frame_data(0, key=True) + b"xx"


def test_without_markers_the_next_frame_releases() -> None:
    packets = stream(4)
    for item in packets:
        item.marker = 0
    assert play(packets, buffer()) == ([0, 1, 2], 0)


def test_a_missing_packet_that_comes_late_lets_all_out_in_order() -> None:
    packets = stream(6)
    late = packets.pop(4)  # of frame 1
    into = buffer()
    assert play(packets[:8], into) == ([0], 0)  # frame 2 is complete, and waits
    assert play([late, *packets[8:]], into)[0] == [1, 2, 3, 4, 5]


def test_a_marker_that_comes_before_the_rest_releases_nothing() -> None:
    a, b, c = stream(1)
    into = buffer()
    assert play([a, c], into)[0] == []
    assert play([b], into)[0] == [0]


def test_a_packet_that_never_comes_is_given_up_and_a_key_frame_asked_for() -> None:
    packets = stream(40, key_frames=(0, 20))
    del packets[7]  # of frame 2
    frames, asked = play(packets, buffer())
    assert frames == [0, 1, *range(20, 40)]
    assert asked >= 1


def test_a_key_frame_is_asked_for_again_until_it_comes() -> None:
    packets = stream(100, key_frames=(0, 90))
    del packets[7]
    frames, asked = play(packets, buffer())
    assert frames == [0, 1, *range(90, 100)]
    assert asked == 3  # half a second later, and a second after that


def test_on_a_way_that_loses_much_a_key_frame_is_not_asked_for_at_every_loss() -> None:
    packets = [p for n, p in enumerate(stream(60, sizes=(6,))) if n < 60 or n % 5]
    frames, asked = play(packets, buffer())
    assert frames == list(range(10))
    assert asked == 2


def test_a_sender_that_begins_anew_is_asked_for_a_key_frame_though_one_was_asked_for() -> None:
    into = buffer()
    late = stream(200, key_frames=(), start=20_000)[450:]
    assert play(late[:30], into)[1] == 1
    frames, asked = play(stream(60, start=5_000, key_frames=(50,)), into)
    assert frames == list(range(50, 60))
    assert asked >= 1


def test_it_says_from_where_on_packets_are_of_use() -> None:
    into, packets = buffer(), stream(40, start=65530)
    lost = packets.pop(7)
    play(packets[:9], into)
    assert into.first == lost.sequence_number - 1  # its frame's
    play(packets[9:], into)
    assert into.first == (packets[-1].sequence_number + 1) & 0xFFFF


def test_a_stream_that_begins_without_a_key_frame_asks_for_one() -> None:
    frames, asked = play(stream(5, key_frames=(3,)), buffer())
    assert frames == [3, 4]
    assert asked == 1


def test_the_last_packet_of_one_frame_and_the_first_of_the_next_lost() -> None:
    packets = stream(40, key_frames=(0, 30))
    del packets[8:10]
    assert play(packets, buffer())[0] == [0, 1, *range(30, 40)]


def test_at_a_low_frame_rate_there_is_time_for_a_retransmission() -> None:
    """The loss of a frame's last packet shows only when the next frame comes, a second later."""
    a, b, last = stream(1)
    following = packet(3, 30, frame_data(30, key=False), marker=True)
    into = buffer()
    assert play([a, b, following], into) == ([], 0)
    assert play([last], into) == ([0], 0)


def test_padding_after_a_frame_is_no_frame() -> None:
    into = buffer()
    assert play(stream(1), into)[0] == [0]
    assert play([packet(3, 0, b""), packet(4, 0, b"")], into) == ([], 0)
    rest = [packet(5 + i, 1 + i, frame_data(1 + i, key=False), marker=True) for i in range(3)]
    assert play(rest, into)[0] == [1, 2, 3]


def test_duplicates_and_stragglers_change_nothing() -> None:
    packets = stream(50)
    again = [p for item in packets for p in (item, item)]
    assert play(again, buffer())[0] == list(range(50))
    into = buffer()
    play(packets, into)
    assert play(packets[:60], into) == ([], 0)


def test_a_sender_that_begins_anew_is_followed() -> None:
    into = buffer()
    play(stream(50, start=30_000), into)
    anew = stream(80, start=100, key_frames=(0, 60))
    assert play(anew, into)[0] == list(range(60, 80))


def test_a_jump_ahead_is_followed() -> None:
    into = buffer()
    play(stream(5), into)
    frames, asked = play(stream(5, start=20_000), into)
    assert frames == [0, 1, 2, 3, 4]
    assert asked >= 1


@pytest.mark.parametrize("seed", range(30))
def test_reordering_and_duplicates_lose_nothing(seed: int) -> None:
    rng = random.Random(seed)
    packets = stream(60, sizes=[rng.randint(1, 12) for _ in range(7)], start=65_400)
    order = sorted(range(1, len(packets)), key=lambda i: i + rng.uniform(0, 8))
    arriving = [packets[0]]
    for index in order:
        arriving.append(packets[index])
        if rng.random() < 0.05:
            arriving.append(packets[max(0, index - rng.randint(0, 20))])
    into = buffer()
    frames, asked = play(arriving, into)
    tail = stream(80, sizes=(1,), start=65_400 + len(packets), key_frames=())
    for i, item in enumerate(tail):  # what follows lets out what was complete
        item.timestamp = (60 + i) * FRAME_TICKS
        item._data = frame_data(60 + i, key=False)
    after, _ = play(tail, into)
    assert (frames + after)[:60] == list(range(60))
    assert asked == 0


@pytest.mark.parametrize("seed", range(30))
def test_with_loss_every_frame_is_whole_and_follows_a_key_frame(seed: int) -> None:
    rng = random.Random(seed)
    keys = set(range(0, 300, 25))
    packets = stream(300, sizes=(4, 1, 7), key_frames=keys)
    kept = [packets[0], *(p for p in packets[1:] if rng.random() > 0.02)]
    frames, _ = play(kept, buffer())
    assert frames == sorted(set(frames))
    for before, after in pairwise(frames):
        assert after == before + 1 or after in keys
    assert len(frames) > 30


@pytest.mark.parametrize(
    ("codec", "data", "key"),
    [
        ("VP8", b"\x10\x02", True),
        ("VP8", b"\x11\x02", False),
        ("H264", b"\0\0\0\1\x67\x42\0\0\0\1\x68\xce\0\0\0\1\x65\x88", True),
        ("H264", b"\0\0\0\1\x61\xe0", False),
        ("H264", b"\0\0\1", False),
        ("opus", b"\x01", True),
    ],
)
def test_key_frames_are_known(codec: str, data: bytes, key: bool) -> None:
    assert is_key_frame(codec, data) is key


def test_a_turned_picture_stays_turned_until_it_is_told_otherwise() -> None:
    into = buffer()
    turns = []
    packets = stream(6)
    for index, orientation in [(5, 1), (14, 3), (17, 0)]:  # last packets of frames 1, 4 and 5
        packets[index].extensions.video_orientation = orientation  # type: ignore[attr-defined]
    for item in packets:
        _, frame = into.add(item)
        if frame is not None:
            turns.append(frame.clockwise)
    assert turns == [0, 90, 90, 90, 270, 0]
