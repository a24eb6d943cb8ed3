"""All effects by name, and what a page needs to know of them.

Every `Effect` defined in a module of this package is found by itself; others join by `register`.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from gaze import effects
from gaze.effects.effect import Effect
from gaze.effects.parameters import Parameters
from gaze.effects.presets import PRESETS

EFFECTS: dict[str, type[Effect[Any]]] = {}


def register(effect: type[Effect[Any]]) -> None:
    """Add an effect.

    Raises:
        ValueError: it is not a complete effect, or its name is taken.
    """
    for attribute in ("name", "title", "description"):
        if not isinstance(getattr(effect, attribute, None), str):
            raise ValueError(f"{effect.__name__} should have a {attribute}")
    model = getattr(effect, "Parameters", None)
    if not (isinstance(model, type) and issubclass(model, Parameters)):
        raise ValueError(f"{effect.__name__}.Parameters should derive from Parameters")
    if "name" in model.model_fields:
        raise ValueError(f"{effect.__name__} should have no parameter called name")
    model()
    if EFFECTS.get(effect.name, effect) is not effect:
        raise ValueError(f"an effect called {effect.name} is there already")
    EFFECTS[effect.name] = effect


def catalogue() -> list[dict[str, Any]]:
    """Return every effect as GET /api/effects tells it; see `parameters` about the schema."""
    return [
        {
            "name": effect.name,
            "title": effect.title,
            "description": effect.description,
            "parameters": effect.Parameters.model_json_schema(),
        }
        for effect in EFFECTS.values()
    ]


def presets() -> list[dict[str, Any]]:
    """Return the named chains as GET /api/presets tells them."""
    return [preset.as_dict() for preset in PRESETS]


def _in_package() -> Iterator[type[Effect[Any]]]:
    for info in pkgutil.iter_modules(effects.__path__):
        module = importlib.import_module(f"{effects.__name__}.{info.name}")
        for thing in list(vars(module).values()):
            own = isinstance(thing, type) and thing.__module__ == module.__name__
            if own and issubclass(thing, Effect) and thing is not Effect:
                yield thing


for _effect in _in_package():
    register(_effect)
