"""Offers of browsers, and what is said to those that cannot be answered."""

import re

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from gaze.rtc.sdp.answer import SendRate, finish_answer
from gaze.rtc.sdp.offer import Offer, OfferError, OfferErrorKind, read_offer

SESSION = """v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE {mids}
a=extmap-allow-mixed
a=msid-semantic: WMS stream
"""

TRANSPORT = """c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
{candidates}a=ice-ufrag:4ZcD
a=ice-pwd:2/1muCWoOi3uLifh0NuRHlG1
a=ice-options:trickle
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
"""

FINGERPRINT = ":".join(["AB"] * 32)

CANDIDATES = """a=candidate:1 1 udp 2113937151 1f4712db-ea17-4bcf.local 51234 typ host
a=candidate:2 1 tcp 1518280447 1f4712db-ea17-4bcf.local 9 typ host tcptype active
a=end-of-candidates
"""

# As Chromium offers it: VP8, VP9, H.264 in several profiles, AV1, red, ulpfec.
CHROMIUM_VIDEO = """m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 103 104 107 108 39 40 45 46 112 113 114
{transport}a=mid:{mid}
a=extmap:1 urn:ietf:params:rtp-hdrext:toffset
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 urn:3gpp:video-orientation
a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
a={direction}
a=msid:stream 7ab4f1ac-3d7a-4c3b-8fd0-6f1f4a7b3d5e
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:98 VP9/90000
a=rtcp-fb:98 transport-cc
a=fmtp:98 profile-id=0
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=98
a=rtpmap:103 H264/90000
a=rtcp-fb:103 transport-cc
a=rtcp-fb:103 nack pli
a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:104 rtx/90000
a=fmtp:104 apt=103
a=rtpmap:107 H264/90000
a=rtcp-fb:107 transport-cc
a=fmtp:107 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f
a=rtpmap:108 rtx/90000
a=fmtp:108 apt=107
a=rtpmap:39 H264/90000
a=fmtp:39 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f
a=rtpmap:40 rtx/90000
a=fmtp:40 apt=39
a=rtpmap:45 AV1/90000
a=rtcp-fb:45 transport-cc
a=fmtp:45 level-idx=5;profile=0;tier=0
a=rtpmap:46 rtx/90000
a=fmtp:46 apt=45
a=rtpmap:112 red/90000
a=rtpmap:113 rtx/90000
a=fmtp:113 apt=112
a=rtpmap:114 ulpfec/90000
a=ssrc-group:FID 1001{mid} 2001{mid}
a=ssrc:1001{mid} cname:zxTdqnFTQKK1ENHb
a=ssrc:2001{mid} cname:zxTdqnFTQKK1ENHb
"""

CHROMIUM_AUDIO = """m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
{transport}a=mid:{mid}
a=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a={direction}
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
"""

# As Firefox offers it: no transport-cc on sound, extmaps with directions, session-level identity.
FIREFOX_VIDEO = """m=video 9 UDP/TLS/RTP/SAVPF 120 124 121 125 126 127 97 98 123 122 119
{transport}a={direction}
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:5 urn:ietf:params:rtp-hdrext:toffset
a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1
a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1
a=fmtp:120 max-fs=12288;max-fr=60
a=fmtp:124 apt=120
a=fmtp:121 max-fs=12288;max-fr=60
a=fmtp:125 apt=121
a=fmtp:127 apt=126
a=fmtp:98 apt=97
a=fmtp:119 apt=122
a=mid:{mid}
a=msid:{{ff-stream}} {{ff-track}}
a=rtcp-fb:120 nack
a=rtcp-fb:120 nack pli
a=rtcp-fb:120 ccm fir
a=rtcp-fb:120 goog-remb
a=rtcp-fb:120 transport-cc
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:120 VP8/90000
a=rtpmap:124 rtx/90000
a=rtpmap:121 VP9/90000
a=rtpmap:125 rtx/90000
a=rtpmap:126 H264/90000
a=rtpmap:127 rtx/90000
a=rtpmap:97 H264/90000
a=rtpmap:98 rtx/90000
a=rtpmap:123 ulpfec/90000
a=rtpmap:122 red/90000
a=rtpmap:119 rtx/90000
a=ssrc:2656586{mid} cname:{{ff-cname}}
"""

AV1_ONLY = """m=video 9 UDP/TLS/RTP/SAVPF 45
{transport}a=mid:{mid}
a={direction}
a=rtcp-mux
a=rtpmap:45 AV1/90000
"""

DATA = """m=application 9 UDP/DTLS/SCTP webrtc-datachannel
{transport}a=mid:{mid}
a=sctp-port:5000
a=max-message-size:262144
"""

ROLES = {"camera": "0", "film": "1", "audio": "2"}


def offer(*sections: tuple[str, str], candidates: str = "", bundle: str | None = None) -> str:
    """Sections as (template, direction), with mids from 0."""
    mids = " ".join(str(mid) for mid in range(len(sections)))
    text = SESSION.format(mids=mids if bundle is None else bundle)
    for mid, (template, direction) in enumerate(sections):
        transport = TRANSPORT.format(
            candidates=candidates if mid == 0 else "", fingerprint=FINGERPRINT
        )
        text += template.format(transport=transport, mid=mid, direction=direction)
    return text.replace("\n", "\r\n")


CHROMIUM = offer(
    (CHROMIUM_VIDEO, "sendonly"),
    (CHROMIUM_VIDEO, "sendrecv"),
    (CHROMIUM_AUDIO, "sendrecv"),
    (DATA, ""),
    candidates=CANDIDATES,
)


def read(sdp: str, roles: dict[str, str] = ROLES, *, hosted: bool = False) -> Offer:
    return read_offer(sdp, roles, hosted=hosted)


def test_chromium_is_understood_and_its_candidates_are_kept_for_later() -> None:
    read_ = read(CHROMIUM)
    assert [media.kind for media in read_.media] == ["video", "video", "audio", "application"]
    assert [media.direction for media in read_.media][:3] == ["sendonly", "sendrecv", "sendrecv"]
    assert "candidate" not in read_.sdp
    assert [c.protocol for c in read_.candidates] == ["udp", "tcp"]
    assert (read_.ufrag, read_.pwd) == ("4ZcD", "2/1muCWoOi3uLifh0NuRHlG1")
    assert read_.rejected == frozenset()


def test_firefox_is_understood() -> None:
    sdp = offer((FIREFOX_VIDEO, "sendonly"), (FIREFOX_VIDEO, "sendrecv"), (DATA, ""))
    assert len(read(sdp, {"camera": "0", "film": "1"}).media) == 3


async def test_aiortc_is_understood() -> None:
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.addTransceiver("video", direction="sendonly")
    client.addTransceiver("video", direction="recvonly")
    client.createDataChannel("gaze")
    await client.setLocalDescription()
    read_ = read(client.localDescription.sdp, {"camera": "0", "film": "1"}, hosted=True)
    assert len(read_.media) == 3
    assert read_.candidates
    await client.close()


def test_a_hosted_film_is_only_received_by_the_browser() -> None:
    sdp = offer((CHROMIUM_VIDEO, "sendonly"), (CHROMIUM_VIDEO, "recvonly"))
    assert read(sdp, {"camera": "0", "film": "1"}, hosted=True)
    with pytest.raises(OfferError, match="must be sendrecv"):
        read(sdp, {"camera": "0", "film": "1"})


def test_the_bundle_is_put_in_the_order_of_the_m_lines() -> None:
    sdp = offer((CHROMIUM_VIDEO, "sendonly"), (CHROMIUM_VIDEO, "sendrecv"), bundle="1 0")
    assert "a=group:BUNDLE 0 1\r\n" in read(sdp, {"camera": "0", "film": "1"}).sdp


def test_a_bundle_only_m_line_is_no_stopped_one() -> None:
    plain = offer((CHROMIUM_VIDEO, "sendonly"), (CHROMIUM_VIDEO, "sendrecv"))
    head, camera, film = plain.split("m=video 9")
    sdp = f"{head}m=video 9{camera}m=video 0{film}a=bundle-only\r\n"
    assert len(read(sdp, {"camera": "0", "film": "1"}).media) == 2


def test_a_direction_that_is_not_said_is_sendrecv() -> None:
    sdp = CHROMIUM.replace("a=sendrecv\r\n", "")
    assert read(sdp).media[1].direction == "sendrecv"


@pytest.mark.parametrize(
    ("sdp", "roles", "hosted", "kind", "field", "message"),
    [
        ("", ROLES, False, "not-an-offer", "sdp", "begins with v=0"),
        ("hello", ROLES, False, "not-an-offer", "sdp", "begins with v=0"),
        (offer(), ROLES, False, "not-an-offer", "sdp", "no m-line"),
        (offer(*[(DATA, "")] * 17), {}, False, "not-an-offer", "sdp", "17 m-lines; at most 16"),
        (CHROMIUM.replace("m=video 9", "m=video x"), ROLES, False, "not-an-offer", "sdp", "m-line"),
        (CHROMIUM.replace("a=mid:3\r\n", ""), ROLES, False, "not-an-offer", "sdp", "a=mid"),
        (CHROMIUM.replace("a=mid:3", "a=mid:0"), ROLES, False, "not-an-offer", "sdp", "the same"),
        (CHROMIUM.replace("apt=96", "apt=x"), ROLES, False, "not-an-offer", "sdp", "malformed"),
        (CHROMIUM.replace("a=ice-pwd:", "a=x:"), ROLES, False, "not-an-offer", "sdp", "ice-pwd"),
        (CHROMIUM.replace("a=setup:", "a=x:"), ROLES, False, "not-an-offer", "sdp", "a=setup"),
        (CHROMIUM.replace("a=rtcp-mux", "a=x"), ROLES, False, "not-an-offer", "sdp", "rtcp-mux"),
        (
            CHROMIUM.replace("a=sctp-port:", "a=x:"),
            ROLES,
            False,
            "not-an-offer",
            "sdp",
            "sctp-port",
        ),
        (
            CHROMIUM.replace("BUNDLE 0 1 2 3", "BUNDLE 0 1"),
            ROLES,
            False,
            "not-an-offer",
            "sdp",
            "2, 3",
        ),
        (
            CHROMIUM.replace("1 udp", "one udp"),
            ROLES,
            False,
            "not-an-offer",
            "sdp",
            "whole numbers",
        ),
        (CHROMIUM, {"camera": "7"}, False, "mid", "tracks.camera", "no mid '7'; it has 0, 1, 2, 3"),
        (CHROMIUM, {"film": "2"}, False, "mid", "tracks.film", "is audio; film needs video"),
        (CHROMIUM, {"audio": "3"}, False, "mid", "tracks.audio", "is application"),
        (CHROMIUM, {"camera": "0", "film": "0"}, False, "mid", "tracks.film", "the camera already"),
        (CHROMIUM, {"screen": "0"}, False, "mid", "tracks.screen", "one of camera, film, audio"),
        (CHROMIUM, {"camera": "1"}, False, "direction", "tracks.camera", "must be sendonly"),
        (CHROMIUM, {"film": "0"}, False, "direction", "tracks.film", "it is sendonly"),
        (CHROMIUM, {"film": "1"}, True, "direction", "tracks.film", "must be recvonly"),
        (CHROMIUM, {"audio": "2"}, True, "direction", "tracks.audio", "must be recvonly"),
        (
            offer((AV1_ONLY, "sendonly"), (DATA, "")),
            {"camera": "0"},
            False,
            "codec",
            "tracks.camera",
            "offer VP8 or H264",
        ),
    ],
)
def test_what_cannot_be_answered_is_told(
    sdp: str, roles: dict[str, str], hosted: bool, kind: OfferErrorKind, field: str, message: str
) -> None:
    with pytest.raises(OfferError, match=message) as caught:
        read(sdp, roles, hosted=hosted)
    assert (caught.value.kind, caught.value.field) == (kind, field)
    assert caught.value.message == str(caught.value)


def test_m_lines_that_nobody_knows_are_left_out_and_rejected_in_their_place() -> None:
    sdp = offer(
        (AV1_ONLY, "sendrecv"),
        (CHROMIUM_VIDEO, "sendonly"),
        ("m=text 9 UDP/TLS/RTP/SAVPF 98\n{transport}a=mid:{mid}\na={direction}\n", "sendrecv"),
    )
    read_ = read(sdp, {"camera": "1"})
    assert read_.rejected == {0, 2}
    assert "a=group:BUNDLE 1\r\n" in read_.sdp
    answer = "v=0\r\na=group:BUNDLE 1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n"
    assert finish_answer(answer, {}, read_.sections, read_.rejected) == (
        "v=0\r\na=group:BUNDLE 1\r\n"
        "m=video 0 UDP/TLS/RTP/SAVPF 45\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:0\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n"
        "m=text 0 UDP/TLS/RTP/SAVPF 98\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:2\r\n"
    )


def test_bitrates_go_to_the_video_codecs_of_their_m_line_only() -> None:
    answer = (
        "v=0\r\n"
        "m=video 9 X 96 97 103\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n"
        "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
        "a=rtpmap:103 H264/90000\r\na=fmtp:103 packetization-mode=1\r\n"
        "m=video 9 X 96\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n"
    )
    finished = finish_answer(answer, {"0": SendRate(1_000_000, 2_500_000)}, [], [])
    hint = "x-google-start-bitrate=1000;x-google-max-bitrate=2500"
    assert re.findall("a=fmtp:.*", finished.replace("\r", "")) == [
        f"a=fmtp:96 {hint}",
        "a=fmtp:97 apt=96",
        f"a=fmtp:103 packetization-mode=1;{hint}",
    ]
