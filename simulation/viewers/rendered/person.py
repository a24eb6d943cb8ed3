"""Who is rendered: one person's head, eyes and lids, and the light, drawn from a seed.

The sizes are textbook means and spreads of adult eyes. Like all constants of this package they are
part of the specification of `benchmarks.rendered`, chosen by hand before the tracker was tuned.
"""

from dataclasses import dataclass

import numpy as np

from gaze.vision.face.landmark_indices import EYES
from simulation.viewers.landmarks import rotation
from simulation.viewers.rendered.camera import Array
from simulation.viewers.rendered.portrait import face_model

EYE_WIDTH_MM = 30.3  # corner to corner: 28 px at FAR_MM, 60 px at NEAR_MM
FAR_MM, NEAR_MM = 600.0, 280.0
EYEBALL_MM = 12.0  # radius
IRIS_MM, IRIS_SPREAD_MM, IRIS_LIMIT_MM = 11.7, 0.5, 1.0  # diameter
PUPIL_MM = (2.5, 6.5)  # diameter
# The entrance pupil, as seen through the cornea: behind the plane of the limbus, and nasal.
PUPIL_DEPTH_MM, PUPIL_NASAL_MM = 0.45, 0.2
CORNEA_MM, CORNEA_CENTRE_MM = 7.8, 5.3  # radius of curvature; its centre from the eyeball's
KAPPA_DEG, KAPPA_SPREAD_DEG = (4.5, 1.0), (1.5, 1.5)  # nasal and upward
EYE_DEPTH_MM, EYE_POSITION_SPREAD_MM = 7.0, 0.6  # behind the line between the eye's corners
HEAD_SPREAD = 0.03  # of the head's width, height and depth, as a fraction
LIGHT_IRIS_GREY, DARK_IRIS_GREY = (95.0, 140.0), (38.0, 62.0)
CAMERA_TILT_DEG = 1.0


@dataclass(frozen=True, slots=True)
class Person:
    """One viewer's body and the light on it; `draw` makes one from a seed.

    The first of each pair is the viewer's right eye.

    Attributes
    ----------
    seed : int
        The seed it was drawn from; also that of the irises' texture.
    iris_mm : float
        Diameter of the iris.
    iris_grey : float
        Brightness of the iris, grey levels.
    kappa_deg : ndarray, shape (2, 2)
        Visual axis from optical axis: nasal and upward.
    eyes_mm : ndarray, shape (2, 3)
        Centres of the eyeballs from the point midway between the eyes, head facing the camera.
    head_scale : ndarray, shape (3,)
        Width, height and depth of the head relative to the average.
    limbus_mm : float
        Width of the transition from iris to sclera.
    lid_mm : tuple of float
        Heights of the upper and the lower lid's arcs above and below the line between the corners.
    lid_follows : float
        How far the upper lid moves with the eyeball's front, as a fraction.
    light : tuple of float
        Brightness, its gradient to the right and down the face, and warmth.
    lamps : ndarray, shape (k, 3)
        Directions of the lights that the corneas reflect.
    lamp_mm : float
        Radius of their reflections.
    camera_tilt : ndarray, shape (3, 3)
        From the screen's axes to the camera's.
    """

    seed: int
    iris_mm: float
    iris_grey: float
    kappa_deg: Array
    eyes_mm: Array
    head_scale: Array
    limbus_mm: float
    lid_mm: tuple[float, float]
    lid_follows: float
    light: tuple[float, float, float, float]
    lamps: Array
    lamp_mm: float
    camera_tilt: Array

    @property
    def has_light_iris(self) -> bool:
        """Whether the iris is blue, grey or green, as opposed to brown."""
        return self.iris_grey >= LIGHT_IRIS_GREY[0]


def draw(seed: int) -> Person:
    """Draw a person.

    Parameters
    ----------
    seed : int
        Even seeds have light irises, odd seeds dark ones.

    Returns
    -------
    Person
        The same for the same seed.
    """
    random = np.random.default_rng([seed, 4])
    kappa = np.array(KAPPA_DEG) + random.normal(0.0, KAPPA_SPREAD_DEG)
    corners = [[eye.outer, eye.inner] for eye in EYES]
    eyes = face_model().points_mm[corners].mean(axis=1)
    eye_position = random.normal(0.0, EYE_POSITION_SPREAD_MM, 3)
    head_scale = random.normal(1.0, HEAD_SPREAD, 3)
    eyes = eyes * head_scale + np.array([0.0, 0.0, EYE_DEPTH_MM]) + eye_position
    lamps = random.normal(0.0, 1.0, (2, 3)) * (0.6, 0.4, 0.0) + (0.0, -0.3, -1.0)
    lamps[0, :2] *= 0.3  # the screen
    iris_spread_mm = random.normal(0.0, IRIS_SPREAD_MM)
    return Person(
        seed=seed,
        iris_mm=IRIS_MM + float(np.clip(iris_spread_mm, -IRIS_LIMIT_MM, IRIS_LIMIT_MM)),
        iris_grey=float(random.uniform(*(DARK_IRIS_GREY if seed % 2 else LIGHT_IRIS_GREY))),
        kappa_deg=kappa + random.normal(0.0, 0.5, (2, 2)),
        eyes_mm=eyes + random.normal(0.0, 0.2, (2, 3)),
        head_scale=head_scale,
        limbus_mm=float(random.uniform(0.6, 1.2)),
        lid_mm=(float(random.normal(4.6, 0.4)), float(random.normal(5.2, 0.3))),
        lid_follows=float(random.normal(0.75, 0.08)),
        light=(
            float(random.uniform(0.6, 1.1)),
            float(random.uniform(-0.3, 0.3)),
            float(random.uniform(-0.2, 0.2)),
            float(random.uniform(-0.08, 0.08)),
        ),
        lamps=lamps / np.linalg.norm(lamps, axis=1, keepdims=True),
        lamp_mm=float(random.uniform(0.3, 0.7)),
        camera_tilt=rotation(0.0, *random.normal(0.0, CAMERA_TILT_DEG, 2)),
    )
