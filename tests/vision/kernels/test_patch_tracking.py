"""Patches of skin aligned with a picture, and the head that they are on."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray, GreyImage
from gaze.vision.kernels.patch_tracking import Templates, align, make_templates
from gaze.vision.kernels.rigid_motion import angle_between_deg

FOCAL_PX = 550.0
CENTRE_PX = np.array([159.5, 119.5])
EYES_MM = np.array([5.0, -10.0, 500.0])


def points_and_rays(count: int = 16) -> tuple[FloatArray, FloatArray]:
    points_mm = np.random.default_rng(3).uniform(-50.0, 50.0, (count, 3)) * (1.0, 0.8, 0.3)
    rays = points_mm + EYES_MM
    return points_mm, rays / rays[:, 2:]


def head(
    points_mm: FloatArray, moved_mm: FloatArray | tuple[float, ...] = (0.0, 0.0, 0.0)
) -> tuple[GreyImage, FloatArray]:
    """A picture of a head of soft blobs that faces the camera, and where its points are."""
    grey = np.full((240, 320), 110.0, np.float32)
    y, x = np.mgrid[:240, :320]
    points = points_mm + EYES_MM + moved_mm
    projected = points[:, :2] * FOCAL_PX / points[:, 2:]
    signs = np.tile([1, -1], len(projected))
    for (right, down), sign in zip(projected + CENTRE_PX, signs, strict=False):
        grey += sign * 60.0 * np.exp(-((x - right) ** 2 / 18.0 + (y - down) ** 2 / 10.0))
    return np.clip(np.round(grey), 0, 255).astype(np.uint8), projected


def track(
    points_mm: FloatArray,
    rays: FloatArray,
    templates: Templates,
    grey: GreyImage,
    eyes_mm: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, float, float]:
    tangents_mm = np.zeros((len(points_mm), 2, 3))
    tangents_mm[:, 0, 0] = tangents_mm[:, 1, 1] = (points_mm[:, 2] + EYES_MM[2]) / FOCAL_PX
    return align(
        points_mm,
        rays,
        tangents_mm,
        np.full(len(points_mm), 0.01),
        templates.offsets_px,
        templates.grey,
        templates.gains,
        templates.covariances,
        grey,
        CENTRE_PX,
        np.eye(3),
        eyes_mm,
        FOCAL_PX,
        8,
    )


def test_templates_are_normalised() -> None:
    points_mm, _ = points_and_rays()
    grey, projected = head(points_mm)
    templates = make_templates(grey, projected + CENTRE_PX, 1.0)
    assert templates.grey.shape == (16, 81)
    assert templates.offsets_px.min() == -4.0
    assert templates.offsets_px.max() == 4.0
    # The centre of a bright blob is brighter than its mean, that of a dark one darker.
    assert (templates.grey[::2, 40] > 0.0).all()
    assert (templates.grey[1::2, 40] < 0.0).all()


def test_a_head_is_found_where_its_patches_are() -> None:
    points_mm, rays = points_and_rays()
    grey, projected = head(points_mm)
    moved_mm = np.array([1.5, -1.0, 4.0])
    moved, moved_projected = head(points_mm, moved_mm)
    templates = make_templates(grey, projected + CENTRE_PX, 1.0)
    rotation, eyes_mm, locations_px, covariances, inliers, last_step_px = track(
        points_mm, rays, templates, moved, EYES_MM
    )
    assert eyes_mm == pytest.approx(EYES_MM + moved_mm, abs=0.3)
    assert angle_between_deg(rotation, np.eye(3)) < 0.3
    assert inliers > 0.7
    assert last_step_px < 0.05
    assert np.median(np.abs(locations_px - moved_projected)) < 0.1
    assert np.linalg.eigvalsh(covariances).min() > 0.0


@pytest.mark.parametrize("damage", [np.nan, np.inf, 1e12])
def test_a_head_that_is_nowhere_is_not_found(damage: float) -> None:
    points_mm, rays = points_and_rays()
    grey, projected = head(points_mm)
    templates = make_templates(grey, projected + CENTRE_PX, 1.0)
    _, eyes_mm, *_ = track(points_mm, rays, templates, grey, np.array([damage, 0.0, 500.0]))
    assert not abs(eyes_mm[0]) < 1e3
