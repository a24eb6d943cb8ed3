"""H.264 profiles and levels, and what of them an offer and its answer allow to send (RFC 6184)."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Profile = Literal["baseline", "main", "high"]

DEFAULT_PROFILE_LEVEL_ID = "42e01f"
"""What browsers mean by saying nothing: constrained baseline, level 3.1. RFC 6184 has level 1."""

LEVEL_1B = 9


@dataclass(frozen=True, slots=True)
class Level:
    """A row of ITU-T H.264, table A-1.

    Attributes:
        idc: ten times the level's number, as in a sequence parameter set; 9 is level 1b.
        macroblocks_per_s: MaxMBPS.
        macroblocks: MaxFS, the largest frame.
        kbps: MaxBR for the baseline and main profiles, in 1000 bit/s.
    """

    idc: int
    macroblocks_per_s: int
    macroblocks: int
    kbps: int

    def holds(self, width: int, height: int) -> bool:
        """Whether a frame of that many pixels is small enough."""
        across, down = math.ceil(width / 16), math.ceil(height / 16)
        longest = math.isqrt(8 * self.macroblocks)
        return across * down <= self.macroblocks and max(across, down) <= longest

    def fps(self, width: int, height: int) -> float:
        """The most frames a second of that size."""
        return self.macroblocks_per_s / (math.ceil(width / 16) * math.ceil(height / 16))


LEVELS = tuple(
    Level(*row)
    for row in (
        (10, 1_485, 99, 64),
        (LEVEL_1B, 1_485, 99, 128),
        (11, 3_000, 396, 192),
        (12, 6_000, 396, 384),
        (13, 11_880, 396, 768),
        (20, 11_880, 396, 2_000),
        (21, 19_800, 792, 4_000),
        (22, 20_250, 1_620, 4_000),
        (30, 40_500, 1_620, 10_000),
        (31, 108_000, 3_600, 14_000),
        (32, 216_000, 5_120, 20_000),
        (40, 245_760, 8_192, 20_000),
        (41, 245_760, 8_192, 50_000),
        (42, 522_240, 8_704, 50_000),
        (50, 589_824, 22_080, 135_000),
        (51, 983_040, 36_864, 240_000),
        (52, 2_073_600, 36_864, 240_000),
    )
)
_ORDER = {level.idc: place for place, level in enumerate(LEVELS)}


@dataclass(frozen=True, slots=True)
class Sendable:
    """What a receiver takes: a profile, and a level that may be widened (max-fs and its like)."""

    profile: Profile
    level: Level


def parse_profile_level_id(text: str) -> tuple[Profile, Level]:
    """The profile and level that six hexadecimal digits stand for (RFC 6184, section 8.1).

    A constrained profile counts as its wider one: the encoder uses nothing that it leaves out.

    Raises:
        ValueError: they stand for none that is known here.
    """
    if not re.fullmatch(r"[0-9a-fA-F]{6}", text):
        raise ValueError(f"a profile-level-id has six hexadecimal digits, unlike {text!r}")
    profile_idc, constraints, level_idc = bytes.fromhex(text)
    set0, set1, set3 = constraints & 0x80, constraints & 0x40, constraints & 0x10
    profile: Profile
    if profile_idc == 66 or (profile_idc == 77 and set0) or (profile_idc == 88 and set0 and set1):
        profile = "baseline"
    elif profile_idc == 77:
        profile = "main"
    elif profile_idc == 100:
        profile = "high"
    else:
        raise ValueError(f"profile-level-id {text!r} is of no profile that can be sent")
    if level_idc == 11 and set3 and profile_idc in (66, 77, 88):
        level_idc = LEVEL_1B
    if level_idc not in _ORDER:
        raise ValueError(f"profile-level-id {text!r} has an unknown level, {level_idc}")
    return profile, LEVELS[_ORDER[level_idc]]


def sendable(offered: Mapping[str, Any], answered: Mapping[str, Any]) -> Sendable:
    """What we may send after answering an offer.

    The profile is the answer's. The level is what the offerer receives if both allow asymmetry,
    otherwise the lower of the two (RFC 6184, section 8.2.2).

    Args:
        offered: the format parameters of the payload type in the offer.
        answered: and in our answer.

    Raises:
        ValueError: a profile-level-id that is none.
    """

    def of(parameters: Mapping[str, Any]) -> tuple[Profile, Level]:
        text = str(parameters.get("profile-level-id") or DEFAULT_PROFILE_LEVEL_ID)
        return parse_profile_level_id(text)

    profile, answered_level = of(answered)
    _, level = of(offered)
    sides = (offered, answered)
    if any(str(side.get("level-asymmetry-allowed", 0)) != "1" for side in sides):
        level = min(level, answered_level, key=lambda one: _ORDER[one.idc])
    for parameter, field in (
        ("max-mbps", "macroblocks_per_s"),
        ("max-fs", "macroblocks"),
        ("max-br", "kbps"),
    ):
        wider = str(offered.get(parameter) or "")
        if wider.isdecimal():
            level = replace(level, **{field: max(int(wider), getattr(level, field))})
    return Sendable(profile, level)


def lowest_level(width: int, height: int, fps: float, bitrate_bps: float, most: Level) -> int:
    """The `idc` of the lowest level for such a stream, but at most that of `most`."""
    for level in LEVELS[: _ORDER[most.idc]]:
        fast_enough = level.fps(width, height) >= fps
        if level.holds(width, height) and fast_enough and level.kbps * 1000 >= bitrate_bps:
            return level.idc
    return most.idc


def level_name(idc: int) -> str:
    """As people and encoders write it: 3.1, 1b."""
    return "1b" if idc == LEVEL_1B else f"{idc // 10}.{idc % 10}"


def fit(width: int, height: int, level: Level) -> tuple[int, int]:
    """The largest even size, of the same shape, that a level holds."""
    for fitted in range(width & ~1, 14, -2):
        size = fitted, max(2, round(height * fitted / width / 2) * 2)
        if size[1] <= height and level.holds(*size):
            return size
    return 16, 16
