"""A small RTSP server, RFC 2326: one H.264 picture stream over its own TCP connection."""

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator
from fractions import Fraction

import av

from simulation.coded_film import RATE_FPS, coded_frame

SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n"
    "a=control:one\r\n"
)


class _Packets:
    """A file to which FFmpeg's RTP muxer writes one packet at a time."""

    def __init__(self) -> None:
        self.ready: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.ready.append(bytes(data))
        return len(data)


async def play(writer: asyncio.StreamWriter) -> None:
    """Send coded frames at their rate, interleaved as channel 0."""
    packets = _Packets()
    with av.open(packets, "w", format="rtp", container_options={"packetsize": "1400"}) as rtp:
        stream = rtp.add_stream("libx264", rate=RATE_FPS)
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        stream.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "g": "10",
            "payload_type": "96",
        }
        for number in itertools.count():
            frame = coded_frame(number % 256)
            frame.pts, frame.time_base = number, Fraction(1, RATE_FPS)
            for packet in stream.encode(frame):
                rtp.mux(packet)
            for data in packets.ready:
                channel = 1 if 192 <= data[1] <= 223 else 0
                writer.write(b"$" + bytes([channel]) + len(data).to_bytes(2, "big") + data)
            packets.ready.clear()
            await writer.drain()
            await asyncio.sleep(1 / RATE_FPS)


class RtspServer:
    """Answers one client after the other; `redirect` is where DESCRIBE sends them, if anywhere."""

    def __init__(self) -> None:
        self.port = 0
        self.redirect: str | None = None
        self.asked: list[str] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, url, _ = request.split("\r\n", 1)[0].split(" ")
                self.asked.append(f"{method} {url}")
                number = re.search(r"(?i)cseq:\s*(\d+)", request)
                assert number is not None
                answer = {"CSeq": number[1], "Session": "1"}
                status, body = "200 OK", ""
                if method == "DESCRIBE" and self.redirect is not None:
                    status, answer["Location"] = "302 Moved", self.redirect
                elif method == "DESCRIBE":
                    answer |= {"Content-Type": "application/sdp", "Content-Base": url + "/"}
                    body = SDP
                elif method == "SETUP":
                    answer["Transport"] = "RTP/AVP/TCP;unicast;interleaved=0-1"
                if body:
                    answer["Content-Length"] = str(len(body))
                head = "".join(f"{name}: {value}\r\n" for name, value in answer.items())
                writer.write(f"RTSP/1.0 {status}\r\n{head}\r\n{body}".encode())
                await writer.drain()
                if method == "PLAY":
                    await play(writer)
        writer.close()

    def hang_up(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()


@contextlib.asynccontextmanager
async def rtsp_server() -> AsyncIterator[RtspServer]:
    """The server on a free port of this machine."""
    served = RtspServer()
    listening = await asyncio.start_server(served._serve, "127.0.0.1", 0)
    served.port = listening.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        listening.close()
        served.hang_up()
