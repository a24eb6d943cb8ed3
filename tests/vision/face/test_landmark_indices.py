"""The landmarks' numbers, as far as they must agree with each other."""

from gaze.vision.face.landmark_indices import (
    EYE_CORNERS,
    EYES,
    IRIS_LANDMARKS,
    LANDMARKS,
    LIDS,
    MESH_LANDMARKS,
)


def test_lids_go_from_corner_to_corner_in_the_images_direction() -> None:
    right, left = EYES
    assert (right.outer, right.inner, left.inner, left.outer) == EYE_CORNERS
    for (first, last), lids in zip((EYE_CORNERS[:2], EYE_CORNERS[2:]), LIDS, strict=True):
        for lid in lids:
            assert (lid[0], lid[-1], len(lid)) == (first, last, 9)


def test_lid_pairs_are_on_the_lids() -> None:
    for eye in EYES:
        for upper, lower in eye.lid_pairs:
            assert upper in eye.upper_lid
            assert lower in eye.lower_lid


def test_irises_follow_the_mesh_centre_first() -> None:
    for number, eye in enumerate(EYES):
        first = MESH_LANDMARKS + number * IRIS_LANDMARKS
        assert (eye.iris, *eye.iris_contour) == tuple(range(first, first + IRIS_LANDMARKS))
    assert LANDMARKS == 478
