"""What a session keeps between two connections."""

from dataclasses import dataclass
from typing import Any

from gaze.sessions.layout import Layout


@dataclass(slots=True)
class ResumeState:
    """Plain data only."""

    effects: list[dict[str, Any]]
    media: str | None = None
    position_s: float = 0.0
    calibration: dict[str, Any] | None = None
    layout: Layout | None = None
    paused_by_viewer: bool = False
    loop: bool = False
