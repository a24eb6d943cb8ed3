"""A viewer without a browser: a real aiortc client that talks to a real server over HTTP."""

import asyncio
import fractions
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from aiohttp.test_utils import TestClient
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, MediaStreamTrack
from aiortc.rtp import RtcpSrPacket

Image = npt.NDArray[np.uint8]
Message = dict[str, Any]


class PictureTrack(MediaStreamTrack):
    """Sends what `picture(seconds since the first frame)` gives, RGB (height, width, 3)."""

    kind = "video"

    def __init__(self, picture: Callable[[float], Image], rate_fps: int = 30) -> None:
        super().__init__()
        self._picture = picture
        self._rate_fps = rate_fps
        self._index = 0
        self._start_s: float | None = None

    async def recv(self) -> av.VideoFrame:
        if self._start_s is None:
            self._start_s = time.monotonic()
        elapsed_s = self._index / self._rate_fps
        await asyncio.sleep(max(0.0, self._start_s + elapsed_s - time.monotonic()))
        if self.readyState != "live":
            raise MediaStreamError
        image = np.ascontiguousarray(self._picture(elapsed_s))
        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = self._index, fractions.Fraction(1, self._rate_fps)
        self._index += 1
        return frame


class SenderReports:
    """Tells from the sender's reports at which time of its wall clock a frame was meant.

    That is how a browser keeps sound and picture in step. Wraps private parts of aiortc's receiver.
    """

    def __init__(self, receiver: RTCRtpReceiver, rate_hz: int) -> None:
        self._receiver: Any = receiver
        self._rate_hz = rate_hz
        self._handle = receiver._handle_rtcp_packet
        self._newest: tuple[int, int] | None = None
        self._receiver._handle_rtcp_packet = self._note

    async def _note(self, packet: Any) -> None:
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            self._newest = info.ntp_timestamp, info.rtp_timestamp
        await self._handle(packet)

    def meant_s(self, frame: av.VideoFrame | av.AudioFrame) -> float | None:
        """Seconds of the sender's wall clock; None until there is a report."""
        if self._newest is None:
            return None
        ntp, rtp = self._newest
        origin = self._receiver._RTCRtpReceiver__timestamp_mapper._origin
        ticks = (origin + frame.pts - rtp) & 0xFFFFFFFF
        return ntp / 2**32 + (ticks - (ticks >> 31 << 32)) / self._rate_hz


class RtcViewer:
    """One viewer's side of a session."""

    def __init__(self, client: TestClient[Any, Any]) -> None:
        self.messages: list[Message] = []
        self.session: dict[str, Any] = {}
        self.etag = ""
        self._client = client
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._channel = self._pc.createDataChannel("gaze")
        self._channel_open = asyncio.Event()
        self._news = asyncio.Event()
        self._film: MediaStreamTrack | None = None
        self._sound: MediaStreamTrack | None = None
        self.reports: dict[str, SenderReports] = {}
        self._channel.on("open", self._channel_open.set)
        self._channel.on("message", self._on_message)

    def _on_message(self, text: str) -> None:
        self.messages.append(json.loads(text))
        self._news.set()

    async def offer(
        self,
        *,
        camera: MediaStreamTrack | None = None,
        film: MediaStreamTrack | None = None,
        sound: bool = False,
    ) -> dict[str, Any]:
        """The `sdp`, `type` and `tracks` of a request; without `film` it is to be hosted."""
        roles = {}
        if camera is not None:
            roles["camera"] = self._pc.addTransceiver(camera, "sendonly")
        roles["film"] = (
            self._pc.addTransceiver("video", "recvonly")
            if film is None
            else self._pc.addTransceiver(film, "sendrecv")
        )
        if sound:
            roles["audio"] = (
                self._pc.addTransceiver("audio", "recvonly")
                if film is None
                else self._pc.addTransceiver(AudioStreamTrack(), "sendrecv")
            )
        await self._pc.setLocalDescription(await self._pc.createOffer())
        self._film = roles["film"].receiver.track
        return {
            "sdp": self._pc.localDescription.sdp,
            "type": "offer",
            "tracks": {role: transceiver.mid for role, transceiver in roles.items()},
        }

    async def open(
        self,
        *,
        camera: MediaStreamTrack | None = None,
        film: MediaStreamTrack | None = None,
        sound: bool = False,
        **request: Any,
    ) -> None:
        """Open a session and wait until it is connected."""
        offer = await self.offer(camera=camera, film=film, sound=sound)
        if camera is None:
            request.setdefault("gaze", "pointer")
        response = await self._client.post("/api/sessions", json={**offer, **request})
        body = await response.json()
        assert response.status == 201, body
        self.session = body
        self.etag = response.headers["ETag"]
        await self._pc.setRemoteDescription(RTCSessionDescription(body["sdp"], "answer"))
        for transceiver in self._pc.getTransceivers():
            receiver = transceiver.receiver
            if transceiver.mid == offer["tracks"]["film"]:
                self._film = receiver.track
                self.reports["film"] = SenderReports(receiver, 90_000)
            elif transceiver.mid == offer["tracks"].get("audio"):
                self._sound = receiver.track
                self.reports["audio"] = SenderReports(receiver, 48_000)
        await asyncio.wait_for(self._channel_open.wait(), 20)

    @property
    def path(self) -> str:
        return f"/api/sessions/{self.session['id']}"

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.session['token']}"}

    def say(self, **message: Any) -> None:
        """Send one message over the data channel."""
        self._channel.send(json.dumps(message))

    def look(self, x: float, y: float) -> None:
        """With `gaze: pointer`: look at a place of the returned picture."""
        self.say(type="pointer", shown=[x, y], t=time.monotonic())

    async def hear(
        self, kind: str, wanted: Callable[[Message], bool] = lambda message: True, *, after: int = 0
    ) -> Message:
        """The first message of a type, from number `after` on, that is as wanted."""
        async with asyncio.timeout(30):
            while True:
                for message in self.messages[after:]:
                    if message["type"] == kind and wanted(message):
                        return message
                self._news.clear()
                await self._news.wait()

    async def frame(self) -> av.VideoFrame:
        """The newest frame of the returned film: those that waited are skipped."""
        assert self._film is not None
        async with asyncio.timeout(30):
            frame = await self._film.recv()
            while not self._film._queue.empty():
                frame = await self._film.recv()
        assert isinstance(frame, av.VideoFrame)
        return frame

    async def every_frame(self) -> av.VideoFrame:
        """The next frame of the returned film; none is skipped."""
        assert self._film is not None
        async with asyncio.timeout(30):
            frame = await self._film.recv()
        assert isinstance(frame, av.VideoFrame)
        return frame

    async def grey(self) -> Image:
        """The newest frame's luma, (height, width)."""
        frame = await self.frame()
        return frame.to_ndarray(format="yuv420p")[: frame.height]

    async def watch(self, seconds: float) -> Sequence[av.VideoFrame]:
        """The frames that arrive within a time."""
        assert self._film is not None
        frames = []
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            frames.append(await self.frame())
        return frames

    async def sound(self) -> av.AudioFrame:
        """The next frame of sound."""
        assert self._sound is not None
        async with asyncio.timeout(30):
            frame = await self._sound.recv()
        assert isinstance(frame, av.AudioFrame)
        return frame

    async def disappear(self) -> None:
        """Close the connection without a word over HTTP, as a page that is left does."""
        await self._pc.close()

    async def close(self) -> None:
        """Leave as a well-behaved viewer does."""
        if self.session:
            await self._client.delete(self.path, headers=self.bearer)
        await self._pc.close()
