"""What of an offered section is accepted, and how it is answered."""

import re

import pytest
from aiortc import RTCDtlsParameters, RTCIceCandidate, RTCIceParameters
from aiortc.sdp import GroupDescription, MediaDescription, SessionDescription

from gaze.rtc.congestion import twcc
from gaze.rtc.media_section import (
    MAX_DECLARED_SSRCS,
    LocalTransport,
    MediaSection,
    write_answer,
)
from gaze.rtc.rtp.header_extensions import ABSOLUTE_SEND_TIME, MID
from gaze.rtc.sdp.offer import read_offer
from simulation.clients.rtc_client import Client


@pytest.fixture
async def offered() -> MediaDescription:
    """A camera's section, as a stock client offers it with transport-wide feedback."""
    async with Client() as client:
        offer = await client.offer()
    offer = re.sub(r"(a=rtpmap:(\d+) VP8/90000\r\n)", r"\1a=rtcp-fb:\2 transport-cc\r\n", offer)
    offer = offer.replace("a=rtcp-mux\r\n", f"a=rtcp-mux\r\na=extmap:4 {twcc.EXTENSION_URI}\r\n")
    return next(
        media
        for media in read_offer(offer, Client.ROLES, hosted=False).media
        if media.rtp.muxId == "0"
    )


async def test_only_what_is_known_is_accepted_unasked(offered: MediaDescription) -> None:
    section = MediaSection(offered)
    assert (section.mid, section.kind, section.direction) == ("0", "video", "inactive")
    assert [extension.uri for extension in section.extensions] == [MID, ABSOLUTE_SEND_TIME]
    assert not section.receives and not section.sends


async def test_transport_feedback_is_accepted_for_the_codecs_that_offer_it(
    offered: MediaDescription,
) -> None:
    section = MediaSection(offered)
    assert section.accept_transport_feedback()
    told = {
        codec.name: [feedback.type for feedback in codec.rtcpFeedback] for codec in section.codecs
    }
    assert "transport-cc" in told["VP8"] and "transport-cc" not in told["H264"]
    assert section.accept_extension("urn:unknown") is None
    assert section.accept_extension(twcc.EXTENSION_URI) == 4
    assert [extension.id for extension in section.extensions].count(4) == 1


async def test_a_preferred_codec_comes_first_with_its_retransmissions(
    offered: MediaDescription,
) -> None:
    section = MediaSection(offered)
    assert section.codecs[0].name == "VP8"
    section.prefer_codec("H264")
    first, second, *_ = section.codecs
    assert (first.name, second.parameters["apt"]) == ("H264", first.payloadType)
    section.prefer_codec("AV1")
    assert section.codecs[0] is first


async def test_retransmissions_are_told_by_the_fid_group_or_by_their_place(
    offered: MediaDescription,
) -> None:
    section = MediaSection(offered)
    original, repair = section.remote_ssrcs
    assert section.repairs == {repair: original}
    offered.ssrc_group = []
    assert section.repairs == {repair: original}
    offered.ssrc_group = [GroupDescription("FID", [7, 8]), GroupDescription("SIM", [7, 9])]
    assert section.repairs == {8: 7}


async def test_only_so_many_declared_ssrcs_count(offered: MediaDescription) -> None:
    offered.ssrc *= 100
    assert len(MediaSection(offered).remote_ssrcs) == MAX_DECLARED_SSRCS


async def test_an_answer_can_be_parsed_again(offered: MediaDescription) -> None:
    section = MediaSection(offered)
    section.direction = "recvonly"
    candidate = RTCIceCandidate(1, "1", "192.0.2.1", 4000, 99, "udp", "host")
    dtls = RTCDtlsParameters(role="client")
    for candidates, place in (([candidate], ("192.0.2.1", 4000)), ([], ("0.0.0.0", 9))):
        transport = LocalTransport(candidates, RTCIceParameters("ufrag", "password"), dtls)
        answer = write_answer([section.describe("stream", "name")], transport)
        read = SessionDescription.parse(answer)
        (media,) = read.media
        assert read.group == [GroupDescription("BUNDLE", ["0"])]
        assert (media.host, media.port) == place
        assert media.ice_candidates == candidates and media.ice_candidates_complete
        assert media.direction == "recvonly" and media.rtcp_mux
        assert media.dtls is not None and media.dtls.role == "client"
        assert [one.ssrc for one in media.ssrc] == [section.ssrc, section.rtx_ssrc]
        assert [codec.payloadType for codec in media.rtp.codecs] == media.fmt
