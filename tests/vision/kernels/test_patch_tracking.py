"""Patterns of skin: kept, found again, and what they say of the head."""

import cv2
import numpy as np
import pytest

from gaze.vision.kernels.jit import turned
from gaze.vision.kernels.patch_tracking import (
    between_deg,
    blurred,
    fitted,
    from_head,
    in_head,
    kept,
    slopes,
)
from simulation.landmarks import rotation

FOCAL_PX = 550.0
MIDDLE = np.array([159.5, 119.5])
EYES_MM = np.array([5.0, -10.0, 500.0])


def spots(count=16):
    """Spots (n, 3) of a head, and which way each is seen."""
    spots_mm = np.random.default_rng(3).uniform(-50.0, 50.0, (count, 3)) * (1.0, 0.8, 0.3)
    along = spots_mm + EYES_MM
    return spots_mm, along / along[:, 2:]


def head(spots_mm, moved_mm=(0.0, 0.0, 0.0)):
    """A picture of a head of soft blobs that faces the camera, and where its spots are."""
    grey = np.full((240, 320), 110.0, np.float32)
    y, x = np.mgrid[:240, :320]
    points = spots_mm + EYES_MM + moved_mm
    there = points[:, :2] * FOCAL_PX / points[:, 2:]
    for (right, down), sign in zip(there + MIDDLE, np.tile([1, -1], len(there)), strict=False):
        grey += sign * 60.0 * np.exp(-((x - right) ** 2 / 18.0 + (y - down) ** 2 / 10.0))
    return np.clip(np.round(grey), 0, 255).astype(np.uint8), there


def follow(spots_mm, along, key, grey, rotation, eyes_mm, rounds=8):
    skin_mm = np.zeros((len(spots_mm), 2, 3))
    skin_mm[:, 0, 0] = skin_mm[:, 1, 1] = (spots_mm[:, 2] + EYES_MM[2]) / FOCAL_PX
    held = (spots_mm, along, skin_mm, np.full(len(spots_mm), 0.01))
    patterns = (key.offsets, key.grey, key.steps, key.unsure)
    return fitted(*held, *patterns, grey, MIDDLE, rotation, eyes_mm, FOCAL_PX, rounds)


@pytest.mark.parametrize("shape", [(3, 3), (8, 61), (120, 97)])
def test_blurring_is_that_of_opencv(shape):
    grey = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(blurred(grey), cv2.GaussianBlur(grey, (5, 5), 0.8))


def test_what_a_head_is_off_by_is_the_same_in_its_own_frame_and_back():
    before, way = rotation(12.0, -7.0, 20.0), np.array([0.1, -0.2, 0.05, 4.0, -3.0, 9.0])
    seen = from_head(before, way)
    after = turned(before, seen[:3])
    assert after == pytest.approx(before @ cv2.Rodrigues(way[:3])[0], abs=1e-12)
    assert in_head(before, EYES_MM, after, EYES_MM + seen[3:]) == pytest.approx(way, abs=1e-12)
    assert in_head(before, EYES_MM, before, EYES_MM) == pytest.approx(np.zeros(6), abs=1e-12)
    assert between_deg(before, after) == pytest.approx(np.degrees(np.linalg.norm(way[:3])))


def test_slopes_are_how_the_places_change():
    (spots_mm, along), turn = spots(), rotation(15.0, 5.0, -8.0)
    there, by_pose, by_depth = slopes(spots_mm, along, turn, EYES_MM, FOCAL_PX)
    for number, small in enumerate(1e-6 * np.eye(6)):
        nearby = turned(turn, small[:3]), EYES_MM + small[3:]
        moved, _, _ = slopes(spots_mm, along, *nearby, FOCAL_PX)
        assert by_pose[:, :, number] == pytest.approx((moved - there) / 1e-6, abs=1e-2)
    moved, _, _ = slopes(spots_mm + 1e-6 * along, along, turn, EYES_MM, FOCAL_PX)
    assert by_depth == pytest.approx((moved - there) / 1e-6, abs=1e-2)


def test_a_head_is_found_where_its_spots_are():
    spots_mm, along = spots()
    grey, there = head(spots_mm)
    moved_mm = np.array([1.5, -1.0, 4.0])
    moved, seen_there = head(spots_mm, moved_mm)
    key = kept(grey, there + MIDDLE, 1.0)
    turn, eyes_mm, places, unsure, share, left_px = follow(
        spots_mm, along, key, moved, np.eye(3), EYES_MM
    )
    assert eyes_mm == pytest.approx(EYES_MM + moved_mm, abs=0.3)
    assert between_deg(turn, np.eye(3)) < 0.3
    assert share > 0.7
    assert left_px < 0.05
    assert np.median(np.abs(places - seen_there)) < 0.1
    assert np.linalg.eigvalsh(unsure).min() > 0.0


@pytest.mark.parametrize("damage", [np.nan, np.inf, 1e12])
def test_a_head_that_is_nowhere_is_not_found(damage):
    spots_mm, along = spots()
    grey, there = head(spots_mm)
    key = kept(grey, there + MIDDLE, 1.0)
    nowhere = np.array([damage, 0.0, 500.0])
    _, eyes_mm, *_ = follow(spots_mm, along, key, grey, np.eye(3), nowhere)
    assert not abs(eyes_mm[0]) < 1e3
