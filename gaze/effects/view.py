"""Which part of the film is on the screen: the geometry that a zoom reports and others undo."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class View:
    """The visible part of a picture as fractions of it, origin top-left."""

    x: float = 0.0
    y: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def to_film(self, point: Point) -> Point:
        """Turn a point of the returned picture (0..1) into the point of the source it shows."""
        return self.x + point[0] * self.width, self.y + point[1] * self.height

    def to_shown(self, point: Point) -> Point:
        """Turn a point of the source (0..1) into the place where the returned picture shows it."""
        return (point[0] - self.x) / self.width, (point[1] - self.y) / self.height

    def within(self, outer: View) -> View:
        """Return this view of what `outer` shows as a view of `outer`'s own source."""
        x, y = outer.to_film((self.x, self.y))
        return View(x, y, self.width * outer.width, self.height * outer.height)


WHOLE = View()
