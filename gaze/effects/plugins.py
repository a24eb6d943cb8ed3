"""Effects of third parties: those of installed packages, and those that the operator names.

A package offers its effects by an entry point of the group `gaze.effects` that names a module or an
effect. See docs/effects.md.
"""

import importlib
import logging
from collections.abc import Iterable
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from gaze.effects.effect import Effect
from gaze.effects.registry import register

GROUP = "gaze.effects"

logger = logging.getLogger(__name__)


class PluginError(Exception):
    """A module that the operator named cannot be used; says which and why."""


def load_installed() -> None:
    """Add the effects of installed packages; a broken one is logged and passed over."""
    for entry in entry_points(group=GROUP):
        try:
            _add(entry.load())
        except Exception as error:
            logger.error(
                "effects of the package entry %s passed over: %s: %s",
                entry.name,
                type(error).__name__,
                error,
            )


def load_modules(names: Iterable[str]) -> None:
    """Add the effects of these modules.

    Raises:
        PluginError: one cannot be imported, or has no effect, or a wrong one.
    """
    for name in names:
        try:
            _add(importlib.import_module(name))
        except Exception as error:
            raise PluginError(f"effects {name}: {type(error).__name__}: {error}") from error


def _add(thing: Any) -> None:
    """Register an effect, or all that a module defines."""
    if not isinstance(thing, ModuleType):
        register(thing)
        return
    found = [
        value
        for value in vars(thing).values()
        if isinstance(value, type) and issubclass(value, Effect) and value is not Effect
    ]
    if not found:
        raise ValueError("there is no Effect in this module")
    for effect in found:
        register(effect)
