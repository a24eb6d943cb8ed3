"""Rendered viewers: camera pictures of a head and eyes of which every measure is known.

The head is scikit-image's public-domain portrait on the three-dimensional face mesh that MediaPipe
finds in it, rotated and projected by a pinhole camera. The eyeballs are spheres of 12 mm radius
with an iris, an entrance pupil behind the plane of the limbus, a cornea that reflects lights, and
lids that follow vertical gaze. Each eye's visual axis meets the target and is off its optical axis
by the angle kappa.

Camera space as in the product: millimetres, x right, y down, z away from the camera. Positions in a
picture are in pixels, and the centre of the first pixel is (0, 0).

Every constant of this package is part of the specification of `benchmarks.rendered`. All were set
before the tracker was tuned on these pictures; none is to be tuned.

Modules: `person` (body and light, drawn from a seed), `scene` (what one picture shows, and its
ground truth), `portrait` (head model), `eyes` (eyeballs and lids), `render` (one picture), `camera`
(projection, noise and VP8), `session` (what one viewer does in front of the benchmark's screen).
"""

from simulation.viewers.rendered.camera import FPS, HEIGHT, WIDTH, Frame, project, through_camera
from simulation.viewers.rendered.person import FAR_MM, NEAR_MM, PUPIL_MM, Person, draw
from simulation.viewers.rendered.render import render
from simulation.viewers.rendered.scene import Picture, Scene, Truth

__all__ = [
    "FAR_MM",
    "FPS",
    "HEIGHT",
    "NEAR_MM",
    "PUPIL_MM",
    "WIDTH",
    "Frame",
    "Person",
    "Picture",
    "Scene",
    "Truth",
    "draw",
    "project",
    "render",
    "through_camera",
]
