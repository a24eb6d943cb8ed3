"""Brightness, contrast, saturation and warmth, through one table for each plane."""

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.veil import GREY_C

WARMEST = 20.0
"""How far warmth 1 moves the chroma of mid grey, in 8-bit steps."""

Table = NDArray[np.uint8]


class GradeParameters(Parameters):
    brightness: Annotated[
        float,
        Number(
            -1,
            1,
            unit="share",
            title="Brightness",
            description="Lifts or lowers the middle tones; black and white stay",
        ),
    ] = 0.0
    contrast: Annotated[
        float,
        Number(0, 3, unit="times", title="Contrast", description="Spread around middle grey"),
    ] = 1.15
    saturation: Annotated[
        float,
        Number(0, 3, unit="times", title="Saturation", description="Colour; 0 is black and white"),
    ] = 1.3
    warmth: Annotated[
        float,
        Number(-1, 1, unit="share", title="Warmth", description="Bluer below 0, more amber above"),
    ] = 0.35


class Grade(Effect[GradeParameters]):
    """Looks every sample up in a table of its plane. Needs no gaze; made for bindings."""

    name = "grade"
    title = "Grade"
    description = "Brightness, contrast, saturation and warmth, each of which can follow the eyes"
    Parameters = GradeParameters

    def __init__(self) -> None:
        self._made_of: GradeParameters | None = None
        self._tables: tuple[Table, Table, Table] = (_IDENTITY, _IDENTITY, _IDENTITY)

    def draw(
        self, canvas: Canvas, parameters: GradeParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        if parameters != self._made_of:
            self._made_of = parameters
            self._tables = (
                luma_table(parameters.brightness, parameters.contrast),
                chroma_table(parameters.saturation, -WARMEST * parameters.warmth),
                chroma_table(parameters.saturation, 0.7 * WARMEST * parameters.warmth),
            )
        if all(np.array_equal(table, _IDENTITY) for table in self._tables):
            return
        target = canvas.blank()
        for old, new, table in zip(canvas.source, target, self._tables, strict=True):
            cv2.LUT(old, table, dst=new)


def luma_table(brightness: float, contrast: float) -> Table:
    """Return the new value for each of the 256 of limited-range luma (16 black to 235 white).

    Brightness is a gamma of 2 ** -brightness, so it moves the middle and leaves the ends.
    """
    tone = (np.arange(256) - 16) / 219
    lifted = np.where(tone > 0, np.power(np.clip(tone, 1e-6, None), 2.0**-brightness), tone)
    return _table(16 + 219 * (0.5 + (lifted - 0.5) * contrast))


def chroma_table(saturation: float, shift: float) -> Table:
    """Return the new value for each of the 256 of chroma, whose neutral is 128."""
    return _table(GREY_C + (np.arange(256) - GREY_C) * saturation + shift)


def _table(values: NDArray[np.float64]) -> Table:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


_IDENTITY = np.arange(256, dtype=np.uint8)
