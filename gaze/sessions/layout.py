"""From the screen to the picture: docs/api.md's `layout`, and the clock of a camera's frames."""

import math
from dataclasses import dataclass

ASSUMED_DIAGONAL_MM = 355.0
ASSUMED_DISTANCE_MM = 600.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the film's picture lies on the viewer's screen, in CSS pixels at 100 % page zoom.

    `viewport` is (x, y, width, height) on the screen, `picture` the same within the viewport.
    """

    screen_px: tuple[float, float]
    viewport_px: tuple[float, float, float, float]
    picture_px: tuple[float, float, float, float]
    exact: bool
    diagonal_mm: float | None = None

    def to_shown(self, screen_px: Point) -> Point:
        """A place on the screen as fractions of the picture; outside 0..1 it lies beside it."""
        left = self.viewport_px[0] + self.picture_px[0]
        top = self.viewport_px[1] + self.picture_px[1]
        return (screen_px[0] - left) / self.picture_px[2], (screen_px[1] - top) / self.picture_px[3]

    def to_screen(self, shown: Point) -> Point:
        """The inverse of `to_shown`."""
        left = self.viewport_px[0] + self.picture_px[0]
        top = self.viewport_px[1] + self.picture_px[1]
        return left + shown[0] * self.picture_px[2], top + shown[1] * self.picture_px[3]

    def eccentricity_deg(self, shown: Point, distance_mm: float | None) -> float:
        """Visual angle between a place and the middle of the picture.

        Where the screen's diagonal or the distance is unknown, a laptop's 14 inches and 600 mm
        stand in.
        """
        mm_per_px = (self.diagonal_mm or ASSUMED_DIAGONAL_MM) / math.hypot(*self.screen_px)
        offset_px = math.hypot(
            (shown[0] - 0.5) * self.picture_px[2], (shown[1] - 0.5) * self.picture_px[3]
        )
        return math.degrees(math.atan2(offset_px * mm_per_px, distance_mm or ASSUMED_DISTANCE_MM))

    def picture_deg(self, distance_mm: float | None) -> float:
        """Visual angle of the picture's width; unknown lengths as in `eccentricity_deg`."""
        mm_per_px = (self.diagonal_mm or ASSUMED_DIAGONAL_MM) / math.hypot(*self.screen_px)
        half_mm = self.picture_px[2] * mm_per_px / 2
        return math.degrees(2 * math.atan2(half_mm, distance_mm or ASSUMED_DISTANCE_MM))
