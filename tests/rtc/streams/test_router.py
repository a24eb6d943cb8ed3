"""Which receiver a packet is for."""

from aiortc.rtp import RtpPacket

from gaze.rtc.aiortc_ext.packets import Extensions
from gaze.rtc.streams.router import MAX_LEARNED_SSRCS, Router


class Named:
    """A receiver that notes what it is told to forget."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.forgotten: list[int] = []

    def forget(self, ssrc: int) -> None:
        self.forgotten.append(ssrc)


def packet(ssrc: int, payload_type: int = 96, mid: str | None = None) -> RtpPacket:
    made = RtpPacket(payload_type, ssrc=ssrc)
    made.extensions = Extensions(mid=mid)  # type: ignore[assignment]
    return made


def test_packets_are_routed_by_declared_ssrc_then_by_mid_then_by_payload_type() -> None:
    router: Router[Named] = Router()
    first, second, audio = Named("0"), Named("1"), Named("2")
    router.add(first, "0", [1], [96, 97])
    router.add(second, "1", [1234, 4321], [96, 97])
    router.add(audio, "2", [], [111])
    assert router.route(packet(4321, 97)) is second  # retransmissions
    assert router.route(packet(5)) is None  # two receivers have this payload type
    assert router.route(packet(5, mid="0")) is first
    assert router.route(packet(5)) is first
    assert router.route(packet(6, 111)) is audio
    assert router.route(packet(7, 99, mid="0")) is None  # a payload type that was not negotiated
    assert router.route(packet(1, 111)) is None
    assert router.receiver_of(6) is audio and router.receiver_of(7) is None


def test_only_the_newest_of_the_ssrcs_that_packets_introduce_are_kept() -> None:
    router: Router[Named] = Router()
    camera = Named("camera")
    router.add(camera, "0", [1], [96])
    ssrcs = range(100, 100 + 3 * MAX_LEARNED_SSRCS)
    for ssrc in ssrcs:
        assert router.route(packet(ssrc)) is camera
    assert camera.forgotten == list(ssrcs[: 2 * MAX_LEARNED_SSRCS])
    assert router.receiver_of(1) is camera  # declared
    assert router.receiver_of(ssrcs[0]) is None and router.receiver_of(ssrcs[-1]) is camera
    assert router.route(packet(ssrcs[0])) is camera
