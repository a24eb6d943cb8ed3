"""A mask that lines are drawn into and that fades evenly, as a phosphor screen does."""

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from gaze.effects.drawing.buffers import PlaneBuffer
from gaze.effects.drawing.shapes import ANTIALIAS_PX, SUBPIXEL_BITS, even_box, to_fixed_point
from gaze.effects.view import Point
from gaze.frames.planes import Plane, Planes

FULL: Final = 255.0
"""Value of a new line."""

SOFT_LINE: Final = ((0.5, 1.0), (0.75, 0.75), (1.0, 0.5))
"""Values and widths, as fractions, of the lines drawn over each other for one soft line, which gets
thinner as it fades. Chosen by hand."""

BOX_STEPS: Final = 32.0
"""Steps of fading after which a new box begins: eight boxes bound a whole trail. Chosen by hand;
`benchmarks.effects` measures the cost."""

_EMPTY: Final = slice(0, 0), slice(0, 0)


@dataclass(slots=True)
class _StrokeBox:
    """A box, in fractions of the picture, around what was drawn while the mask faded a little.

    `begun` and `drawn` count the steps of fading at the first and the last stroke in it.
    """

    begun: float
    drawn: float
    left: float
    top: float
    right: float
    bottom: float


class FadingMask:
    """A mask in the size of a picture, and the box of it that is not 0.

    Only new lines are drawn for a frame. Fading is counted in steps of 8 bits, so that its speed
    may change at any time; what was drawn `FULL` steps ago is gone.

    Attributes
    ----------
    values : ndarray of uint8, shape (height, width)
        The mask.
    box : tuple of slice
        Rows and columns outside of which it is 0, after `crop`.
    """

    def __init__(self) -> None:
        self.values: Plane = np.zeros((0, 0), np.uint8)
        self.box = _EMPTY
        self._boxes: deque[_StrokeBox] = deque()
        self._faded = 0.0
        self._buffer = PlaneBuffer()

    def resize(self, height: int, width: int) -> None:
        """Take the size of the picture; what is drawn keeps its place.

        Parameters
        ----------
        height, width : int
            In luma samples.
        """
        if self.values.shape == (height, width):
            return
        if self._boxes:
            resized = cv2.resize(self.values, (width, height), interpolation=cv2.INTER_AREA)
            self.values = np.asarray(resized, np.uint8)
        else:
            self.values = np.zeros((height, width), np.uint8)
        self.box = slice(0, height), slice(0, width)

    def fade(self, fraction: float) -> None:
        """Fade everything.

        Parameters
        ----------
        fraction : float
            Fraction of a new line's value that is lost.
        """
        before, self._faded = self._faded, self._faded + fraction * FULL
        steps = math.ceil(self._faded) - math.ceil(before)
        part = self.values[self.box]
        if steps and part.size:
            loss = self._buffer.plane(part.shape)
            loss[:] = min(steps, 255)
            cv2.subtract(part, loss, dst=part)
        while self._boxes and self._faded - self._boxes[0].drawn >= FULL:
            self._boxes.popleft()

    def crop(self, planes: Planes, reach_px: float) -> Plane:
        """Update `box` and return what is in it.

        Parameters
        ----------
        planes : Planes
            The picture.
        reach_px : float
            How far lines reach beyond their points.

        Returns
        -------
        ndarray of uint8
            A view of the mask; empty if nothing is drawn.
        """
        width, height = planes.width, planes.height
        self.box = _EMPTY
        if self._boxes:
            self.box = even_box(
                planes,
                min(box.left for box in self._boxes) * width - reach_px,
                min(box.top for box in self._boxes) * height - reach_px,
                max(box.right for box in self._boxes) * width + reach_px,
                max(box.bottom for box in self._boxes) * height + reach_px,
            )
        return self.values[self.box]

    def draw_line(self, planes: Planes, start: Point, end: Point, width_px: float) -> None:
        """Draw a soft line over whatever is fainter.

        Parameters
        ----------
        planes : Planes
            The picture.
        start, end : Point
            In fractions of the picture.
        width_px : float
            Width of the line.
        """
        left, right = sorted((start[0], end[0]))
        top, bottom = sorted((start[1], end[1]))
        self._extend_boxes(left, top, right, bottom)
        width, height = planes.width, planes.height
        reach_px = width_px + ANTIALIAS_PX
        rows, columns = even_box(
            planes,
            left * width - reach_px,
            top * height - reach_px,
            right * width + reach_px,
            bottom * height + reach_px,
        )
        part = self.values[rows, columns]
        if not part.size:
            return
        stroke = self._buffer.plane(part.shape)
        stroke[:] = 0
        first = to_fixed_point(start[0] * width - columns.start, start[1] * height - rows.start)
        last = to_fixed_point(end[0] * width - columns.start, end[1] * height - rows.start)
        for value, share in SOFT_LINE:
            thickness = max(1, round(share * width_px))
            cv2.line(stroke, first, last, (FULL * value,), thickness, cv2.LINE_AA, SUBPIXEL_BITS)
        cv2.max(part, stroke, dst=part)

    def _extend_boxes(self, left: float, top: float, right: float, bottom: float) -> None:
        if not self._boxes or self._faded - self._boxes[-1].begun > BOX_STEPS:
            self._boxes.append(_StrokeBox(self._faded, self._faded, left, top, right, bottom))
        box = self._boxes[-1]
        box.drawn = self._faded
        box.left, box.right = min(box.left, left), max(box.right, right)
        box.top, box.bottom = min(box.top, top), max(box.bottom, bottom)
