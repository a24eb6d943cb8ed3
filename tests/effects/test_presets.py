"""The named chains."""

from gaze.effects import registry
from gaze.effects.chain import Chain


def test_every_preset_is_a_valid_chain() -> None:
    names = {preset["name"] for preset in registry.presets()}
    assert {"focus", "attention-pause", "pupil-pulse", "privacy"} <= names
    for preset in registry.presets():
        assert len(Chain(preset["effects"]).specs) == len(preset["effects"])
