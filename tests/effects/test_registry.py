"""The registry: which effects there are, and their JSON Schemas."""

import pytest

from gaze.effects import registry
from gaze.effects.effect import Effect
from gaze.effects.parameters import Parameters
from gaze.effects.state import SIGNALS


class Complete(Effect[Parameters]):
    name = "complete"
    title = "Complete"
    description = "Does nothing"
    Parameters = Parameters


def test_the_built_in_effects_are_found() -> None:
    assert list(registry.EFFECTS) == [
        "blur",
        "cursor",
        "grade",
        "guide",
        "heatmap",
        "pause",
        "pixelate",
        "spotlight",
        "trail",
        "zoom",
    ]


def test_the_catalogue_has_what_a_page_makes_controls_of() -> None:
    entries = {entry["name"]: entry for entry in registry.catalogue()}
    assert {"blur", "zoom", "pause"} <= set(entries)
    schema = entries["blur"]["parameters"]
    strength = schema["properties"]["strength"]
    assert {"minimum": 0, "maximum": 1, "default": 0.8, "unit": "share"}.items() <= strength.items()
    assert strength["bindable"] is True
    number, binding = strength["anyOf"]
    assert number == {"type": "number", "minimum": 0, "maximum": 1}
    definition = schema["$defs"][binding["$ref"].rsplit("/", 1)[1]]
    assert definition["required"] == ["follow", "from", "to"]
    assert definition["properties"]["follow"]["enum"] == list(SIGNALS)
    assert schema["properties"]["area"]["enum"] == ["periphery", "gaze", "all"]
    for entry in entries.values():
        assert entry["title"]
        assert entry["description"]
        for about in entry["parameters"].get("properties", {}).values():
            assert {"title", "description", "default"} <= set(about)


def test_a_taken_name_is_refused() -> None:
    class Other(Complete):
        name = "blur"

    with pytest.raises(ValueError, match="an effect called blur is there already"):
        registry.register(Other)


def test_an_effect_may_be_registered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "EFFECTS", dict(registry.EFFECTS))
    registry.register(Complete)
    registry.register(Complete)
    assert registry.EFFECTS["complete"] is Complete


class NameParameters(Parameters):
    name: str = "x"


class NeedsOne(Parameters):
    size: int


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"title": None}, "Made should have a title"),
        ({"Parameters": dict}, "Made.Parameters should derive from Parameters"),
        ({"Parameters": NameParameters}, "no parameter called name"),
        ({"Parameters": NeedsOne}, "size"),
    ],
)
def test_an_incomplete_effect_is_refused(members: dict[str, object], message: str) -> None:
    made = type("Made", (Complete,), {"name": "made", **members})
    with pytest.raises(ValueError, match=message):
        registry.register(made)


def test_docstrings_of_parameters_are_not_published() -> None:
    for entry in registry.catalogue():
        assert "description" not in entry["parameters"]
