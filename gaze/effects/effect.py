"""What an effect is: a name, parameters and a method that draws; and the canvas it draws on."""

from typing import Any, ClassVar, Final, Generic, TypeVar

import av
import numpy as np

from gaze.effects.parameters import Parameters
from gaze.effects.state import GazeState
from gaze.effects.view import WHOLE, View
from gaze.frames.planes import FloatPlane, FramePool, Planes, planes_of

P = TypeVar("P", bound=Parameters)

BLOCK_PX: Final = 16
"""Side of a macroblock, for which an encoder chooses a quantizer, in luma samples (ITU-T H.264
section 6.3)."""


class Canvas:
    """The picture that one effect gets, and what it makes of it.

    An effect that changes nothing leaves the canvas alone.

    Attributes
    ----------
    source : Planes
        The picture so far, read-only.
    view : View
        The part of `source` that the new picture shows; only an effect that moves the picture sets
        it.
    softened : ndarray of float32, shape `blocks`, optional
        How many times detail was halved in each block of 16 x 16 samples, 0 where the picture is as
        sharp as it was: where the encoder can save bits. None, the default, says nothing.
    frame : av.VideoFrame, optional
        The new picture, once `blank` or `copy` was called.
    """

    def __init__(self, source: Planes, pool: FramePool) -> None:
        """Make a canvas for one effect and one frame.

        Parameters
        ----------
        source : Planes
            The picture so far.
        pool : FramePool
            Where the new picture's frame comes from.
        """
        self.source = source
        self.view: View = WHOLE
        self.softened: FloatPlane | None = None
        self.frame: av.VideoFrame | None = None
        self._pool = pool

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of blocks of 16 x 16 samples, including incomplete ones at the edges."""
        return -(-self.source.height // BLOCK_PX), -(-self.source.width // BLOCK_PX)

    def blank(self) -> Planes:
        """Begin the new picture without content.

        Returns
        -------
        Planes
            Undefined samples, to be filled completely.
        """
        self.frame = self._pool.take(self.source.width, self.source.height)
        return planes_of(self.frame, writable=True)

    def copy(self) -> Planes:
        """Begin the new picture with the source.

        Returns
        -------
        Planes
            A copy of the source to draw on.
        """
        target = self.blank()
        for source, copied in zip(self.source, target, strict=True):
            np.copyto(copied, source)
        return target


class Effect(Generic[P]):
    """Base of effects. One instance serves one viewer and keeps that viewer's state.

    A subclass sets the four class variables and overrides `draw`, or `pauses`, or both. The
    parameters it gets are numbers: bindings have been followed already.

    Attributes
    ----------
    name : str
        Its name in messages.
    title, description : str
        For people.
    Parameters : type of Parameters
        What it can be set to.
    leaving : bool
        Whether it was taken out of the chain and only draws until it is `gone`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    Parameters: ClassVar[type[Any]]

    leaving: bool = False

    def draw(self, canvas: Canvas, parameters: P, gaze: GazeState | None, t_s: float) -> None:
        """Draw one frame. Called in a worker thread.

        Parameters
        ----------
        canvas : Canvas
            What to draw on.
        parameters : Parameters
            Its current parameters.
        gaze : GazeState or None
            The newest gaze, with `shown` in fractions of this canvas's source.
        t_s : float
            When the frame is due, on the monotonic clock.
        """

    def pauses(self, parameters: P, gaze: GazeState | None, t_s: float) -> str | None:
        """Decide whether the film should pause. Called on the event loop; must not block.

        Parameters
        ----------
        parameters : Parameters
            Its current parameters.
        gaze : GazeState or None
            The newest gaze.
        t_s : float
            Now, on the monotonic clock.

        Returns
        -------
        str or None
            The reason, "attention" or "pupil"; None to play.
        """
        return None

    def keeps(self, parameters: P) -> bool:
        """Decide whether a live film is to be caught up with after a pause.

        Parameters
        ----------
        parameters : Parameters
            Its current parameters.

        Returns
        -------
        bool
            True to keep what is live during a pause and play it a little faster afterwards.
        """
        return False

    def take_rewind(self) -> float:
        """Return how far a hosted film should go back now that a pause is over, and forget it.

        Returns
        -------
        float
            Seconds.
        """
        return 0.0

    def gone(self) -> bool:
        """Return, after each frame drawn while `leaving`, whether nothing is left to draw.

        Returns
        -------
        bool
            True to be removed.
        """
        return True
