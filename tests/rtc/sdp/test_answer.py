"""What is added to an answer: bitrates for the browser, and rejected m-lines."""

import re

from gaze.rtc.sdp.answer import SendRate, finish_answer
from gaze.rtc.sdp.offer import Section


def test_rejected_m_lines_are_put_back_in_their_place() -> None:
    answer = "v=0\r\na=group:BUNDLE 1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n"
    offered = [
        Section(("m=video 9 UDP/TLS/RTP/SAVPF 45", "a=mid:0", "a=sendrecv")),
        Section(("m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=sendonly")),
        Section(("m=text 0 UDP/TLS/RTP/SAVPF 98",)),
    ]
    assert finish_answer(answer, {}, offered, {2, 0}) == (
        "v=0\r\na=group:BUNDLE 1\r\n"
        "m=video 0 UDP/TLS/RTP/SAVPF 45\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:0\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n"
        "m=text 0 UDP/TLS/RTP/SAVPF 98\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n"
    )


def test_bitrates_are_set_for_the_video_codecs_of_their_m_line_only() -> None:
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
