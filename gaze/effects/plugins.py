"""Effects of third parties: those of installed packages, and those that the operator names.

A package offers its effects by an entry point of the group `gaze.effects` that names a module or an
effect. See docs/effects.md.
"""

import importlib
import logging
from collections.abc import Iterable
from importlib.metadata import entry_points
from types import ModuleType
from typing import Final

from gaze.effects.effect import Effect
from gaze.effects.registry import effects_of, register

GROUP: Final = "gaze.effects"
"""Group of entry points by which packages offer effects (docs/effects.md)."""

logger = logging.getLogger(__name__)


class PluginError(Exception):
    """A module that the operator named cannot be used; the message says which and why."""


def load_installed() -> None:
    """Register the effects of installed packages; a broken one is logged and skipped."""
    for entry in entry_points(group=GROUP):
        try:
            _add(entry.load())
        except Exception as error:
            logger.error(
                "effects of the package entry %s skipped: %s: %s",
                entry.name,
                type(error).__name__,
                error,
            )


def load_modules(names: Iterable[str]) -> None:
    """Register the effects of modules.

    Parameters
    ----------
    names : iterable of str
        Names of modules to import.

    Raises
    ------
    PluginError
        If one cannot be imported, or has no effect, or an incomplete one.
    """
    for name in names:
        try:
            _add(importlib.import_module(name))
        except Exception as error:
            raise PluginError(f"effects {name}: {type(error).__name__}: {error}") from error


def _add(loaded: object) -> None:
    """Register an effect, or all that a module defines."""
    if isinstance(loaded, type) and issubclass(loaded, Effect):
        register(loaded)
        return
    if not isinstance(loaded, ModuleType):
        raise ValueError(f"should be a module or an Effect, not {loaded!r}")
    found = list(effects_of(vars(loaded)))
    if not found:
        raise ValueError("there is no Effect in this module")
    for effect in found:
        register(effect)
