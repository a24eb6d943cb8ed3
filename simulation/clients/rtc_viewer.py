"""A viewer without a browser: stock aiortc that opens a session over HTTP and watches the film."""

import asyncio
import fractions
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, MediaStreamTrack
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket

RECEIVE_TIMEOUT_S = 30

Image = npt.NDArray[np.uint8]
Message = dict[str, Any]

FULL_SCREEN: Message = {
    "type": "layout",
    "screen": [1920, 1080],
    "viewport": [0, 0, 1920, 1080],
    "picture": [0, 0, 1920, 1080],
    "exact": True,
}
"""A layout message: the film fills the screen."""


class PictureTrack(MediaStreamTrack):
    """A video track whose pictures a function makes."""

    kind = "video"

    def __init__(self, picture: Callable[[float], Image], rate_fps: int = 30) -> None:
        super().__init__()
        self._picture = picture
        self._rate_fps = rate_fps
        self._index = 0
        self._start_s: float | None = None

    async def recv(self) -> av.VideoFrame:
        """Return the next frame, when it is due.

        Raises
        ------
        MediaStreamError
            If the track was stopped.
        """
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
    """Maps frames to the sender's wall clock by its RTCP sender reports (RFC 3550, 6.4.1).

    That is how a browser plays sound and picture in step. Wraps private parts of aiortc's receiver.
    """

    def __init__(self, receiver: RTCRtpReceiver, rate_hz: int) -> None:
        self._receiver = cast(Any, receiver)
        self._rate_hz = rate_hz
        self._handle = self._receiver._handle_rtcp_packet
        self._newest: tuple[int, int] | None = None
        self._receiver._handle_rtcp_packet = self._note

    async def _note(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            self._newest = info.ntp_timestamp, info.rtp_timestamp
        await self._handle(packet)

    def meant_s(self, frame: av.VideoFrame | av.AudioFrame) -> float | None:
        """Return the wall-clock time at which the sender captured a frame.

        Parameters
        ----------
        frame : av.VideoFrame or av.AudioFrame
            With its RTP timestamp as pts.

        Returns
        -------
        float or None
            Seconds of the sender's NTP clock; None until there is a report.
        """
        if self._newest is None:
            return None
        ntp, rtp = self._newest
        origin: int = self._receiver._RTCRtpReceiver__timestamp_mapper._origin
        ticks = (origin + (frame.pts or 0) - rtp) & 0xFFFFFFFF
        return ntp / 2**32 + (ticks - (ticks >> 31 << 32)) / self._rate_hz


class RtcViewer:
    """One viewer's side of a session.

    Attributes
    ----------
    messages : list of dict
        All messages of the data channel so far.
    session : dict
        The body of the server's answer.
    etag : str
        The session's ETag, which names its ICE generation.
    reports : dict of str to SenderReports
        By role, `film` and `audio`.
    """

    def __init__(self, client: TestClient[Any, Any] | ClientSession) -> None:
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
        """Add the tracks and make the parts of a request that describe them.

        Parameters
        ----------
        camera : MediaStreamTrack, optional
            The camera to send.
        film : MediaStreamTrack, optional
            The film to send; without it the film is hosted.
        sound : bool, default False
            Whether there is a sound track.

        Returns
        -------
        dict
            `sdp`, `type` and `tracks`.
        """
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
        **request: object,
    ) -> None:
        """Open a session and wait until its data channel is open.

        Parameters
        ----------
        camera, film : MediaStreamTrack, optional
            What to send; without a camera the pointer is the gaze source.
        sound : bool, default False
            Whether there is a sound track.
        **request : object
            Further fields of the request.

        Raises
        ------
        RuntimeError
            If the server refuses.
        """
        offer = await self.offer(camera=camera, film=film, sound=sound)
        if camera is None:
            request.setdefault("gaze", "pointer")
        response = await self._client.post("/api/sessions", json={**offer, **request})
        body = await response.json()
        if response.status != 201:
            raise RuntimeError(f"the server refused the session with {response.status}: {body}")
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
        """Path of the session's resource."""
        return f"/api/sessions/{self.session['id']}"

    @property
    def bearer(self) -> dict[str, str]:
        """Headers that authorise requests about the session."""
        return {"Authorization": f"Bearer {self.session['token']}"}

    def say(self, **message: object) -> None:
        """Send one message over the data channel.

        Parameters
        ----------
        **message : object
            Its fields.
        """
        self._channel.send(json.dumps(message))

    def look(self, x: float, y: float) -> None:
        """Move the pointer to a point of the returned picture, for `gaze: pointer`.

        Parameters
        ----------
        x, y : float
            As fractions of the picture.
        """
        self.say(type="pointer", shown=[x, y], t=time.monotonic())

    async def hear(
        self, kind: str, wanted: Callable[[Message], bool] = lambda message: True, *, after: int = 0
    ) -> Message:
        """Wait for a message, at most `RECEIVE_TIMEOUT_S`.

        Parameters
        ----------
        kind : str
            Its type.
        wanted : callable, optional
            Tells whether a message of that type is the one.
        after : int, default 0
            Index in `messages` of the first one that counts.

        Returns
        -------
        dict
            The message.

        Raises
        ------
        TimeoutError
            If none comes in time.
        """
        async with asyncio.timeout(RECEIVE_TIMEOUT_S):
            while True:
                for message in self.messages[after:]:
                    if message["type"] == kind and wanted(message):
                        return message
                self._news.clear()
                await self._news.wait()

    async def frame(self) -> av.VideoFrame:
        """Return the newest frame of the returned film; those that waited are skipped."""
        film: Any = self._film
        async with asyncio.timeout(RECEIVE_TIMEOUT_S):
            frame: av.VideoFrame = await film.recv()
            while not film._queue.empty():
                frame = await film.recv()
        return frame

    async def every_frame(self) -> av.VideoFrame:
        """Return the next frame of the returned film; none is skipped."""
        film: Any = self._film
        async with asyncio.timeout(RECEIVE_TIMEOUT_S):
            frame: av.VideoFrame = await film.recv()
        return frame

    async def grey(self) -> Image:
        """Return the newest frame's luma, shape (height, width)."""
        frame = await self.frame()
        planes = np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8)
        return planes[: frame.height]

    async def watch(self, seconds: float) -> Sequence[av.VideoFrame]:
        """Return the frames that arrive within a time.

        Parameters
        ----------
        seconds : float
            How long.
        """
        frames = []
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            frames.append(await self.frame())
        return frames

    async def sound(self) -> av.AudioFrame:
        """Return the next frame of sound."""
        sound: Any = self._sound
        async with asyncio.timeout(RECEIVE_TIMEOUT_S):
            frame: av.AudioFrame = await sound.recv()
        return frame

    async def disappear(self) -> None:
        """Close the connection without a DELETE request, as a page that is left does."""
        await self._pc.close()

    async def close(self) -> None:
        """Delete the session and close the connection."""
        if self.session:
            await self._client.delete(self.path, headers=self.bearer)
        await self._pc.close()
