"""Trickled candidates (RFC 8840)."""

import pytest

from gaze.rtc.sdp.ice_fragment import MAX_CANDIDATES, parse

HOST = "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw"
SRFLX = (
    "a=candidate:3471623853 1 UDP 1685987071 203.0.113.9 61764 typ srflx "
    "raddr 192.0.2.1 rport 61764"
)
MDNS = "a=candidate:1 1 udp 2122260223 1f4712db-ea17-4bcf-a596-105139dfd8bf.local 5353 typ host"
TCP = "a=candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active"


def fragment(*lines: str) -> str:
    return "\r\n".join(lines) + "\r\n"


def test_the_example_of_rfc_9725() -> None:
    read = parse(
        fragment(
            "a=group:BUNDLE 0 1",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "a=mid:0",
            "a=ice-ufrag:EsAw",
            "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
            HOST,
            SRFLX,
            "a=end-of-candidates",
        )
    )
    assert (read.ufrag, read.pwd) == ("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1")
    assert read.ended == {"0"}
    host, reflexive = read.candidates
    assert (host.ip, host.port, host.type, host.sdpMid) == ("192.0.2.1", 61764, "host", "0")
    assert (host.foundation, host.component, host.priority) == ("1387637174", 1, 2122260223)
    assert (reflexive.protocol, reflexive.type) == ("udp", "srflx")
    assert (reflexive.relatedAddress, reflexive.relatedPort) == ("192.0.2.1", 61764)


def test_names_and_tcp_are_read_and_each_section_has_its_mid() -> None:
    read = parse(
        fragment(
            "a=ice-ufrag:u", "m=video 9 X 0", "a=mid:cam", MDNS, "m=video 9 X 0", "a=mid:film", TCP
        )
    )
    assert [(c.sdpMid, c.protocol, c.tcpType) for c in read.candidates] == [
        ("cam", "udp", None),
        ("film", "tcp", "active"),
    ]
    assert read.candidates[0].ip.endswith(".local")
    assert (read.ufrag, read.pwd, read.ended) == ("u", None, frozenset())


def test_an_empty_fragment_says_nothing() -> None:
    assert parse("").candidates == ()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["nonsense"], "not a line of SDP: 'nonsense'"),
        (["a=candidate:1 1 udp 1 192.0.2.1 1 typ host"], "after the a=mid"),
        (["a=end-of-candidates"], "after the a=mid"),
        (["a=mid:0", "m=audio 9 X 0", HOST], "after the a=mid"),
        (["a=mid:0", "a=candidate:1 1 udp 1 192.0.2.1"], "not an ICE candidate"),
        (["a=mid:0", "a=candidate:1 1 udp 1 192.0.2.1 1 host x"], "not an ICE candidate"),
        (["a=mid:0", "a=candidate:1 x udp 1 192.0.2.1 1 typ host"], "whole numbers"),
        (["a=mid:0", "a=candidate:1 1 udp 1 192.0.2.1 70000 typ host"], "0 to 65535, not 70000"),
        (["a=ice-ufrag:a", "a=ice-ufrag:b"], "a=ice-ufrag differs"),
        (["a=ice-pwd:a", "a=ice-pwd:b"], "a=ice-pwd differs"),
        (["a=mid:0", *[HOST] * (MAX_CANDIDATES + 1)], "at most 64 candidates, not 65"),
    ],
)
def test_malformed_fragments_are_refused(lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(fragment(*lines))
