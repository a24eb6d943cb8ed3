"""Profiles and levels: what was negotiated, and that the stream is really that."""

import av
import pytest

from gaze.rtc.codecs import h264
from gaze.rtc.codecs.encoder import VideoEncoder
from gaze.rtc.codecs.engines import FfmpegX264, Libx264, Order, Stream
from tests.rtc.codecs.test_encoder import frame

MEGA = 1_000_000


@pytest.mark.parametrize(
    ("text", "profile", "idc"),
    [
        ("42e01f", "baseline", 31),
        ("42001F", "baseline", 31),
        ("42e00b", "baseline", 11),
        ("42f00b", "baseline", h264.LEVEL_1B),
        ("4d001f", "main", 31),
        ("4d8028", "baseline", 40),
        ("58e01e", "baseline", 30),
        ("640c1f", "high", 31),
        ("640034", "high", 52),
    ],
)
def test_a_profile_level_id_is_read(text: str, profile: str, idc: int) -> None:
    found, level = h264.parse_profile_level_id(text)
    assert (found, level.idc) == (profile, idc)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("42e0", "six hexadecimal digits"),
        ("42e01z", "six hexadecimal digits"),
        ("f4001f", "no profile that can be sent"),
        ("42e01c", "unknown level, 28"),
    ],
)
def test_another_one_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        h264.parse_profile_level_id(text)


def fmtp(profile_level_id: str, **more: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {"profile-level-id": profile_level_id, "level-asymmetry-allowed": "1"} | named


def test_with_asymmetry_the_level_is_what_the_browser_receives() -> None:
    assert h264.sendable(fmtp("42e028"), fmtp("42e01f")).level.idc == 40
    assert h264.sendable(fmtp("42e015"), fmtp("42e01f")).level.idc == 21


@pytest.mark.parametrize("side", ["offer", "answer"])
def test_without_it_the_lower_level_holds_both_ways(side: str) -> None:
    offered, answered = fmtp("42e028"), fmtp("42e01f")
    del (offered if side == "offer" else answered)["level-asymmetry-allowed"]
    assert h264.sendable(offered, answered).level.idc == 31


def test_saying_nothing_is_constrained_baseline_3_1() -> None:
    sendable = h264.sendable({}, {})
    assert (sendable.profile, sendable.level.idc) == ("baseline", 31)


def test_the_profile_is_the_answers() -> None:
    assert h264.sendable(fmtp("640c1f"), fmtp("42e01f")).profile == "baseline"


def test_a_receiver_may_take_more_than_its_level() -> None:
    sendable = h264.sendable(fmtp("42e01f", max_fs="8192", max_mbps="245760"), fmtp("42e01f"))
    assert sendable.level.holds(1920, 1080)
    assert sendable.level.fps(1920, 1080) > 30
    assert sendable.level.idc == 31


@pytest.mark.parametrize(
    ("size", "fps", "idc"),
    [
        ((176, 144), 15, 10),
        ((640, 360), 30, 30),
        ((1280, 720), 30, 31),
        ((1280, 720), 60, 32),
        ((1920, 1080), 30, 40),
        ((3840, 2160), 60, 52),
    ],
)
def test_the_lowest_level_that_fits(size: tuple[int, int], fps: int, idc: int) -> None:
    """The sizes and rates of table A-6 of the standard."""
    assert h264.lowest_level(*size, fps, 60_000, h264.LEVELS[-1]) == idc


def test_a_high_bitrate_needs_a_higher_level_and_none_goes_beyond_the_most() -> None:
    assert h264.lowest_level(320, 180, 30, 3 * MEGA, h264.LEVELS[-1]) == 21
    level_3_1 = h264.parse_profile_level_id("42e01f")[1]
    assert h264.lowest_level(1920, 1080, 60, MEGA, level_3_1) == 31


@pytest.mark.parametrize("level", h264.LEVELS, ids=lambda level: h264.level_name(level.idc))
def test_a_fitted_size_fits_and_keeps_its_shape(level: h264.Level) -> None:
    width, height = h264.fit(1920, 1080, level)
    assert level.holds(width, height)
    assert width % 2 == height % 2 == 0
    assert width / height == pytest.approx(16 / 9, rel=0.03)


class Bits:
    """Reads a NAL unit's payload bit by bit (ITU-T H.264, section 7.2 and 9.1)."""

    def __init__(self, data: bytes) -> None:
        data = data.replace(b"\0\0\3", b"\0\0")  # emulation prevention
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._at = 0

    def u(self, count: int) -> int:
        self._at += count
        return int(self._bits[self._at - count : self._at], 2)

    def ue(self) -> int:
        zeros = self._bits.index("1", self._at) - self._at
        self._at += zeros
        return self.u(zeros + 1) - 1


def parameters_of(data: bytes) -> tuple[int, int, int, tuple[int, int]]:
    """profile_idc, constraint flags, level_idc and coded size, from the sequence parameter set."""
    sets = [nal for nal in data.split(b"\0\0\1") if nal and nal[0] & 0x1F == 7]
    assert len(sets) == 1, "one sequence parameter set with a key frame"
    bits = Bits(sets[0][1:])
    profile_idc, constraints, level_idc = bits.u(8), bits.u(8), bits.u(8)
    bits.ue()  # seq_parameter_set_id
    if profile_idc == 100:
        assert bits.ue() == 1  # 4:2:0
        assert (bits.ue(), bits.ue()) == (0, 0)  # 8 bits
        assert bits.u(2) == 0  # no bypass, no scaling matrix
    bits.ue()  # log2_max_frame_num_minus4
    order = bits.ue()
    if order == 0:
        bits.ue()
    bits.ue()  # max_num_ref_frames
    bits.u(1)
    return profile_idc, constraints, level_idc, ((bits.ue() + 1) * 16, (bits.ue() + 1) * 16)


@pytest.mark.parametrize("engine", [Libx264, FfmpegX264])
@pytest.mark.parametrize(
    ("profile_level_id", "profile_idc", "level_idc"),
    [
        ("42e01f", 66, 30),
        ("42001f", 66, 30),
        ("4d001f", 77, 30),
        ("640c1f", 100, 30),
        ("42e016", 66, 22),
    ],
)
@pytest.mark.parametrize("speed", [0, 3])
def test_the_stream_says_what_was_negotiated(
    engine: type[Libx264] | type[FfmpegX264],
    profile_level_id: str,
    profile_idc: int,
    level_idc: int,
    speed: int,
) -> None:
    """640x360 needs level 3; 2.2 is what the last one allows, and its rate is seen to above."""
    parameters = fmtp(profile_level_id)
    stream = Stream(640, 360, 2 * MEGA, h264.sendable(parameters, parameters))
    order = Order(bitrate_bps=MEGA, speed=speed, key_frame=True, duration=3000)
    data = engine(stream, order).encode(frame(0), 0, order).data
    found_profile, constraints, found_level, size = parameters_of(data)
    assert (found_profile, found_level) == (profile_idc, level_idc)
    if profile_idc == 66:
        assert constraints & 0x40, "constrained baseline: main decoders take it, too"
    assert size == (640, 368)


def test_every_key_frame_has_its_parameter_sets() -> None:
    encoder = VideoEncoder("H264", MEGA, 6 * MEGA)
    for index in range(13):
        payloads, _ = encoder.encode(frame(index), force_keyframe=index == 12)
        if index in (0, 12):
            assert payloads[0][0] & 0x1F in (7, 24), "a parameter set, or several units in one"
    assert encoder.key_frames == 2


def test_no_frame_waits_in_the_encoder() -> None:
    encoder = VideoEncoder("H264", MEGA, 6 * MEGA)
    decoder = av.CodecContext.create("h264", "r")
    assert decoder is not None
    assert all(encoder.encode(frame(index))[0] for index in range(5))
