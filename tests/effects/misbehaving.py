"""Effects that a server is given and should survive: `--effects tests.effects.misbehaving`."""

import time

import av

from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import Parameters
from gaze.effects.state import GazeState


class Raises(Effect[Parameters]):
    name = "raises"
    title = "Raises"
    description = "Raises on every frame"
    Parameters = Parameters

    def draw(
        self, canvas: Canvas, parameters: Parameters, gaze: GazeState | None, t_s: float
    ) -> None:
        raise RuntimeError("not today")


class Hangs(Effect[Parameters]):
    name = "hangs"
    title = "Hangs"
    description = "Takes 200 ms for every frame"
    Parameters = Parameters

    def draw(
        self, canvas: Canvas, parameters: Parameters, gaze: GazeState | None, t_s: float
    ) -> None:
        time.sleep(0.2)


class Nonsense(Effect[Parameters]):
    name = "nonsense"
    title = "Nonsense"
    description = "Answers with a frame of another size and format"
    Parameters = Parameters

    def draw(
        self, canvas: Canvas, parameters: Parameters, gaze: GazeState | None, t_s: float
    ) -> None:
        canvas.frame = av.VideoFrame(32, 32, "rgb24")
