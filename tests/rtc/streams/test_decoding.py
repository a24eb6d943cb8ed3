"""Decoder threads and the queues around them."""

import asyncio
import fractions
import logging
import threading
from typing import Any

import av
import pytest
from aiortc import MediaStreamError, RTCRtpCodecParameters
from aiortc.codecs import get_encoder
from aiortc.jitterbuffer import JitterFrame

from gaze.frames.latest import LatestValue, LatestValueClosed
from gaze.frames.metadata import metadata_of
from gaze.rtc.rtp.jitter_buffer import EncodedFrame
from gaze.rtc.streams.decoding import (
    MAX_ENCODED_WAITING,
    AudioDecoding,
    AudioQueue,
    AudioTrack,
    DecoderThread,
    VideoDecoding,
)

PATIENCE_S = 20.0
VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000)
OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48_000, channels=2)


class Decoded:
    """A decoder that only remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    def decode(self, codec: str, data: bytes, timestamp: int) -> list[av.VideoFrame]:
        self.given.append(data)
        if data == b"broken":
            raise av.InvalidDataError(1, "broken")
        if data == b"impossible":
            raise RuntimeError("impossible")
        return [av.VideoFrame(16, 32, "yuv420p")]


def video(
    slot: LatestValue[av.VideoFrame] | None = None, asked: list[bool] | None = None
) -> tuple[VideoDecoding, Decoded]:
    decoder: Any = Decoded()
    asks = [] if asked is None else asked
    return VideoDecoding(decoder, slot or LatestValue(), lambda: asks.append(True)), decoder


async def test_a_decoder_that_lags_begins_again_at_a_key_frame() -> None:
    asked: list[bool] = []
    decoding, decoder = video(asked=asked)
    key, delta = EncodedFrame(b"\x00", 0), EncodedFrame(b"\x01", 0)
    for frame in [key, *[delta] * (MAX_ENCODED_WAITING - 1)]:
        decoding.put(VP8, frame)
    assert (decoding.waiting, decoding.dropped, asked) == (15, 0, [])
    for _ in range(16):
        decoding.put(VP8, delta)
    assert (decoding.waiting, decoding.dropped, asked) == (0, 31, [True, True])
    decoding.put(VP8, key)
    decoding.put(VP8, delta)
    decoding.start()
    assert await decoding.join(PATIENCE_S)
    assert decoder.given == [b"\x00", b"\x01"]


async def test_a_frame_that_cannot_be_decoded_lets_a_key_frame_be_asked_for() -> None:
    asked: list[bool] = []
    slot: LatestValue[av.VideoFrame] = LatestValue()
    decoding, _ = video(slot, asked)
    decoding.start()
    for data in (b"\x00", b"broken", b"\x00"):
        decoding.put(VP8, EncodedFrame(data, 0))
    async with asyncio.timeout(PATIENCE_S):
        while slot.received < 2:
            await asyncio.sleep(0.01)
    assert asked == [True]
    assert metadata_of(await slot.get()).encoded_bytes == 1
    assert await decoding.join(PATIENCE_S)


async def test_frames_go_into_the_slot_upright_and_the_end_closes_it() -> None:
    slot: LatestValue[av.VideoFrame] = LatestValue()
    decoding, _ = video(slot)
    decoding.start()
    for clockwise, size in [(90, (32, 16)), (0, (16, 32))]:
        decoding.put(VP8, EncodedFrame(b"\x00", 0, clockwise))
        frame = await asyncio.wait_for(slot.get(), PATIENCE_S)
        assert (frame.width, frame.height) == size
    decoding.end()
    decoding.put(VP8, EncodedFrame(b"\x00", 0))  # too late
    with pytest.raises(LatestValueClosed):
        await asyncio.wait_for(slot.get(), PATIENCE_S)


async def test_a_stream_that_never_began_ends_too() -> None:
    slot: LatestValue[av.VideoFrame] = LatestValue()
    decoding, _ = video(slot)
    assert await decoding.join(PATIENCE_S)
    with pytest.raises(LatestValueClosed):
        await slot.get()


async def test_a_decoder_thread_that_dies_says_so_once_and_ends_its_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slot: LatestValue[av.VideoFrame] = LatestValue()
    decoding, _ = video(slot)
    decoding.start()
    decoding.put(VP8, EncodedFrame(b"impossible", 0))
    with pytest.raises(LatestValueClosed):
        await asyncio.wait_for(slot.get(), PATIENCE_S)
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert "video-decoder thread died" in caplog.text and "impossible" in caplog.text
    assert await decoding.join(PATIENCE_S)


class Stuck(DecoderThread):
    """A decoder that hangs until it is let go."""

    def __init__(self) -> None:
        super().__init__("stuck")
        self.may_end = threading.Event()

    def _decode(self, codec: RTCRtpCodecParameters, frame: Any) -> None:
        self.may_end.wait(PATIENCE_S)

    def _on_end(self) -> None: ...


async def test_a_thread_is_joined_without_blocking_the_loop() -> None:
    """It ends only once the loop lets it, so waiting on the loop would be in vain."""
    decoding = Stuck()
    decoding.start()
    decoding.put(VP8, EncodedFrame(b"", 0))
    asyncio.get_running_loop().call_later(0.01, decoding.may_end.set)
    assert await decoding.join(PATIENCE_S)


async def test_a_thread_that_hangs_is_left_behind_in_time() -> None:
    decoding = Stuck()
    decoding.start()
    decoding.put(VP8, EncodedFrame(b"", 0))
    assert not await decoding.join(0.05)
    decoding.may_end.set()
    assert await decoding.join(PATIENCE_S)


def sound(index: int) -> av.AudioFrame:
    frame = av.AudioFrame("s16", "stereo", 960)
    frame.sample_rate, frame.pts, frame.time_base = 48_000, index, fractions.Fraction(1, 48_000)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


async def test_sound_waits_for_200_ms_at_most() -> None:
    queue = AudioQueue()
    for index in range(25):
        queue.put(sound(index))
    assert (queue.received, queue.dropped) == (25, 15)
    taken = [await queue.get() for _ in range(10)]
    assert [frame.pts for frame in taken if frame] == list(range(15, 25))
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.put(sound(25))
    frame = await waiting
    assert frame is not None and frame.pts == 25
    queue.put(None)
    assert await queue.get() is None
    assert await queue.get() is None


async def test_sound_is_decoded_into_its_track_until_the_end() -> None:
    frames = AudioQueue()
    track, decoding = AudioTrack(frames), AudioDecoding(frames)
    encoder = get_encoder(OPUS)
    decoding.start()
    payloads = [p for index in range(5) for p in encoder.encode(sound(index * 960))[0]]
    decoding.put(OPUS, JitterFrame(b"\xff" * 3000, 0))  # cannot be decoded
    for index, payload in enumerate(payloads):
        decoding.put(OPUS, JitterFrame(payload, index * 960))
    first = await asyncio.wait_for(track.recv(), PATIENCE_S)
    assert (first.sample_rate, first.layout.name) == (48_000, "stereo")
    assert await decoding.join(PATIENCE_S)
    with pytest.raises(MediaStreamError):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await track.recv()
    with pytest.raises(MediaStreamError):
        await track.recv()
