"""All effects by name, and what a page needs to know of them.

Every `Effect` defined in a module of `gaze.effects.builtin` is found by itself; others join by
`register`.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from gaze.effects import builtin
from gaze.effects.effect import Effect
from gaze.effects.parameters import Parameters
from gaze.effects.presets import PRESETS

EFFECTS: dict[str, type[Effect[Any]]] = {}
"""The registered effects by name, in the order in which they are listed."""


def register(effect: type[Effect[Any]]) -> None:
    """Add an effect.

    Parameters
    ----------
    effect : type of Effect
        The class.

    Raises
    ------
    ValueError
        If it is not a complete effect, or its name is taken.
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
    """Return every effect as GET /api/effects lists it; see `parameters` about the schema.

    Returns
    -------
    list of dict
        Name, title, description and the JSON Schema of the parameters of each.
    """
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
    """Return the named chains as GET /api/presets lists them.

    Returns
    -------
    list of dict
        Name, title, description and effects of each.
    """
    return [preset.as_dict() for preset in PRESETS]


def effects_of(module_vars: dict[str, Any]) -> Iterator[type[Effect[Any]]]:
    """Find the effects among the names of a module.

    Parameters
    ----------
    module_vars : dict
        `vars(module)`.

    Yields
    ------
    type of Effect
        Every subclass of `Effect`, imported ones too.
    """
    for value in list(module_vars.values()):
        if isinstance(value, type) and issubclass(value, Effect) and value is not Effect:
            yield value


for _info in pkgutil.iter_modules(builtin.__path__):
    _module = importlib.import_module(f"{builtin.__name__}.{_info.name}")
    for _effect in effects_of(vars(_module)):
        if _effect.__module__ == _module.__name__:
            register(_effect)
