"""From the screen to the picture: docs/api.md's `layout`."""

import math
from dataclasses import dataclass

ASSUMED_DIAGONAL_MM = 355.0
ASSUMED_DISTANCE_MM = 600.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the film's picture lies on the viewer's screen, in CSS pixels at 100 % page zoom.

    Attributes
    ----------
    screen_px : tuple of float
        (width, height).
    viewport_px : tuple of float
        (x, y, width, height) on the screen.
    picture_px : tuple of float
        (x, y, width, height) within the viewport.
    exact : bool
        Whether the page knows where its viewport is, or only estimates it.
    diagonal_mm : float or None
        The screen's.
    """

    screen_px: tuple[float, float]
    viewport_px: tuple[float, float, float, float]
    picture_px: tuple[float, float, float, float]
    exact: bool
    diagonal_mm: float | None = None

    def to_shown(self, screen_px: Point) -> Point:
        """Map the screen to the picture.

        Parameters
        ----------
        screen_px : tuple of float
            (x, y) on the screen.

        Returns
        -------
        tuple of float
            (x, y) as fractions of the picture; outside 0..1 it lies beside the picture.
        """
        left = self.viewport_px[0] + self.picture_px[0]
        top = self.viewport_px[1] + self.picture_px[1]
        return (screen_px[0] - left) / self.picture_px[2], (screen_px[1] - top) / self.picture_px[3]

    def to_screen(self, shown: Point) -> Point:
        """Map the picture to the screen: the inverse of `to_shown`.

        Parameters
        ----------
        shown : tuple of float
            (x, y) as fractions of the picture.

        Returns
        -------
        tuple of float
            (x, y) on the screen.
        """
        left = self.viewport_px[0] + self.picture_px[0]
        top = self.viewport_px[1] + self.picture_px[1]
        return left + shown[0] * self.picture_px[2], top + shown[1] * self.picture_px[3]

    def eccentricity_deg(self, shown: Point, distance_mm: float | None) -> float:
        """Compute the visual angle between a point and the middle of the picture.

        Parameters
        ----------
        shown : tuple of float
            (x, y) as fractions of the picture.
        distance_mm : float or None
            From the eyes to the screen.

        Returns
        -------
        float
            In degrees. Where the screen's diagonal or the distance is unknown, a laptop's 14 inches
            and 600 mm stand in.
        """
        mm_per_px = (self.diagonal_mm or ASSUMED_DIAGONAL_MM) / math.hypot(*self.screen_px)
        offset_px = math.hypot(
            (shown[0] - 0.5) * self.picture_px[2], (shown[1] - 0.5) * self.picture_px[3]
        )
        return math.degrees(math.atan2(offset_px * mm_per_px, distance_mm or ASSUMED_DISTANCE_MM))

    def picture_deg(self, distance_mm: float | None) -> float:
        """Compute the visual angle of the picture's width.

        Parameters
        ----------
        distance_mm : float or None
            From the eyes to the screen.

        Returns
        -------
        float
            In degrees; unknown lengths as in `eccentricity_deg`.
        """
        mm_per_px = (self.diagonal_mm or ASSUMED_DIAGONAL_MM) / math.hypot(*self.screen_px)
        half_mm = self.picture_px[2] * mm_per_px / 2
        return math.degrees(2 * math.atan2(half_mm, distance_mm or ASSUMED_DISTANCE_MM))
