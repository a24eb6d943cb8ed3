"""Regressions from features to the point of gaze: this product's, and those beside it."""

from collections.abc import Callable

import numpy as np

from benchmarks.gaze import ridge
from benchmarks.gaze.photos import Array, Numbers, Photos
from benchmarks.gaze.protocols import Split
from gaze.vision.regression import gaussian_process
from gaze.vision.regression.features import HEAD, IRISES

Method = Callable[[Split], Array]


def _centre(split: Split) -> Array:
    photos, numbers = split.tested
    middle = [0.5, photos.screen.height_px / photos.screen.width_px / 2.0]
    return np.tile(middle, (len(numbers), 1))


def _uncalibrated(split: Split) -> Array:
    photos, numbers = split.tested
    return photos.estimates[numbers]


def _ridge(reading: str) -> Method:
    def landmarks_only(photos: Photos, numbers: Numbers) -> Array:
        rows = getattr(photos, reading)[numbers]
        x, y = rows[:, IRISES][:, :4].reshape(-1, 2, 2).mean(axis=1).T
        return np.column_stack([rows[:, IRISES], rows[:, HEAD], x * x, x * y, y * y])

    def predict(split: Split) -> Array:
        features = np.vstack([landmarks_only(*part) for part in split.parts])
        targets = np.vstack([photos.targets[numbers] for photos, numbers in split.parts])
        learned, _ = ridge.fit_best(features, targets, np.arange(len(features)))
        return learned.predict(landmarks_only(*split.tested))

    return predict


def _gaussian_process(reading: str) -> Method:
    def predict(split: Split) -> Array:
        photos, numbers = split.tested
        last = len(split.parts) - 1
        # The tested session's own targets come last; without any it is another session.
        own = last if split.parts[last][0] is photos else last + 1
        learned = gaussian_process.fit(
            np.vstack([getattr(each, reading)[part] for each, part in split.parts]),
            np.vstack([each.targets[part] for each, part in split.parts]),
            photos.screen,
            np.repeat(np.arange(last + 1), [len(part) for _, part in split.parts]),
        )
        return learned.predict(getattr(photos, reading)[numbers], photos.screen, own)

    return predict


CENTRE: Method = _centre
UNCALIBRATED: Method = _uncalibrated
METHODS: dict[str, Method] = {
    "centre": CENTRE,
    "ridge_one_reading": _ridge("once"),
    "ridge": _ridge("averaged"),
    "ours_one_reading": _gaussian_process("once"),
    "ours": _gaussian_process("averaged"),
}
