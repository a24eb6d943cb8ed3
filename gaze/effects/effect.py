"""What an effect is: a name, parameters, and a way to draw; and the canvas it draws on."""

from typing import Any, ClassVar, Generic, TypeVar

import av
import numpy as np
from numpy.typing import NDArray

from gaze.effects.parameters import Parameters
from gaze.effects.state import GazeState
from gaze.effects.view import WHOLE, View
from gaze.frames.planes import FramePool, Planes, planes_of

P = TypeVar("P", bound=Parameters)

BLOCK_PX = 16
"""Side of a block that an encoder decides upon, in luma samples."""


class Canvas:
    """The picture that one effect gets, and the place for the picture that it makes of it.

    `source` is read-only. An effect that changes nothing leaves the canvas alone. `view` is the
    part of `source` that the new picture shows; only an effect that moves the picture sets it.
    `softened` may tell the encoder where detail was taken away and bits can be saved: how many
    times detail was halved in each block of 16 x 16 samples, 0 where the picture is as sharp as it
    was, an array of `blocks` rows and columns.
    """

    def __init__(self, source: Planes, pool: FramePool) -> None:
        self.source = source
        self.view: View = WHOLE
        self.softened: NDArray[np.float32] | None = None
        self.frame: av.VideoFrame | None = None
        self._pool = pool

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of 16 x 16 samples, those cut at the edges too."""
        return -(-self.source.height // BLOCK_PX), -(-self.source.width // BLOCK_PX)

    def blank(self) -> Planes:
        """Return planes of undefined content to be filled completely: the new picture."""
        self.frame = self._pool.take(self.source.width, self.source.height)
        return planes_of(self.frame, writable=True)

    def copy(self) -> Planes:
        """Return a copy of the source to draw on: the new picture."""
        target = self.blank()
        for old, new in zip(self.source, target, strict=True):
            np.copyto(new, old)
        return target


class Effect(Generic[P]):
    """One thing that eyes do to a film. One instance serves one viewer and keeps that one's state.

    A subclass sets the four class variables and overrides `draw`, or `pauses`, or both. The
    parameters it gets are numbers: bindings have been followed already.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    Parameters: ClassVar[type[Any]]

    leaving: bool = False
    """Whether it was taken out of the chain and is only drawing its way out."""

    def draw(self, canvas: Canvas, parameters: P, gaze: GazeState | None, t_s: float) -> None:
        """Draw the picture due at `t_s`. `gaze.shown` is in fractions of this canvas's source."""

    def pauses(self, parameters: P, gaze: GazeState | None, t_s: float) -> str | None:
        """Return why the film should stand still at `t_s` ("attention", "pupil"), or None."""
        return None

    def keeps(self, parameters: P) -> bool:
        """Return whether a live film is to be caught up with after a pause."""
        return False

    def take_rewind(self) -> float:
        """Return the seconds that the film should go back now that a pause is over; then forget."""
        return 0.0

    def gone(self) -> bool:
        """Return whether it has drawn its way out; asked after each frame once it is leaving."""
        return True
