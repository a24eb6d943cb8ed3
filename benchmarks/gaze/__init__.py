"""Accuracy of the point of gaze on photos of real people: `python -m benchmarks.gaze DATA`.

Unit: distance from target to estimate as a fraction of the screen's width, averaged over a
session's targets and then over sessions (or pairs of sessions), for each person. Peers: the
screen's centre (the error of knowing nothing) and ridge regression on landmarks (what common
webcam trackers do), beside this product's Gaussian process.

DATA holds `labels.csv` (person, session, image, target_x_px, target_y_px, screen_width_px,
screen_height_px) and the photos that it names, one for each target.

A live calibration sees a target in some thirty frames; here there is one. So each photo is read
under the small shifts and scalings of `photos.AUGMENTATIONS` and mirrored, and the features are
averaged. The rows `*_one_reading` do without.

Modules: `photos` (features of each photo), `protocols` (what is calibrated with, what is tested),
`methods` (the regressions), `ridge` (the peer's).
"""
