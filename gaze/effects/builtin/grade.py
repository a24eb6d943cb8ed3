"""Brightness, contrast, saturation and warmth, by one look-up table for each plane."""

from typing import Annotated, Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.effects.drawing.colours import NEUTRAL_CHROMA
from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState

MAX_WARMTH_STEPS: Final = 20.0
"""How far warmth 1 lowers U of mid grey, in steps of 8 bits. Chosen by hand; no benchmark covers
it."""

V_TO_U: Final = 0.7
"""How far warmth raises V over how far it lowers U, toward amber. Chosen by hand likewise."""

Table = NDArray[np.uint8]
"""The new value for each of the 256 of a plane."""


class GradeParameters(Parameters):
    """What the grade can be set to."""

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
    """Maps every sample by a table of its plane. Needs no gaze; made for bindings."""

    name = "grade"
    title = "Grade"
    description = "Brightness, contrast, saturation and warmth, each of which can follow the eyes"
    Parameters = GradeParameters

    def __init__(self) -> None:
        self._tables_for: GradeParameters | None = None
        self._tables: tuple[Table, Table, Table] = (_IDENTITY, _IDENTITY, _IDENTITY)

    def draw(
        self, canvas: Canvas, parameters: GradeParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        """Draw the grade; see `Effect.draw`."""
        if parameters != self._tables_for:
            self._tables_for = parameters
            self._tables = (
                luma_table(parameters.brightness, parameters.contrast),
                chroma_table(parameters.saturation, -MAX_WARMTH_STEPS * parameters.warmth),
                chroma_table(parameters.saturation, V_TO_U * MAX_WARMTH_STEPS * parameters.warmth),
            )
        if all(np.array_equal(table, _IDENTITY) for table in self._tables):
            return
        target = canvas.blank()
        for source, drawn, table in zip(canvas.source, target, self._tables, strict=True):
            cv2.LUT(source, table, dst=drawn)


def luma_table(brightness: float, contrast: float) -> Table:
    """Make the table of limited-range luma, 16 black to 235 white.

    Parameters
    ----------
    brightness : float
        A gamma of 2 ** -brightness, so that it moves the middle and leaves the ends.
    contrast : float
        Slope around middle grey.

    Returns
    -------
    ndarray of uint8, shape (256,)
        The new values.
    """
    tone = (np.arange(256) - 16) / 219
    lifted = np.where(tone > 0, np.power(np.clip(tone, 1e-6, None), 2.0**-brightness), tone)
    return _table(16 + 219 * (0.5 + (lifted - 0.5) * contrast))


def chroma_table(saturation: float, shift: float) -> Table:
    """Make the table of a chroma plane.

    Parameters
    ----------
    saturation : float
        Multiplies the difference from neutral.
    shift : float
        Added afterwards, in steps of 8 bits.

    Returns
    -------
    ndarray of uint8, shape (256,)
        The new values.
    """
    return _table(NEUTRAL_CHROMA + (np.arange(256) - NEUTRAL_CHROMA) * saturation + shift)


def _table(values: NDArray[np.floating[Any]]) -> Table:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


_IDENTITY = np.arange(256, dtype=np.uint8)
