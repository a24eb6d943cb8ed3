"""A browser's stand-in for tests: stock aiortc, which can be made to number its packets."""

import asyncio
import fractions
from types import TracebackType
from typing import Any, ClassVar, Self

import av
import numpy as np
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.rtp import RtpPacket, is_rtcp

from gaze.rtc.congestion import twcc

WIDTH, HEIGHT = 320, 240


class Grey(VideoStreamTrack):
    """A video of one brightness."""

    def __init__(self, brightness: int) -> None:
        super().__init__()
        self._brightness = brightness

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        luma = np.full((HEIGHT, WIDTH), self._brightness, np.uint8)
        chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
        frame = av.VideoFrame.from_ndarray(np.vstack([luma, chroma]), "yuv420p")
        frame.pts, frame.time_base = pts, fractions.Fraction(time_base)
        return frame


def brightness(frame: av.VideoFrame) -> float:
    """Mean of the luma plane."""
    return float(frame.to_ndarray()[: frame.height].mean())


class Client:
    """Offers camera (0), film (1), audio (2) and the data channel (3), as a page does."""

    ROLES: ClassVar = {"camera": "0", "film": "1", "audio": "2"}

    def __init__(self, *, hosted: bool = False, channel: str = "gaze") -> None:
        self.connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        back = "recvonly" if hosted else "sendrecv"
        self.connection.addTransceiver(Grey(50), direction="sendonly")
        self.connection.addTransceiver("video" if hosted else Grey(100), direction=back)
        self.connection.addTransceiver("audio" if hosted else AudioStreamTrack(), direction=back)
        self.channel: RTCDataChannel = self.connection.createDataChannel(channel)
        self.messages: asyncio.Queue[str] = asyncio.Queue()
        self.channel.on("message", self.messages.put_nowait)
        self.tracks: list[MediaStreamTrack] = []
        self.connection.on("track", self.tracks.append)
        self.rtcp: list[bytes] = []
        self._number = 0
        self.numbers: list[int] = []
        self._reporting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.gather(self._reporting, return_exceptions=True)
        await self.connection.close()

    async def offer(self) -> str:
        await self.connection.setLocalDescription()
        sdp: str = self.connection.localDescription.sdp
        return sdp

    async def accept(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    @property
    def transport(self) -> Any:
        return self.connection.getTransceivers()[0].receiver.transport

    @property
    def ice(self) -> Any:
        return self.transport.transport._connection

    def candidates(self, sdp: str) -> list[str]:
        return [line for line in sdp.splitlines() if line.startswith("a=candidate:")]

    def hear_rtcp(self) -> None:
        """Keep all RTCP that comes, decrypted."""
        handle = self.transport._handle_rtcp_data

        async def keep(data: bytes) -> None:
            self.rtcp.append(data)
            await handle(data)

        self.transport._handle_rtcp_data = keep

    def number_packets(self) -> None:
        """Give every packet its transport-wide number, as browsers do where it is negotiated."""
        send = self.transport._send_rtp
        extensions = self.transport._rtp_header_extensions_map

        async def number(data: bytes) -> None:
            if not is_rtcp(data):
                packet = RtpPacket.parse(data, extensions)
                packet.extensions.transport_sequence_number = self._number
                self._number = (self._number + 1) & 0xFFFF
                data = packet.serialize(extensions)
            await send(data)

        self.transport._send_rtp = number

    def report_arrivals(self) -> None:
        """Send transport-wide feedback on what comes, as browsers do where it is negotiated."""
        transport = self.transport
        handle = transport._handle_rtp_data
        recorder = twcc.Recorder()

        async def note(data: bytes, arrival_time_ms: int) -> None:
            packet = RtpPacket.parse(data, transport._rtp_header_extensions_map)
            number = packet.extensions.transport_sequence_number
            if number is not None:
                self.numbers.append(number)
                recorder.add(number, asyncio.get_running_loop().time())
            await handle(data, arrival_time_ms=arrival_time_ms)

        async def report() -> None:
            while True:
                await asyncio.sleep(0.05)
                for feedback in recorder.take(1, 2):
                    await transport._send_rtp(feedback)

        transport._handle_rtp_data = note
        self._reporting = asyncio.create_task(report())

    def miss(self, every: int, payload_types: set[int]) -> None:
        """Lose every n-th RTP packet of some payload types on the way in."""
        transport = self.transport
        handle = transport._handle_rtp_data
        seen = 0

        async def lossy(data: bytes, arrival_time_ms: int) -> None:
            nonlocal seen
            if data[1] & 0x7F in payload_types:
                seen += 1
                if seen % every == 0:
                    return
            await handle(data, arrival_time_ms=arrival_time_ms)

        transport._handle_rtp_data = lossy

    def lose(self, every: int, payload_types: set[int]) -> None:
        """Lose every n-th RTP packet of some payload types on the way out."""
        send = self.transport._send_rtp
        seen = 0

        async def lossy(data: bytes) -> None:
            nonlocal seen
            if not is_rtcp(data) and data[1] & 0x7F in payload_types:
                seen += 1
                if seen % every == 0:
                    return
            await send(data)

        self.transport._send_rtp = lossy
