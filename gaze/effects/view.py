"""Which part of the film is on the screen: the geometry that a zoom sets and others undo."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
"""x and y in fractions of a picture, from its top left corner."""


@dataclass(frozen=True, slots=True)
class View:
    """The visible part of a picture, in fractions of it.

    Attributes
    ----------
    x, y : float, default 0
        Its top left corner.
    width, height : float, default 1
        Its size.
    """

    x: float = 0.0
    y: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def to_film(self, point: Point) -> Point:
        """Map a point of the returned picture to the source.

        Parameters
        ----------
        point : Point
            In fractions of the returned picture.

        Returns
        -------
        Point
            The point shown there, in fractions of the source.
        """
        return self.x + point[0] * self.width, self.y + point[1] * self.height

    def to_shown(self, point: Point) -> Point:
        """Map a point of the source to the returned picture.

        Parameters
        ----------
        point : Point
            In fractions of the source.

        Returns
        -------
        Point
            Where the returned picture shows it, in fractions of that; may be beside it.
        """
        return (point[0] - self.x) / self.width, (point[1] - self.y) / self.height

    def within(self, outer: View) -> View:
        """Compose two views.

        Parameters
        ----------
        outer : View
            The view that made the picture which this one is of.

        Returns
        -------
        View
            This view in fractions of the source of `outer`.
        """
        x, y = outer.to_film((self.x, self.y))
        return View(x, y, self.width * outer.width, self.height * outer.height)


WHOLE = View()
"""The whole picture."""
