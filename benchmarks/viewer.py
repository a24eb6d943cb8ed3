"""A viewer without a browser, for measuring: sends encoded media, reads frame numbers back.

The client is aiortc with one part replaced, the same against every server: frames are released on
the RTP marker bit (as browsers do), so that the delay of aiortc's own jitter buffer, a whole frame,
does not count as a server's. The film it sends was encoded beforehand; the time of a frame runs
from handing its packets to aiortc until the returned frame's last packet has been reassembled,
before decoding. So a round trip includes neither encoding nor decoding of the viewer.
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
    RTCRtpReceiver,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import RtpPacket

from benchmarks import material, strip
from gaze.rtc.congestion import twcc
from gaze.rtc.congestion.feedback_recorder import FeedbackRecorder
from gaze.rtc.rtp.jitter_buffer import VideoJitterBuffer
from simulation.clients.rtc_viewer import FULL_SCREEN

TWCC_ID = 7
FEEDBACK_INTERVAL_S = 0.05


@dataclass(frozen=True, slots=True)
class Returned:
    """One frame that came back.

    Attributes
    ----------
    number : int or None
        Its number; None if the strip is unreadable.
    arrived_s : float
        When its last packet had arrived.
    width, height : int
        Its size, px.
    encoded_bytes : int, default 0
        Its encoded size; 0 if unknown.
    rtp : int or None, default None
        Its RTP timestamp; None if unknown.
    """

    number: int | None
    arrived_s: float
    width: int
    height: int
    encoded_bytes: int = 0
    rtp: int | None = None


class _TimedQueue(queue.SimpleQueue[Any]):
    """Between jitter buffer and decoder: records each frame's time and size by RTP timestamp."""

    def __init__(self) -> None:
        self.complete: dict[int, tuple[float, int]] = {}

    def put(
        self,
        item: Any,  # noqa: ANN401 - (codec, frame) of aiortc, or None at the end
        block: bool = True,
        timeout: float | None = None,
    ) -> None:
        if item is not None:
            self.complete[item[1].timestamp] = time.monotonic(), len(item[1].data)
        super().put(item)


def vp8_only() -> list[RTCRtpCodecCapability]:
    """Return the codecs VP8 and its retransmissions."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    return [codec for codec in codecs if codec.mimeType in ("video/VP8", "video/rtx")]


def _offering_feedback(sdp: str, mid: str) -> str:
    """Add transport-wide feedback to the m-line of a mid, as browsers offer it."""
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


async def _give_feedback(receiver: RTCRtpReceiver) -> None:
    """Send transport-wide feedback every 50 ms."""
    transport: Any = receiver.transport
    extension = RTCRtpHeaderExtensionParameters(id=TWCC_ID, uri=twcc.EXTENSION_URI)
    transport._rtp_header_extensions_map.configure(RTCRtpParameters(headerExtensions=[extension]))
    recorder, route = FeedbackRecorder(), transport._rtp_router.route_rtp
    ssrc = 0

    def record(packet: RtpPacket) -> object:
        nonlocal ssrc
        number = packet.extensions.transport_sequence_number
        if number is not None:
            recorder.add(number, time.monotonic())
            ssrc = packet.ssrc
        return route(packet)

    transport._rtp_router.route_rtp = record
    while True:
        await asyncio.sleep(FEEDBACK_INTERVAL_S)
        for packet in recorder.build_feedback(1, ssrc):
            with contextlib.suppress(ConnectionError):
                await transport._send_rtp(packet)


class Viewer:
    """One session: camera and film out, the film back.

    With `feedback`, the server gets feedback: transport-wide if it numbers
    them, as browsers give it, otherwise aiortc's REMB. Without, it learns of losses only.

    Parameters
    ----------
    url : str
        Of the server.
    film : list of bytes, optional
        Encoded film to send, from `material.film`.
    camera : list of bytes, optional
        Encoded camera to send, from `material.camera`; by default the pointer is the gaze source.
    media : str, optional
        A hosted film, in place of `film`.
    effects : list of dict, optional
        As in a request.
    feedback : bool, default False
        Whether bandwidth feedback is given.

    Attributes
    ----------
    film_track : LoopTrack or None
        The sent film.
    returned : list of Returned
        The frames that came back so far.
    messages : list of mapping
        Of the data channel.
    session : dict
        The body of the server's answer.
    """

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
        """Open a session, and record what comes back from then on.

        Raises
        ------
        RuntimeError
            If the server refuses.
        """
        connection = self._connection
        camera = None
        if self._camera is not None:
            camera = connection.addTransceiver(self._camera, "sendonly")
            camera.setCodecPreferences(vp8_only())
        film = (
            connection.addTransceiver("video", "recvonly")
            if self.film_track is None
            else connection.addTransceiver(self.film_track, "sendrecv")
        )
        film.setCodecPreferences(vp8_only())
        channel = connection.createDataChannel("gaze")
        channel.on("open", lambda: channel.send(json.dumps(FULL_SCREEN)))
        channel.on("message", lambda text: self.messages.append(json.loads(text)))
        await connection.setLocalDescription()
        body = {
            "sdp": _offering_feedback(connection.localDescription.sdp, str(film.mid))
            if self._feedback
            else connection.localDescription.sdp,
            "type": "offer",
            "tracks": {"film": film.mid, **({"camera": camera.mid} if camera is not None else {})},
            "effects": self._effects,
            "gaze": "pointer" if camera is None else "camera",
            **({} if self._media is None else {"media": self._media}),
        }
        self._http = ClientSession()
        async with self._http.post(f"{self._url}/api/sessions", json=body) as response:
            self.session = await response.json()
            if response.status != 201:
                raise RuntimeError(
                    f"{self._url} refused the session with {response.status}: {self.session}"
                )
        receiver: Any = film.receiver
        arrivals = _TimedQueue()
        receiver._RTCRtpReceiver__decoder_queue = arrivals
        numbered = f" {twcc.EXTENSION_URI}" in self.session["sdp"]
        if numbered or not self._feedback:
            receiver._RTCRtpReceiver__remote_bitrate_estimator = None
        answer = RTCSessionDescription(self.session["sdp"], "answer")
        await connection.setRemoteDescription(answer)
        codecs = {codec.payloadType or 0: codec.name for codec in film._codecs}
        receiver._RTCRtpReceiver__jitter_buffer = VideoJitterBuffer(codecs)
        self._tasks.append(asyncio.create_task(self._read(receiver.track, arrivals)))
        if self._feedback and numbered:
            self._tasks.append(asyncio.create_task(_give_feedback(receiver)))

    async def _read(self, track: MediaStreamTrack, arrivals: _TimedQueue) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if not isinstance(frame, av.VideoFrame):
                    continue
                arrived_s, size = arrivals.complete.pop(frame.pts or 0, (time.monotonic(), 0))
                number = strip.read(strip.luma_of(frame))
                self.returned.append(
                    Returned(number, arrived_s, frame.width, frame.height, size, frame.pts)
                )

    def round_trips_s(self, since_s: float = 0.0) -> tuple[list[float], list[float]]:
        """Return when frames came back, and their round trips.

        Parameters
        ----------
        since_s : float, default 0
            Frames that came before do not count.

        Returns
        -------
        arrivals_s, trips_s : list of float
            Times and durations.

        Raises
        ------
        ValueError
            If the film is hosted.
        """
        if self.film_track is None:
            raise ValueError("a hosted film makes no round trip; give the viewer a film to send")
        arrivals = ((frame.number, frame.arrived_s) for frame in self.returned)
        loop = material.LOOP_S * material.RATE_FPS
        trips = material.round_trips(arrivals, self.film_track.sent_s, loop)
        judged = [(arrived_s, trip_s) for arrived_s, trip_s in trips if arrived_s >= since_s]
        return [arrived_s for arrived_s, _ in judged], [trip_s for _, trip_s in judged]

    def returned_since(self, since_s: float) -> list[Returned]:
        """Return the frames that came back from a time on.

        Parameters
        ----------
        since_s : float
            The time.
        """
        return [one for one in self.returned if one.arrived_s >= since_s]

    async def figures(self) -> dict[str, Any]:
        """Return what the server reports of the session; empty if it reports nothing."""
        if self._http is None:
            raise RuntimeError("the viewer has no session; open() comes first")
        headers = {"Authorization": f"Bearer {self.session['token']}"}
        url = f"{self._url}/api/sessions/{self.session['id']}"
        async with self._http.get(url, headers=headers) as response:
            return await response.json() if response.status == 200 else {}

    async def close(self) -> None:
        """Delete the session and close the connection."""
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
