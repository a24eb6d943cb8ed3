"""A viewer without a browser, for measuring: sends what is encoded already, reads time strips back.

The client side is aiortc with one part exchanged, the same against every server: frames are
released on the RTP marker bit (as browsers do), so that the delay of aiortc's own jitter buffer,
a whole frame, is not counted as a server's. The film it sends was encoded beforehand; the time of
a frame runs from its packets being handed to aiortc until the returned frame's last packet has
been put together, before decoding. So a round trip holds neither encoding nor decoding of its own.
"""

import asyncio
import contextlib
import json
import queue
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import av
from aiohttp import ClientSession
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import RtpPacket

from benchmarks import material, strip
from gaze.rtc.congestion import twcc
from gaze.rtc.rtp.jitter_buffer import VideoBuffer

TWCC_ID = 7
FEEDBACK_INTERVAL_S = 0.05

LAYOUT = {
    "type": "layout",
    "screen": [1920, 1080],
    "viewport": [0, 0, 1920, 1080],
    "picture": [0, 0, 1920, 1080],
    "exact": True,
}
"""The film fills the screen, so that the point of gaze on it is known and the blur is drawn."""


@dataclass(frozen=True, slots=True)
class Returned:
    """One frame that came back: its number, when its last packet had come, and its size.

    `encoded_bytes` is 0 and `rtp`, its RTP timestamp, None where they are not known.
    """

    number: int | None
    arrived_s: float
    width: int
    height: int
    encoded_bytes: int = 0
    rtp: int | None = None


class _TimedQueue(queue.SimpleQueue[Any]):
    """Between jitter buffer and decoder: notes each frame's time and bytes, by RTP timestamp."""

    def __init__(self) -> None:
        self.complete: dict[int, tuple[float, int]] = {}

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is not None:
            self.complete[item[1].timestamp] = time.monotonic(), len(item[1].data)
        super().put(item)


def vp8_only() -> list[RTCRtpCodecCapability]:
    """VP8 and its retransmissions."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    return [codec for codec in codecs if codec.mimeType in ("video/VP8", "video/rtx")]


def _offering_feedback(sdp: str, mid: str) -> str:
    """An offer with transport-wide feedback on the m-line of a mid, as browsers offer it."""
    head, *sections = sdp.split("m=")
    for index, section in enumerate(sections):
        if f"a=mid:{mid}\r\n" not in section:
            continue
        lines = section.split("\r\n")
        types = [line[9:].split()[0] for line in lines if line.startswith("a=rtpmap:")]
        last = lines.pop()
        lines.append(f"a=extmap:{TWCC_ID} {twcc.EXTENSION_URI}")
        lines += [f"a=rtcp-fb:{number} transport-cc" for number in types]
        sections[index] = "\r\n".join([*lines, last])
    return "m=".join([head, *sections])


async def _give_feedback(receiver: Any) -> None:
    """Tell the sender every 50 ms which packets came, and when."""
    transport = receiver.transport
    extension = RTCRtpHeaderExtensionParameters(id=TWCC_ID, uri=twcc.EXTENSION_URI)
    transport._rtp_header_extensions_map.configure(RTCRtpParameters(headerExtensions=[extension]))
    recorder, route = twcc.Recorder(), transport._rtp_router.route_rtp
    ssrc = 0

    def record(packet: RtpPacket) -> Any:
        nonlocal ssrc
        number = packet.extensions.transport_sequence_number
        if number is not None:
            recorder.add(number, time.monotonic())
            ssrc = packet.ssrc
        return route(packet)

    transport._rtp_router.route_rtp = record
    while True:
        await asyncio.sleep(FEEDBACK_INTERVAL_S)
        for packet in recorder.take(1, ssrc):
            with contextlib.suppress(ConnectionError):
                await transport._send_rtp(packet)


class Viewer:
    """One session: camera and film out, the film back."""

    def __init__(
        self,
        url: str,
        *,
        film: list[bytes] | None = None,
        camera: list[bytes] | None = None,
        media: str | None = None,
        effects: list[dict[str, Any]] | None = None,
        feedback: bool = False,
    ) -> None:
        """`media` is a hosted film, in place of `film`.

        With `feedback`, the server is told how its packets fare: transport-wide feedback where it
        numbers them, as browsers give it, otherwise aiortc's REMB. Without, it hears of losses
        only.
        """
        self.film_track = None if film is None else material.LoopTrack(film)
        self.returned: list[Returned] = []
        self.messages: list[Mapping[str, Any]] = []
        self.session: dict[str, Any] = {}
        self._url = url
        self._media = media
        self._effects = effects or []
        self._feedback = feedback
        self._camera = None if camera is None else material.LoopTrack(camera)
        self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._http: ClientSession | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Offer, take the answer, and read what comes back from then on.

        Raises:
            RuntimeError: the server refused.
        """
        connection = self._connection
        seen = None
        if self._camera is not None:
            seen = connection.addTransceiver(self._camera, "sendonly")
            seen.setCodecPreferences(vp8_only())
        film = (
            connection.addTransceiver("video", "recvonly")
            if self.film_track is None
            else connection.addTransceiver(self.film_track, "sendrecv")
        )
        film.setCodecPreferences(vp8_only())
        channel = connection.createDataChannel("gaze")
        channel.on("open", lambda: channel.send(json.dumps(LAYOUT)))
        channel.on("message", lambda text: self.messages.append(json.loads(text)))
        await connection.setLocalDescription()
        body = {
            "sdp": _offering_feedback(connection.localDescription.sdp, film.mid)
            if self._feedback
            else connection.localDescription.sdp,
            "type": "offer",
            "tracks": {"film": film.mid, **({"camera": seen.mid} if seen is not None else {})},
            "effects": self._effects,
            "gaze": "pointer" if seen is None else "camera",
            **({} if self._media is None else {"media": self._media}),
        }
        self._http = ClientSession()
        async with self._http.post(f"{self._url}/api/sessions", json=body) as response:
            self.session = await response.json()
            if response.status != 201:
                raise RuntimeError(f"{self._url} refused: {self.session}")
        receiver: Any = film.receiver
        arrivals = _TimedQueue()
        receiver._RTCRtpReceiver__decoder_queue = arrivals
        numbered = f" {twcc.EXTENSION_URI}" in self.session["sdp"]
        if numbered or not self._feedback:
            receiver._RTCRtpReceiver__remote_bitrate_estimator = None
        answer = RTCSessionDescription(self.session["sdp"], "answer")
        await connection.setRemoteDescription(answer)
        codecs = {codec.payloadType or 0: codec.name for codec in film._codecs}
        receiver._RTCRtpReceiver__jitter_buffer = VideoBuffer(codecs)
        self._tasks.append(asyncio.create_task(self._read(receiver.track, arrivals)))
        if self._feedback and numbered:
            self._tasks.append(asyncio.create_task(_give_feedback(receiver)))

    async def _read(self, track: MediaStreamTrack, arrivals: _TimedQueue) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.VideoFrame)
                arrived_s, size = arrivals.complete.pop(frame.pts or 0, (time.monotonic(), 0))
                number = strip.read(strip.luma_of(frame))
                self.returned.append(
                    Returned(number, arrived_s, frame.width, frame.height, size, frame.pts)
                )

    def round_trips_s(self, since_s: float = 0.0) -> tuple[list[float], list[float]]:
        """When frames came back, from a time on, and how long each had been away."""
        track = self.film_track
        assert track is not None
        came = ((frame.number, frame.arrived_s) for frame in self.returned)
        trips = material.since_sent(came, track.sent_s, material.LOOP_S * material.RATE_FPS)
        late = [(arrived_s, away_s) for arrived_s, away_s in trips if arrived_s >= since_s]
        return [arrived_s for arrived_s, _ in late], [away_s for _, away_s in late]

    def returned_since(self, since_s: float) -> list[Returned]:
        """The frames that came back from a time on."""
        return [one for one in self.returned if one.arrived_s >= since_s]

    async def figures(self) -> dict[str, Any]:
        """What the server says of the session; empty for a server that says nothing."""
        assert self._http is not None
        headers = {"Authorization": f"Bearer {self.session['token']}"}
        url = f"{self._url}/api/sessions/{self.session['id']}"
        async with self._http.get(url, headers=headers) as response:
            return await response.json() if response.status == 200 else {}

    async def close(self) -> None:
        """Leave."""
        for task in self._tasks:
            task.cancel()
        if self._http is not None:
            if self.session.get("id") is not None:
                headers = {"Authorization": f"Bearer {self.session['token']}"}
                url = f"{self._url}/api/sessions/{self.session['id']}"
                with contextlib.suppress(Exception):
                    await self._http.delete(url, headers=headers)
            await self._http.close()
        await self._connection.close()
