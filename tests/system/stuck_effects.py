"""An effect that never returns: `--effects tests.system.stuck_effects`."""

import threading
from typing import Any

from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import Parameters
from gaze.effects.state import GazeState

FRAMES = 10


class Stuck(Effect[Parameters]):
    name = "stuck"
    title = "Stuck"
    description = "Draws some frames, and then never returns"
    Parameters = Parameters

    def __init__(self) -> None:
        self._frames = 0

    def draw(self, canvas: Canvas, parameters: Any, gaze: GazeState | None, t_s: float) -> None:
        self._frames += 1
        if self._frames > FRAMES:
            threading.Event().wait()
