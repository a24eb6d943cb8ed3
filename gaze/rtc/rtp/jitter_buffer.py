"""Puts video frames together from RTP packets: at the marker bit (RFC 3550, section 5.1), in order.

A frame is released as soon as all its packets are there, up to the one with the marker bit, not
when the next frame begins. A frame that stays incomplete holds back those that follow for a short
media time, so that a retransmission can mend it; then it is given up, and all is dropped until a
key frame, which is asked for again until it comes, ever more seldom: on a narrow way each of them
takes long, and holds up the next. So the decoder never sees a broken picture.
"""

from collections import deque
from collections.abc import Mapping

from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket

from gaze.rtc.rtp.header_extensions import clockwise_degrees

CLOCK_HZ = 90_000
HOLD_S = 0.25
ASK_AGAIN_S, ASK_AGAIN_MOST_S = 0.5, 2.0
MAX_PACKETS = 2048
MAX_STALE = 100  # packets in a row from before the buffer: the sender began anew

_START_CODE = b"\x00\x00\x01"
_NAL_IDR = 5


class EncodedFrame(JitterFrame):
    """A complete frame, and by how many degrees it must be turned to be upright."""

    def __init__(self, data: bytes, timestamp: int, clockwise: int = 0) -> None:
        super().__init__(data, timestamp)
        self.clockwise = clockwise


def is_key_frame(codec: str, data: bytes) -> bool:
    """Whether an encoded frame can be decoded without others.

    Args:
        codec: "VP8" (RFC 6386, section 9.1) or "H264" (Annex B); of any other, every frame can.
    """
    if codec.upper() == "VP8":
        return not data[0] & 1
    if codec.upper() == "H264":
        position = data.find(_START_CODE)
        while 0 <= position < len(data) - 3:
            if data[position + 3] & 0x1F == _NAL_IDR:
                return True
            position = data.find(_START_CODE, position + 3)
        return False
    return True


class VideoBuffer:
    """One stream's packets on their way to the decoder.

    Stands in for aiortc's `JitterBuffer`: each packet carries its depayloaded bytes as `_data`.
    """

    def __init__(self, codecs: Mapping[int, str]) -> None:
        """Take the codec's name of each payload type."""
        self.frames_lost = 0
        self._codecs = codecs
        self._packets: dict[int, RtpPacket] = {}  # by unwrapped sequence number
        self._ready: deque[EncodedFrame] = deque()
        self._newest: int | None = None
        self._first = 0  # number of the first packet of the frame being put together
        self._reached = 0  # numbers from _first up to here have been looked at
        self._stale = 0
        self._clockwise = 0
        self._need_key = True
        self._asked_at: int | None = None  # RTP timestamp
        self._again_s = ASK_AGAIN_S

    @property
    def first(self) -> int:
        """The sequence number of the first packet that is still of use."""
        return self._first & 0xFFFF

    def add(self, packet: RtpPacket) -> tuple[bool, EncodedFrame | None]:
        """Take a packet; return whether a key frame must be asked for, and a complete frame.

        When one packet completes several frames, the others come with the packets that follow.
        """
        ask = False
        if self._newest is None:
            number = self._newest = packet.sequence_number
            self._restart(number)
        else:
            number = self._unwrap(packet.sequence_number, self._newest)
        if number < self._first:
            self._stale += 1
            if self._stale < MAX_STALE:
                return False, self._pop()
        if number < self._first or number - self._first >= MAX_PACKETS:
            self._restart(number)
            self._newest = number
            ask = self._asks(packet.timestamp)
        self._stale = 0
        self._newest = max(self._newest, number)
        self._packets.setdefault(number, packet)
        ask = self._assemble() or ask
        if self._waited_s(packet.timestamp) > HOLD_S:
            self._give_up()
            ask = self._asks(packet.timestamp) or ask
            ask = self._assemble() or ask
        return ask, self._pop()

    @staticmethod
    def _unwrap(sequence_number: int, near: int) -> int:
        step = (sequence_number - near) & 0xFFFF
        return near + (step if step < 0x8000 else step - 0x10000)

    def _restart(self, number: int) -> None:
        self._packets.clear()
        self._first = self._reached = number
        self._stale = 0
        self._need_key = True

    def _pop(self) -> EncodedFrame | None:
        return self._ready.popleft() if self._ready else None

    def _asks(self, timestamp: int) -> bool:
        """Whether to ask for a key frame now: at a loss, and again while none has come."""
        if self._asked_at is not None:
            ticks = (timestamp - self._asked_at + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            if abs(ticks) < self._again_s * CLOCK_HZ:  # far back, the sender has begun anew
                return False
            self._again_s = min(2 * self._again_s, ASK_AGAIN_MOST_S)
        self._asked_at = timestamp
        return True

    def _waited_s(self, timestamp: int) -> float:
        """Media time since the first packet behind the gap came, and NACK asked for the gap."""
        assert self._newest is not None
        if self._newest < self._reached:
            return 0.0
        behind = self._packets[min(n for n in self._packets if n > self._reached)]
        ticks = (timestamp - behind.timestamp) & 0xFFFFFFFF
        return ticks / CLOCK_HZ if ticks < 0x80000000 else 0.0

    def _assemble(self) -> bool:
        """Move complete frames to `_ready`; return whether to ask for a key frame."""
        ask = False
        while (packet := self._packets.get(self._reached)) is not None:
            begun = self._reached > self._first
            if begun and packet.timestamp != self._packets[self._first].timestamp:
                ask = self._release() or ask  # the sender set no marker
                continue
            self._reached += 1
            if packet.marker:
                ask = self._release() or ask
        return ask

    def _release(self) -> bool:
        packets = [self._packets.pop(number) for number in range(self._first, self._reached)]
        self._first = self._reached
        data = b"".join(packet._data for packet in packets)  # type: ignore[attr-defined]
        if not data:
            return False  # padding after a frame
        timestamp = packets[0].timestamp
        orientation = getattr(packets[-1].extensions, "video_orientation", None)
        if orientation is not None:  # until another comes (3GPP TS 26.114)
            self._clockwise = clockwise_degrees(orientation)
        if self._need_key:
            if not is_key_frame(self._codecs.get(packets[0].payload_type, ""), data):
                self.frames_lost += 1
                return self._asks(timestamp)
            self._need_key = False
            self._asked_at, self._again_s = None, ASK_AGAIN_S
        self._ready.append(EncodedFrame(data, timestamp, self._clockwise))
        return False

    def _give_up(self) -> None:
        """Drop the broken frame, and what follows the gap up to where a frame surely begins."""
        for number in range(self._first, self._reached):
            del self._packets[number]
        self.frames_lost += 1
        self._need_key = True
        if not self._packets:
            self._first = self._reached
            return
        number = min(self._packets)
        timestamp = self._packets[number].timestamp
        while (packet := self._packets.get(number)) and packet.timestamp == timestamp:
            del self._packets[number]
            number += 1
            if packet.marker:
                break
        self._first = self._reached = number
