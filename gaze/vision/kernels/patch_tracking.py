"""Small patterns of skin: kept from a picture, found again in another, and moved all together.

How a pattern differs from what was kept tells which way it is off, and all of them together how the
head has moved (inverse compositional alignment, Baker and Matthews 2004).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaze.vision.kernels.jit import Array, Grey, compiled, dot, read, solve, turned

Reals = NDArray[np.float32]

PATTERN = 9
"""How many neighbours a pattern has across and down."""
BEARABLE = 3.0
"""How far off, in deviations, a pattern counts but little."""
# How well a pattern is found at best.
_NOISE_PX = 0.15
_FOUND = 0.5  # correlation
_STILL_PX = 0.05
_FIRM = 1e-9

_GRID = np.arange(PATTERN) - (PATTERN - 1) / 2.0
_OFFSETS = np.stack(np.meshgrid(_GRID, _GRID), axis=-1).reshape(-1, 2)
_WINDOW = np.exp(-(_OFFSETS**2).sum(axis=1) / (2.0 * (0.3 * PATTERN) ** 2))
_WINDOW = (_WINDOW / _WINDOW.sum()).astype(np.float32)
# Differences of neighbouring pixels go together: twice as unsure as if they did not.
_SPREAD = 4.0 * float(_WINDOW @ _WINDOW)


@dataclass(frozen=True, slots=True)
class Patterns:
    """What surrounds the spots: `grey` (n, k) of mean 0 and variance 1 at `offsets` (k, 2) in key
    pixels; `steps` (n, 2, k) turn what differs from it into a way; `unsure` (n, 2, 2) is the
    covariance of that way for differences of variance 1."""

    offsets: Array
    grey: Reals
    steps: Reals
    unsure: Array


@compiled("f8[::1](f8[:,::1], f8[::1])")
def from_head(rotation: Array, way: Array) -> Array:
    """What a turn and shift (6,) in the own frame of a head so turned (3, 3) is in the camera's."""
    seen = np.empty(6)
    for i in range(3):
        seen[i], seen[3 + i] = dot(rotation[i], way[:3]), dot(rotation[i], way[3:])
    return seen


@compiled("f8[::1](f8[:,::1], f8[::1], f8[:,::1], f8[::1])")
def in_head(rotation: Array, eyes_mm: Array, to: Array, to_mm: Array) -> Array:
    """The turn, less than half of one, and shift (6,) of a head from a place `to` another, in its
    own frame at the first."""
    way, between = np.zeros(6), np.zeros((3, 3))
    for k in range(3):
        for i in range(3):
            way[3 + i] += rotation[k, i] * (to_mm[k] - eyes_mm[k])
            for j in range(3):
                between[i, j] += rotation[k, i] * to[k, j]
    way[0] = between[2, 1] - between[1, 2]
    way[1] = between[0, 2] - between[2, 0]
    way[2] = between[1, 0] - between[0, 1]
    sine = math.sqrt(dot(way[:3], way[:3]))
    angle = math.atan2(sine, between[0, 0] + between[1, 1] + between[2, 2] - 1.0)
    way[:3] *= angle / sine if sine > 0.0 else 0.5
    return way


@compiled("f8(f8[:,::1], f8[:,::1])")
def between_deg(one: Array, other: Array) -> float:
    """The angle between two rotations (3, 3)."""
    both = dot(one[0], other[0]) + dot(one[1], other[1]) + dot(one[2], other[2])
    return math.degrees(math.acos(min(max((both - 1.0) / 2.0, -1.0), 1.0)))


@compiled("u1[:,::1](u1[:,::1])")
def blurred(grey: Grey) -> Grey:
    """A picture, at least 3 by 3, blurred by a Gaussian of 0.8 pixels: what OpenCV gives, bit by
    bit, in a third of its time."""
    height, width = grey.shape
    smooth = np.empty_like(grey)
    # Blurred downward, and mirrored at both ends.
    row = np.empty(width + 4, np.uint16)
    for i in range(height):
        a, b, c = grey[abs(i - 2)], grey[abs(i - 1)], grey[i]
        d, e = grey[min(i + 1, 2 * height - i - 3)], grey[min(i + 2, 2 * height - i - 4)]
        for j in range(width):
            row[j + 2] = 6 * (a[j] + e[j]) + 58 * (b[j] + d[j]) + 128 * c[j]
        row[0], row[1], row[-2], row[-1] = row[4], row[3], row[-4], row[-5]
        for j in range(width):
            sums = 6 * (row[j] + row[j + 4]) + 58 * (row[j + 1] + row[j + 3]) + 128 * row[j + 2]
            smooth[i, j] = (sums + 32768) >> 16
    return smooth


@compiled("f4[:,::1](u1[:,::1], f8[:,::1], f8[:,:,::1], f8[:,::1])")
def _read(grey: Grey, places: Array, skews: Array, offsets: Array) -> Reals:
    """The picture (n, k) around places (n, 2), at `offsets` (k, 2) skewed by (n, 2, 2); outside of
    it there is what is at its edge."""
    seen = np.empty((len(places), len(offsets)), np.float32)
    for n in range(len(places)):
        skew = skews[n]
        for k in range(len(offsets)):
            right, down = offsets[k, 0], offsets[k, 1]
            x = places[n, 0] + skew[0, 0] * right + skew[0, 1] * down
            y = places[n, 1] + skew[1, 0] * right + skew[1, 1] * down
            seen[n, k] = read(grey, x, y)
    return seen


@compiled("f4[::1](f4[:,::1])")
def _even(patterns: Reals) -> Reals:
    """Give patterns (n, k) a mean of 0 and a variance of 1; return their deviations (n,) before."""
    spreads = np.empty(len(patterns), np.float32)
    for n in range(len(patterns)):
        pattern = patterns[n]
        mean = variance = np.float32(0.0)
        for k in range(len(pattern)):
            mean += _WINDOW[k] * pattern[k]
        for k in range(len(pattern)):
            pattern[k] -= mean
            variance += _WINDOW[k] * pattern[k] * pattern[k]
        spreads[n] = math.sqrt(max(variance, np.float32(1e-6)))
        for k in range(len(pattern)):
            pattern[k] /= spreads[n]
    return spreads


@compiled("Tuple((f8[::1], f8[:,::1]))(f4[:,::1], f4[:,::1], f4[:,:,::1])")
def _compare(seen: Reals, patterns: Reals, steps: Reals) -> tuple[Array, Array]:
    """How alike patterns (n, k) are, their correlation (n,), and how far off they are seen (n, 2),
    in key pixels."""
    alike, off = np.empty(len(seen)), np.empty((len(seen), 2))
    for n in range(len(seen)):
        differ = right = down = np.float32(0.0)
        for k in range(len(_WINDOW)):
            more = seen[n, k] - patterns[n, k]
            differ += _WINDOW[k] * more * more
            right += steps[n, 0, k] * more
            down += steps[n, 1, k] * more
        alike[n] = 1.0 - differ / 2.0
        off[n, 0], off[n, 1] = -right, -down
    return alike, off


@compiled("f8[:,::1](f8[:,::1], f8[:,::1], f8[::1], f8)")
def _spots(spots_mm: Array, rotation: Array, eyes_mm: Array, focal_px: float) -> Array:
    """Where the spots are in the frame, from its middle (n, 2)."""
    there = np.empty((len(spots_mm), 2))
    for n in range(len(there)):
        scale = focal_px / (dot(rotation[2], spots_mm[n]) + eyes_mm[2])
        there[n, 0] = scale * (dot(rotation[0], spots_mm[n]) + eyes_mm[0])
        there[n, 1] = scale * (dot(rotation[1], spots_mm[n]) + eyes_mm[1])
    return there


@compiled(
    "Tuple((f8[:,::1], f8[:,:,::1], f8[:,::1]))(f8[:,::1], f8[:,::1], f8[:,::1], f8[::1], f8)"
)
def slopes(
    spots_mm: Array, along: Array, rotation: Array, eyes_mm: Array, focal_px: float
) -> tuple[Array, Array, Array]:
    """The spots' places from the picture's middle (n, 2), and how these change with the turn and
    shift of the head (n, 2, 6) and with each spot's depth (n, 2)."""
    there = _spots(spots_mm, rotation, eyes_mm, focal_px)
    by_pose, by_depth = np.zeros((len(there), 2, 6)), np.empty((len(there), 2))
    for n in range(len(there)):
        a, b = dot(rotation[0], spots_mm[n]), dot(rotation[1], spots_mm[n])
        c = dot(rotation[2], spots_mm[n])
        z = c + eyes_mm[2]
        scale = focal_px / z
        for i in range(2):
            slope = -there[n, i] / z
            by_pose[n, i, 0], by_pose[n, i, 1] = b * slope, -a * slope
            by_pose[n, i, 3 + i], by_pose[n, i, 5] = scale, slope
            by_depth[n, i] = scale * dot(rotation[i], along[n])
            by_depth[n, i] += slope * dot(rotation[2], along[n])
        by_pose[n, 0, 1] += c * scale
        by_pose[n, 0, 2] = -b * scale
        by_pose[n, 1, 0] -= c * scale
        by_pose[n, 1, 2] = a * scale
    return there, by_pose, by_depth


@compiled("f8[:,:,::1](f8[:,::1], f8[:,:,::1], f8[:,::1], f8[:,::1], f8[::1], f8)")
def _skews(
    spots_mm: Array,
    skin_mm: Array,
    there: Array,
    rotation: Array,
    eyes_mm: Array,
    focal_px: float,
) -> Array:
    """What turns ways in the key picture into those in the frame (n, 2, 2), around the spots."""
    skews = np.empty((len(there), 2, 2))
    for n in range(len(there)):
        deep_mm = dot(rotation[2], spots_mm[n]) + eyes_mm[2]
        for i in range(2):
            for way in range(2):
                across = focal_px * dot(rotation[i], skin_mm[n, way])
                deeper = there[n, i] * dot(rotation[2], skin_mm[n, way])
                skews[n, i, way] = (across - deeper) / deep_mm
    return skews


@compiled("f8[:,::1](f8[:,:,::1], f8[:,::1])")
def _ways(skews: Array, ways: Array) -> Array:
    """Ways (n, 2) in the key picture as they are in the frame."""
    skewed = np.empty(ways.shape)
    for n in range(len(ways)):
        for i in range(2):
            skewed[n, i] = skews[n, i, 0] * ways[n, 0] + skews[n, i, 1] * ways[n, 1]
    return skewed


@compiled("f8[:,:,::1](f8[:,:,::1], f8[:,:,::1])")
def _covariances(skews: Array, unsure: Array) -> Array:
    """Covariances (n, 2, 2) in the key picture as they are in the frame."""
    skewed = np.zeros(unsure.shape)
    for n in range(len(skews)):
        for i in range(2):
            for j in range(2):
                for k in range(2):
                    for m in range(2):
                        skewed[n, i, j] += skews[n, i, k] * unsure[n, k, m] * skews[n, j, m]
    return skewed


@compiled("f8[:,:,::1](f8[::1], f8[:,:,::1])")
def _unsure(alike: Array, spread: Array) -> Array:
    """How unsure places are (n, 2, 2) by how alike patterns are; `spread` is it for differences of
    variance 1."""
    unsure = np.empty(spread.shape)
    for n in range(len(alike)):
        differing = _SPREAD * max(1.0 - alike[n], 0.01)
        for i in range(2):
            for j in range(2):
                unsure[n, i, j] = differing * spread[n, i, j]
            unsure[n, i, i] += _NOISE_PX**2
    return unsure


@compiled("f8[:,::1](f8[:,:,::1], f8[:,::1], f8[::1])")
def _trust(unsure: Array, by_depth: Array, spread_mm2: Array) -> Array:
    """The inverse of how unsure places are, with unsure depths: xx, xy and yy (n, 3)."""
    trust = np.empty((len(unsure), 3))
    for n in range(len(unsure)):
        x, y = by_depth[n, 0], by_depth[n, 1]
        xx = unsure[n, 0, 0] + x * x * spread_mm2[n]
        xy = unsure[n, 0, 1] + x * y * spread_mm2[n]
        yy = unsure[n, 1, 1] + y * y * spread_mm2[n]
        area = xx * yy - xy * xy
        trust[n, 0], trust[n, 1], trust[n, 2] = yy / area, -xy / area, xx / area
    return trust


@compiled("f8[::1](f8[::1], f8[:,::1], f8[:,::1])")
def _agreed(alike: Array, missed: Array, trust: Array) -> Array:
    """From 0 to 1, how far what each spot missed (n, 2) agrees with where the head is."""
    far, agreed = np.empty(len(alike)), np.zeros(len(alike))
    for n in range(len(alike)):
        x, y = missed[n, 0], missed[n, 1]
        far[n] = trust[n, 0] * x * x + 2.0 * trust[n, 1] * x * y + trust[n, 2] * y * y
    bearable = max(BEARABLE**2, 2.0 * np.sort(far)[len(far) // 2])
    for n in range(len(alike)):
        if alike[n] > _FOUND:
            agreed[n] = 1.0 / (1.0 + far[n] / bearable) ** 2
    return agreed


@compiled("f8[::1](f8[:,:,::1], f8[:,::1], f8[:,::1], f8[::1])")
def _step(by_pose: Array, missed: Array, trust: Array, agreed: Array) -> Array:
    """The turn and shift of the head (6,) that take away what the spots missed (n, 2)."""
    squares, wanted = _FIRM * np.eye(6), np.zeros(6)
    for n in range(len(missed)):
        right, down = by_pose[n]
        xx, xy, yy = trust[n, 0] * agreed[n], trust[n, 1] * agreed[n], trust[n, 2] * agreed[n]
        for i in range(6):
            x, y = xx * right[i] + xy * down[i], xy * right[i] + yy * down[i]
            wanted[i] += x * missed[n, 0] + y * missed[n, 1]
            for j in range(i + 1):
                squares[i, j] += x * right[j] + y * down[j]
    solve(squares, wanted)
    return wanted


@compiled(
    "Tuple((f8[:,::1], f8[::1], f8[:,::1], f8[:,:,::1], f8, f8))(f8[:,::1], f8[:,::1],"
    "f8[:,:,::1], f8[::1], f8[:,::1], f4[:,::1], f4[:,:,::1], f8[:,:,::1], u1[:,::1], f8[::1],"
    "f8[:,::1], f8[::1], f8, i8)"
)
def fitted(
    spots_mm: Array,
    along: Array,
    skin_mm: Array,
    spread_mm2: Array,
    offsets: Array,
    patterns: Reals,
    steps: Reals,
    unsure_px2: Array,
    grey: Grey,
    middle: Array,
    rotation: Array,
    eyes_mm: Array,
    focal_px: float,
    rounds: int,
) -> tuple[Array, Array, Array, Array, float, float]:
    """Move a head, in one or more `rounds`, so that its spots show the patterns kept of them.

    Returns its rotation, where its eyes are, where each spot is seen from the picture's `middle`
    (n, 2), with what covariances (n, 2, 2), which share agrees, and how far, in pixels, the last
    round moved them.
    """
    there, by_pose, by_depth = slopes(spots_mm, along, rotation, eyes_mm, focal_px)
    skews = _skews(spots_mm, skin_mm, there, rotation, eyes_mm, focal_px)
    spread = _covariances(skews, unsure_px2)
    for _ in range(rounds):
        seen = _read(grey, there + middle, skews, offsets)
        _even(seen)
        alike, off = _compare(seen, patterns, steps)
        missed, unsure = _ways(skews, off), _unsure(alike, spread)
        trust = _trust(unsure, by_depth, spread_mm2)
        agreed = _agreed(alike, missed, trust)
        way = _step(by_pose, missed, trust, agreed)
        rotation, eyes_mm = turned(rotation, way[:3]), eyes_mm + way[3:]
        before, there = there, _spots(spots_mm, rotation, eyes_mm, focal_px)
        left_px = np.abs(there - before).mean()
        if left_px < _STILL_PX:
            break
    return rotation, eyes_mm, before + missed, unsure, agreed.mean(), left_px


def kept(grey: Grey, spots_px: Array, apart_px: float) -> Patterns:
    """Keep the patterns around spots (n, 2) of a picture, whose neighbours are so far apart."""
    offsets = _OFFSETS * apart_px
    straight = np.tile(np.eye(2), (len(spots_px), 1, 1))

    def seen(right: float, down: float) -> Reals:
        return _read(grey, spots_px + np.array([right, down]), straight, offsets)

    level = seen(0.0, 0.0)
    spread = _even(level)
    rises = np.stack([seen(0.5, 0.0) - seen(-0.5, 0.0), seen(0.0, 0.5) - seen(0.0, -0.5)], axis=1)
    rises = rises / spread[:, None, None]
    rises = rises - (rises @ _WINDOW)[:, :, None]
    weighted = rises * _WINDOW
    squares = np.asarray(weighted @ np.swapaxes(rises, 1, 2), np.float64)
    firm = np.trace(squares, axis1=1, axis2=2)[:, None, None]
    unsure = np.linalg.inv(squares + (1e-4 * firm + 1e-9) * np.eye(2))
    return Patterns(offsets, level, (unsure @ weighted).astype(np.float32), unsure)
