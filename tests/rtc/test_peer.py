"""A stock aiortc client against `Peer`: both real, over this machine's own network."""

import asyncio
import fractions
import gc
import os
import re
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import aioice
import aiortc.codecs
import av
import pytest
from aiortc import AudioStreamTrack, MediaStreamTrack, RTCDataChannel
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters
from aiortc.rtp import RTCP_PSFB_APP, RtcpPacket, RtcpPsfbPacket, RtcpSrPacket

from gaze.frames.latest import LatestValueClosed
from gaze.rtc.codecs import nvidia
from gaze.rtc.congestion import twcc
from gaze.rtc.peer import Limits, OfferError, Peer
from gaze.rtc.rtp.header_extensions import PLAYOUT_DELAY, VIDEO_ORIENTATION
from simulation.rtc_client import HEIGHT, WIDTH, Client, Grey, brightness

PATIENCE_S = 20


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer()
    yield made
    await made.close()


async def connected(
    peer: Peer,
    client: Client,
    *,
    hosted: bool = False,
    film: MediaStreamTrack | None = None,
    sound: MediaStreamTrack | None = None,
) -> str:
    """Answer and wait until the connection is there; return the answer."""
    arrived = asyncio.Event()
    peer.on_state = lambda state: arrived.set()
    answer = await peer.answer(
        await client.offer(),
        Client.ROLES,
        film or Grey(150),
        sound or AudioStreamTrack(),
        hosted=hosted,
    )
    await client.accept(answer)
    await asyncio.wait_for(arrived.wait(), PATIENCE_S)
    assert peer.state == "connected"
    return answer


def section(sdp: str, mid: str) -> str:
    return next(part for part in re.split("(?=^m=)", sdp, flags=re.M) if f"a=mid:{mid}\r\n" in part)


async def test_camera_and_film_come_in_and_the_film_goes_back(peer: Peer) -> None:
    async with Client() as client:
        await connected(peer, client)
        assert peer.camera is not None and peer.film is not None and peer.audio is not None
        async with asyncio.timeout(PATIENCE_S):
            assert brightness(await peer.camera.get()) == pytest.approx(50, abs=3)
            assert brightness(await peer.film.get()) == pytest.approx(100, abs=3)
            assert (await peer.audio.recv()).sample_rate == 48000
            (film,) = [track for track in client.tracks if track.kind == "video"]
            assert brightness(await film.recv()) == pytest.approx(150, abs=3)
            (sound,) = [track for track in client.tracks if track.kind == "audio"]
            assert (await sound.recv()).sample_rate == 48000


async def test_a_hosted_film_goes_out_and_nothing_but_the_camera_comes_in(peer: Peer) -> None:
    async with Client(hosted=True) as client:
        answer = await connected(peer, client, hosted=True)
        assert "a=recvonly" in section(answer, "0")
        assert "a=sendonly" in section(answer, "1")
        assert "a=sendonly" in section(answer, "2")
        assert peer.film is None and peer.audio is None
        assert peer.camera is not None
        async with asyncio.timeout(PATIENCE_S):
            await peer.camera.get()
            film = next(track for track in client.tracks if track.kind == "video")
            assert brightness(await film.recv()) == pytest.approx(150, abs=3)


class Encoded(Grey):
    """The same video, encoded before it is sent."""

    def __init__(self, brightness: int) -> None:
        super().__init__(brightness)
        self._encoder = av.CodecContext.create("libvpx", "w")
        self._encoder.width, self._encoder.height = WIDTH, HEIGHT
        self._encoder.pix_fmt = "yuv420p"
        self._encoder.time_base = fractions.Fraction(1, 90_000)
        self._encoder.options = {"lag-in-frames": "0", "deadline": "realtime"}
        self._encoder.gop_size = 5  # nobody can ask it for a key frame

    async def recv(self) -> Any:
        (packet,) = self._encoder.encode(await super().recv())
        return packet


async def test_a_film_that_is_encoded_already_goes_out(peer: Peer) -> None:
    async with Client(hosted=True) as client:
        answer = await peer.answer(
            await client.offer(), Client.ROLES, Encoded(150), AudioStreamTrack(), hosted=True
        )
        await client.accept(answer)
        film = next(track for track in client.tracks if track.kind == "video")
        frame = await asyncio.wait_for(film.recv(), PATIENCE_S)
        assert brightness(frame) == pytest.approx(150, abs=4)


async def test_messages_go_both_ways_on_the_channel_gaze(peer: Peer) -> None:
    def echo(channel: RTCDataChannel) -> None:
        channel.on("message", lambda message: channel.send(f"heard {message}"))

    peer.on_channel = echo
    async with Client() as client:
        client.channel.on("open", lambda: client.channel.send("hello"))
        await connected(peer, client)
        assert await asyncio.wait_for(client.messages.get(), PATIENCE_S) == "heard hello"


async def test_another_channel_is_closed(peer: Peer) -> None:
    peer.on_channel = lambda channel: pytest.fail(f"got {channel.label}")
    async with Client(channel="chat") as client:
        closed = asyncio.Event()
        client.channel.on("close", closed.set)
        await connected(peer, client)
        await asyncio.wait_for(closed.wait(), PATIENCE_S)


async def test_m_lines_without_a_role_are_answered_inactive(peer: Peer) -> None:
    async with Client() as client:
        answer = await peer.answer(await client.offer(), {"camera": "0"})
        assert "a=recvonly" in section(answer, "0")
        assert "a=inactive" in section(answer, "1")
        assert "a=inactive" in section(answer, "2")
        assert "a=group:BUNDLE 0 1 2 3\r\n" in answer
        await client.accept(answer)
        assert peer.camera is not None and peer.film is None
        await asyncio.wait_for(peer.camera.get(), PATIENCE_S)


async def test_the_answer_names_the_bitrates_for_what_the_browser_sends() -> None:
    limits = Limits(camera_start_bitrate_bps=700_000, film_max_bitrate_bps=4_000_000)
    peer = Peer(limits)
    async with Client() as client:
        answer = await peer.answer(await client.offer(), Client.ROLES)
        assert "x-google-start-bitrate=700;x-google-max-bitrate=2500" in section(answer, "0")
        assert "x-google-start-bitrate=3000;x-google-max-bitrate=4000" in section(answer, "1")
        assert "x-google" not in section(answer, "2")
    await peer.close()


async def test_an_impossible_offer_is_refused_and_leaves_nothing(peer: Peer) -> None:
    async with Client() as client:
        with pytest.raises(OfferError, match="must be recvonly"):
            await peer.answer(await client.offer(), Client.ROLES, hosted=True)


async def test_candidates_may_follow_by_patch(peer: Peer) -> None:
    """The offer has none, and the server's are hidden, so only what follows can connect."""
    async with Client() as client:
        offer = await client.offer()
        candidates = client.candidates(offer)
        bare = "\r\n".join(
            line
            for line in offer.splitlines()
            if not line.startswith("a=candidate:") and line != "a=end-of-candidates"
        )
        answer = await peer.answer(bare + "\r\n", Client.ROLES)
        hidden = re.sub(r"a=(candidate:.*|end-of-candidates)\r\n", "", answer)
        await client.accept(hidden)
        ufrag = re.search("a=ice-ufrag:(.*)\r", offer)
        assert ufrag is not None
        fragment = [f"a=ice-ufrag:{ufrag[1]}", "m=video 9 X 0", "a=mid:0", *candidates]
        assert peer.state == "new"
        await peer.add_candidates("\r\n".join([*fragment, "a=end-of-candidates"]))
        assert peer.camera is not None
        await asyncio.wait_for(peer.camera.get(), PATIENCE_S)


async def test_candidates_of_another_session_or_m_line_are_refused(peer: Peer) -> None:
    async with Client() as client:
        await peer.answer(await client.offer(), Client.ROLES)
        with pytest.raises(ValueError, match="not those of this ICE session"):
            await peer.add_candidates("a=ice-ufrag:other\r\n")
        with pytest.raises(ValueError, match="no mid '9'"):
            await peer.add_candidates("a=mid:9\r\na=end-of-candidates\r\n")


async def test_a_name_that_nobody_knows_delays_neither_answer_nor_connection(peer: Peer) -> None:
    async with Client() as client:
        offer = await client.offer()
        unknown = "a=candidate:9 1 udp 1 5f0e6e2c-0b7b-4c0e-9d6b-000000000000.local 9 typ host"
        first = client.candidates(offer)[0]
        began_s = asyncio.get_running_loop().time()
        await client.accept(
            await peer.answer(offer.replace(first, f"{unknown}\r\n{first}", 1), Client.ROLES)
        )
        assert peer.camera is not None
        await asyncio.wait_for(peer.camera.get(), PATIENCE_S)
        assert asyncio.get_running_loop().time() - began_s < PATIENCE_S


async def test_a_machine_without_a_network_is_reached_by_loopback(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Client() as client:
        offer = await client.offer()
        monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **which: [])
        answer = await peer.answer(offer, Client.ROLES)
        assert re.search(r"a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ host", answer)


async def test_etags_name_the_ice_session() -> None:
    first, second = Peer(), Peer()
    async with Client() as client:
        offer = await client.offer()
        await first.answer(offer, Client.ROLES)
        await second.answer(offer, Client.ROLES)
        assert re.fullmatch('"[0-9a-f]{16}"', first.etag)
        assert first.etag == first.etag != second.etag
    await first.close()
    await second.close()


def offer_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let aiortc's clients offer the extension, as browsers do."""
    extension = RTCRtpHeaderExtensionParameters(id=4, uri=twcc.EXTENSION_URI)
    for kind, known in list(aiortc.codecs.HEADER_EXTENSIONS.items()):
        monkeypatch.setitem(aiortc.codecs.HEADER_EXTENSIONS, kind, [*known, extension])


async def watch_rtcp(peer: Peer, client: Client, wanted: int) -> tuple[list[twcc.Feedback], int]:
    """Feedback messages that came, and the number of REMBs, once there are enough of either."""
    feedback: list[twcc.Feedback] = []
    rembs = 0
    async with asyncio.timeout(PATIENCE_S):
        while len(feedback) < wanted and rembs < wanted:
            await asyncio.sleep(0.05)
            data, client.rtcp = client.rtcp, []
            for compound in data:
                if compound[1] == twcc.RTCP_RTPFB and compound[0] & 0x1F == twcc.FMT:
                    feedback.append(twcc.parse(compound))
                    continue
                rembs += sum(
                    isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP
                    for packet in RtcpPacket.parse(compound)
                )
    return feedback, rembs


async def test_numbered_packets_are_reported_and_remb_is_silent(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_numbers(monkeypatch)
    async with Client() as client:
        offer = await client.offer()
        offer = re.sub(r"(a=rtpmap:(\d+) VP8/90000\r\n)", r"\1a=rtcp-fb:\2 transport-cc\r\n", offer)
        answer = await peer.answer(offer, Client.ROLES)
        client.number_packets()
        client.hear_rtcp()
        await client.accept(answer)
        for mid in "012":
            assert f"a=extmap:4 {twcc.EXTENSION_URI}" in section(answer, mid)
        assert "a=rtcp-fb:97 transport-cc" in section(answer, "0")
        assert "transport-cc" not in section(answer, "2")  # not offered for sound
        feedback, rembs = await watch_rtcp(peer, client, wanted=20)
        reported = [
            message.base + i
            for message in feedback
            for i, arrival_s in enumerate(message.arrivals_s)
            if arrival_s is not None
        ]
        # All that was numbered since the first that could be read, each once, in order.
        assert reported == list(range(reported[0], reported[-1] + 1))
        assert [message.count for message in feedback] == list(range(len(feedback)))
        assert rembs == 0
        assert peer.stats()["in"]["camera"]["transport_cc"] is True
        assert peer.stats()["twcc"]["packets"] >= len(reported)


async def test_without_numbers_remb_stays(peer: Peer) -> None:
    async with Client() as client:
        answer = await peer.answer(await client.offer(), Client.ROLES)
        client.hear_rtcp()
        await client.accept(answer)
        assert twcc.EXTENSION_URI not in answer
        feedback, rembs = await watch_rtcp(peer, client, wanted=1)
        assert feedback == []
        assert rembs >= 1


async def test_lost_packets_are_sent_again_to_the_m_line_that_misses_them(peer: Peer) -> None:
    """Retransmissions have an SSRC and a payload type of their own (RFC 4588)."""
    async with Client() as client:
        answer = await peer.answer(await client.offer(), Client.ROLES, Grey(150))
        vp8 = re.search(r"a=rtpmap:(\d+) VP8", answer)
        assert vp8 is not None
        client.lose(every=5, payload_types={int(vp8[1])})
        await client.accept(answer)
        assert peer.camera is not None and peer.film is not None
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(40):
                await peer.camera.get()
                await peer.film.get()
        figures = peer.stats()["in"]
        # The very first may be lost before its receiver is there to miss it.
        assert figures["camera"]["frames_lost"] <= 1
        assert figures["film"]["frames_lost"] <= 1


async def test_what_is_sent_is_numbered_and_estimated_by_the_clients_feedback(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_numbers(monkeypatch)
    async with Client() as client:
        await connected(peer, client)
        client.report_arrivals()
        film = next(track for track in client.tracks if track.kind == "video")
        async with asyncio.timeout(PATIENCE_S):
            while peer.stats()["out"]["film"]["estimate_bps"] is None or len(client.numbers) < 100:
                await film.recv()
        first = client.numbers[0]  # film and sound together
        assert client.numbers == list(range(first, first + len(client.numbers)))
        figures = peer.stats()["out"]
        assert figures["film"]["estimate_bps"] >= 2_400_000
        assert figures["audio"]["packets"] > 20
        assert figures["film"]["scale"] == 1.0


async def test_a_client_that_misses_packets_gets_them_again(peer: Peer) -> None:
    async with Client() as client:
        answer = await connected(peer, client)
        vp8 = re.search(r"a=rtpmap:(\d+) VP8", answer)
        assert vp8 is not None
        client.miss(every=5, payload_types={int(vp8[1])})
        film = next(track for track in client.tracks if track.kind == "video")
        async with asyncio.timeout(PATIENCE_S):
            while peer.stats()["out"]["film"]["packets_resent"] < 5:
                await film.recv()


async def test_the_playout_delay_and_the_orientation_are_accepted(peer: Peer) -> None:
    async with Client() as client:
        offer = await client.offer()
        offered = f"a=extmap:9 {PLAYOUT_DELAY}\r\na=extmap:10 {VIDEO_ORIENTATION}\r\n"
        offer = offer.replace("a=rtcp-mux\r\n", f"a=rtcp-mux\r\n{offered}")
        answer = await peer.answer(offer, Client.ROLES)
        assert PLAYOUT_DELAY not in section(answer, "0")
        assert f"a=extmap:10 {VIDEO_ORIENTATION}" in section(answer, "0")
        assert f"a=extmap:9 {PLAYOUT_DELAY}" in section(answer, "1")
        assert PLAYOUT_DELAY not in section(answer, "2")


class Due(MediaStreamTrack):
    """Another track, whose frames are due when their own time says, however late they come."""

    def __init__(self, source: MediaStreamTrack) -> None:
        super().__init__()
        self.kind = source.kind
        self.due_s: float | None = None
        self._source = source
        self._epoch_s: float | None = None

    async def recv(self) -> Any:
        frame: Any = await self._source.recv()
        if self._epoch_s is None:
            self._epoch_s = time.monotonic()
        self.due_s = self._epoch_s + float(frame.pts * frame.time_base)
        return frame


async def test_sender_reports_are_of_the_moment_when_frames_are_due(peer: Peer) -> None:
    async with Client() as client:
        client.hear_rtcp()
        await connected(peer, client, film=Due(Grey(150)), sound=Due(AudioStreamTrack()))
        seen: dict[int, list[RtcpSrPacket]] = {}
        async with asyncio.timeout(PATIENCE_S):
            while len(seen) < 2 or min(map(len, seen.values())) < 2:
                await asyncio.sleep(0.05)
                data, client.rtcp = client.rtcp, []
                for compound in data:
                    for packet in RtcpPacket.parse(compound):
                        if isinstance(packet, RtcpSrPacket):
                            seen.setdefault(packet.ssrc, []).append(packet)
        rates = []
        for first, *_, last in seen.values():
            ticks = (last.sender_info.rtp_timestamp - first.sender_info.rtp_timestamp) & 0xFFFFFFFF
            moments = last.sender_info.ntp_timestamp - first.sender_info.ntp_timestamp
            rates.append(ticks / (moments / 2**32))
        assert sorted(rates) == pytest.approx([48_000, 90_000], rel=1e-3)


async def test_the_clients_sender_reports_tell_when_its_frames_were_captured(peer: Peer) -> None:
    async with Client() as client:
        await connected(peer, client)
        assert peer.film is not None and peer.audio is not None
        async with asyncio.timeout(PATIENCE_S):
            while (captured_s := peer.capture_s("film", (await peer.film.get()).pts)) is None:
                pass
            while (heard_s := peer.capture_s("audio", (await peer.audio.recv()).pts)) is None:
                pass
        now_s = asyncio.get_running_loop().time()
        assert captured_s < now_s + 1 and heard_s < now_s + 1
        assert peer.capture_s("film", None) is None
        assert peer.capture_s("nothing", 0) is None


async def test_figures(peer: Peer) -> None:
    async with Client() as client:
        await connected(peer, client)
        film = next(track for track in client.tracks if track.kind == "video")
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(10):
                await film.recv()
        figures = peer.stats()
        assert figures["state"] == "connected"
        assert figures["in"].keys() == {"camera", "film", "audio"}
        camera = figures["in"]["camera"]
        assert camera["packets"] >= 5 and camera["bytes"] > 100
        assert camera["frames"] >= 5 and camera["frames_dropped"] >= camera["frames"] - 1
        assert figures["out"]["film"]["codec"] == "VP8"
        assert figures["out"]["film"]["frames"] >= 10
        assert figures["out"]["film"]["key_frames"] >= 1
        assert figures["out"]["film"]["target_bitrate_bps"] == 2_500_000


async def test_the_wanted_encoder_decides_on_the_codec_and_tells_its_times() -> None:
    told: list[float] = []
    peer = Peer(Limits(encoder="libx264", encoder_pace="fast"), on_encoded=told.append)
    async with Client() as client:
        answer = await connected(peer, client)
        first = re.search(r"^m=video \d+ \S+ (\d+)", section(answer, "1"), re.M)
        assert first is not None
        assert f"a=rtpmap:{first[1]} H264/90000" in section(answer, "1")
        film = next(track for track in client.tracks if track.kind == "video")
        async with asyncio.timeout(PATIENCE_S):
            assert brightness(await film.recv()) == pytest.approx(150, abs=3)
            assert peer.film is not None
            assert brightness(await peer.film.get()) == pytest.approx(100, abs=3)
        sent = peer.stats()["out"]["film"]
        assert (sent["codec"], sent["encoder"], sent["encoder_speed"]) == ("H264", "libx264", 3)
        assert (sent["width"], sent["height"]) == (320, 240)
        assert told and all(took_s > 0 for took_s in told)
    await peer.close()


async def test_a_codec_that_the_browser_lacks_cannot_be_preferred(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(aiortc.codecs.CODECS, "video", aiortc.codecs.CODECS["video"][:2])
    peer = Peer(Limits(encoder="libx264"))
    async with Client() as client:
        await connected(peer, client)
        async with asyncio.timeout(PATIENCE_S):
            await next(track for track in client.tracks if track.kind == "video").recv()
        assert peer.stats()["out"]["film"]["codec"] == "VP8"
    await peer.close()


async def test_where_nvenc_is_known_to_work_h264_is_preferred(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    probe = nvidia.Probe("NVENC", lambda: None)
    monkeypatch.setattr(nvidia, "nvenc", probe)
    codecs = []
    for _ in range(2):
        peer = Peer()
        async with Client() as client:
            await peer.answer(await client.offer(), Client.ROLES, Grey(150))
            codecs.append(peer.stats()["out"]["film"]["codec"])
        await peer.close()
        probe.works()
    assert codecs == ["VP8", "H264"]


async def test_what_the_card_decodes_fills_the_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder in software stands in for the card's."""
    monkeypatch.setitem(nvidia.nvdec, "VP8", nvidia.Probe("NVDEC", lambda: None))
    opened: list[str] = []

    def decoder(codec: str) -> av.CodecContext:
        opened.append(codec)
        return av.CodecContext.create("libvpx", "r")

    monkeypatch.setattr(nvidia, "decoder", decoder)
    peer = Peer(Limits(encoder="libvpx"))
    async with Client() as client:
        await connected(peer, client)
        assert peer.camera is not None and peer.film is not None
        async with asyncio.timeout(PATIENCE_S):
            assert brightness(await peer.camera.get()) == pytest.approx(50, abs=3)
            assert brightness(await peer.film.get()) == pytest.approx(100, abs=3)
    await peer.close()
    assert opened == ["VP8", "VP8"]


async def test_a_client_that_says_goodbye_is_lost_and_then_closed() -> None:
    peer = Peer()
    states: list[str] = []
    lost = asyncio.Event()

    def note(state: str) -> None:
        states.append(state)
        if state == "lost":
            lost.set()

    async with Client() as client:
        await connected(peer, client)
        peer.on_state = note
    await asyncio.wait_for(lost.wait(), PATIENCE_S)
    await peer.close()
    await peer.close()
    assert states == ["lost", "closed"]
    assert peer.camera is not None
    with pytest.raises(LatestValueClosed):
        await peer.camera.get()


async def test_a_channel_that_closes_just_when_the_connection_has_gone_raises_nowhere() -> None:
    """As when a page is reloaded: it closes the channel and says goodbye at the same time."""
    peer = Peer()
    channels: asyncio.Queue[RTCDataChannel] = asyncio.Queue()
    peer.on_channel = channels.put_nowait
    closed = asyncio.Event()
    unretrieved: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: unretrieved.append(told))
    async with Client() as client:
        await connected(peer, client)
        channel = await asyncio.wait_for(channels.get(), PATIENCE_S)
        channel.on("close", closed.set)
        channel.transport.transport.on("statechange", channel.close)
        await client.channel.transport.transport.stop()
        await asyncio.wait_for(closed.wait(), PATIENCE_S)
        await peer.close()
    gc.collect()
    assert unretrieved == []


async def test_a_client_that_never_comes_is_lost() -> None:
    peer = Peer(Limits(connect_timeout_s=0.2))
    lost = asyncio.Event()
    peer.on_state = lambda state: lost.set() if state == "lost" else None
    async with Client() as client:
        await peer.answer(await client.offer(), Client.ROLES)
        await asyncio.wait_for(lost.wait(), PATIENCE_S)
    await peer.close()


async def test_a_client_that_dies_is_lost_soon() -> None:
    peer = Peer()
    async with Client() as client:
        await connected(peer, client)
        lost = asyncio.Event()
        peer.on_state = lambda state: lost.set()
        for protocol in client.ice._protocols:
            protocol.transport.sendto = lambda *_: None  # nothing leaves any more
        began_s = asyncio.get_running_loop().time()
        await asyncio.wait_for(lost.wait(), PATIENCE_S)
        assert peer.state == "lost"
        assert asyncio.get_running_loop().time() - began_s > 2.5
    await peer.close()


async def test_a_client_that_stalls_for_two_seconds_is_kept() -> None:
    peer = Peer()
    async with Client() as client:
        await connected(peer, client)
        answer_check = client.ice.request_received
        client.ice.request_received = lambda *args: None
        await asyncio.sleep(2.0)
        client.ice.request_received = answer_check
        await asyncio.sleep(2.0)
        assert peer.state == "connected"
    await peer.close()


async def test_closing_before_the_client_comes_ends_all() -> None:
    tasks = asyncio.all_tasks()
    peer = Peer()
    async with Client() as client:
        await peer.answer(await client.offer(), Client.ROLES)
        await peer.close()
        assert peer.state == "closed"
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks


async def test_closing_a_peer_that_was_never_used() -> None:
    peer = Peer()
    await peer.close()
    assert peer.state == "closed"


def remains() -> tuple[list[str], int, int]:
    """Threads that are not of a pool, open files, tasks."""
    gc.collect()
    threads = sorted(t.name for t in threading.enumerate() if not t.name.startswith("asyncio_"))
    return threads, len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())  # noqa: PTH208


async def remains_at_rest() -> tuple[list[str], int, int]:
    """What remains once the tasks that were just cancelled have had their last turn."""
    async with asyncio.timeout(PATIENCE_S):
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)
    return remains()


async def one_session() -> None:
    peer = Peer()
    async with Client() as client:
        client.number_packets()
        await connected(peer, client)
        assert peer.camera is not None
        async with asyncio.timeout(PATIENCE_S):
            while not peer.stats()["twcc"]["messages"]:
                await peer.camera.get()
        await peer.close()


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="counts open files by /proc")  # noqa: PTH110
async def test_after_the_end_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    offer_numbers(monkeypatch)
    await one_session()
    threads, files, tasks = await remains_at_rest()
    for _ in range(5):
        await one_session()
    threads_after, files_after, tasks_after = await remains_at_rest()
    assert threads_after == threads
    assert files_after <= files
    assert tasks_after <= tasks
