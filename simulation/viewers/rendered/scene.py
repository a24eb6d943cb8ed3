"""What one rendered picture shows, and its ground truth."""

from dataclasses import dataclass

from simulation.viewers.rendered.camera import Array, Picture

__all__ = ["Picture", "Scene", "Truth"]


@dataclass(frozen=True, slots=True)
class Scene:
    """What one picture shows, in camera space.

    Attributes
    ----------
    head_rotation : ndarray, shape (3, 3)
        From head axes to camera axes.
    position_mm : ndarray, shape (3,)
        The point midway between the eyes.
    target_mm : ndarray, shape (3,)
        The point that both eyes fixate.
    pupil_mm : float
        Diameter of both pupils.
    openness : float, default 1.0
        Of the lids: 1 open, 0 closed.
    """

    head_rotation: Array
    position_mm: Array
    target_mm: Array
    pupil_mm: float
    openness: float = 1.0


@dataclass(frozen=True, slots=True)
class Truth:
    """Ground truth of one picture; the first of each pair is the viewer's right eye.

    Attributes
    ----------
    irises_px : ndarray, shape (2, 2)
        Centres of the limbus.
    radii_px : ndarray, shape (2,)
        Radii of the limbus, seen along the optical axis.
    """

    irises_px: Array
    radii_px: Array
