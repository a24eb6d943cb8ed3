"""Candidates converted from aioice to aiortc and back."""

from aioice import Candidate

from gaze.rtc.ice.candidates import from_aioice, to_aioice


def test_a_candidate_survives_the_conversion_in_both_directions() -> None:
    line = "1 1 udp 1685987071 203.0.113.7 50000 typ srflx raddr 10.0.0.7 rport 40000"
    candidate = Candidate.from_sdp(line)
    converted = from_aioice(candidate)
    assert (converted.ip, converted.port, converted.type) == ("203.0.113.7", 50000, "srflx")
    assert (converted.relatedAddress, converted.relatedPort) == ("10.0.0.7", 40000)
    assert to_aioice(converted).to_sdp() == candidate.to_sdp()
