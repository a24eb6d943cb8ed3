"""Named chains of effects to begin with."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """A chain of effects under a name.

    Attributes
    ----------
    name : str
        Its name in messages.
    title, description : str
        For people.
    effects : tuple of dict
        As they stand in messages.
    """

    name: str
    title: str
    description: str
    effects: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the preset as GET /api/presets lists it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "effects": [dict(effect) for effect in self.effects],
        }


PRESETS = (
    Preset(
        "focus",
        "Focus",
        "Sharp where you look, soft elsewhere",
        ({"name": "blur", "area": "periphery", "strength": 0.8},),
    ),
    Preset(
        "look-closer",
        "Look closer",
        "Rest your eyes on something and it comes nearer",
        ({"name": "zoom", "maximum": 2.0, "dwell": 0.6},),
    ),
    Preset(
        "attention-pause",
        "Attention pause",
        "The film waits while you look away or close your eyes",
        ({"name": "pause", "when": "attention", "after": 1.0, "resume_after": 0.3},),
    ),
    Preset(
        "pupil-pulse",
        "Pupil pulse",
        "The wider your pupils, the softer the film around what you look at",
        (
            {
                "name": "blur",
                "area": "periphery",
                "strength": {
                    "follow": "pupil.relative",
                    "from": [-0.1, 0.15],
                    "to": [0.1, 1.0],
                    "smooth": 0.5,
                },
            },
        ),
    ),
    Preset(
        "privacy",
        "Privacy",
        "Whatever you look at is hidden",
        ({"name": "blur", "area": "gaze", "strength": 1.0, "radius": 0.2, "softness": 0.15},),
    ),
    Preset(
        "cinema",
        "Cinema",
        "Foveated, nearer on a steady look, and it waits for you",
        (
            {"name": "zoom", "maximum": 1.6, "dwell": 0.9, "speed": 0.7},
            {"name": "blur", "area": "periphery", "strength": 0.6},
            {"name": "pause", "when": "attention", "after": 1.5},
        ),
    ),
    Preset(
        "spotlight",
        "Spotlight",
        "A light follows your eyes and the rest of the film goes dim",
        ({"name": "spotlight", "strength": 0.8},),
    ),
    Preset(
        "gaze-trace",
        "Gaze trace",
        "Where your eyes have been: warm where they rested, a line along their way",
        ({"name": "heatmap"}, {"name": "trail", "colour": "white", "opacity": 0.7}),
    ),
    Preset(
        "warm-hearted",
        "Warm-hearted",
        "The wider your pupils, the warmer and more colourful the film",
        (
            {
                "name": "grade",
                "contrast": 1.0,
                "saturation": {
                    "follow": "pupil.relative",
                    "from": [-0.1, 0.15],
                    "to": [0.3, 1.7],
                    "smooth": 0.7,
                },
                "warmth": {
                    "follow": "pupil.relative",
                    "from": [-0.1, 0.15],
                    "to": [-0.4, 0.8],
                    "smooth": 0.7,
                },
            },
        ),
    ),
)
