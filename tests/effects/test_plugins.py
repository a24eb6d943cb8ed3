"""Effects of third parties: finding them, and a server that runs bad ones."""

import functools
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import ClientSession

from gaze.effects import plugins, registry
from simulation.clients.rtc_viewer import RtcViewer
from simulation.films.progress import progress_of, sharpness
from simulation.server_process import running_server

BUILT_IN = tuple(registry.EFFECTS)

CODE = """
from gaze.effects.effect import Effect
from gaze.effects.parameters import Parameters


class Nothing(Effect[Parameters]):
    name = "nothing"
    title = "Nothing"
    description = "Does nothing"
    Parameters = Parameters
"""


@pytest.fixture
def plugin_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module with one effect that can be imported."""
    (tmp_path / "nothing_plugin.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = dict(registry.EFFECTS)
    yield "nothing_plugin"
    registry.EFFECTS.clear()
    registry.EFFECTS.update(before)
    sys.modules.pop("nothing_plugin", None)


def test_a_named_module_is_imported(plugin_module: str) -> None:
    plugins.load_modules([plugin_module])
    assert tuple(registry.EFFECTS) == (*BUILT_IN, "nothing")


def test_a_module_without_a_complete_effect_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "no_effects_here.py").write_text("x = 1\n")
    (tmp_path / "raises_on_import.py").write_text("raise RuntimeError('not today')\n")
    for name, message in (
        ("nowhere_to_be_found", "effects nowhere_to_be_found: ModuleNotFoundError"),
        ("no_effects_here", "effects no_effects_here: .* no Effect"),
        ("raises_on_import", "effects raises_on_import: RuntimeError: not today"),
    ):
        with pytest.raises(plugins.PluginError, match=message):
            plugins.load_modules([name])
    assert tuple(registry.EFFECTS) == BUILT_IN


def test_effects_of_installed_packages_are_found_and_a_broken_one_is_skipped(
    plugin_module: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    entries = [
        EntryPoint("broken", "nowhere_to_be_found", plugins.GROUP),
        EntryPoint("no-effect", "json:dumps", plugins.GROUP),
        EntryPoint("a-class", f"{plugin_module}:Nothing", plugins.GROUP),
        EntryPoint("a-module", plugin_module, plugins.GROUP),
    ]
    monkeypatch.setattr(plugins, "entry_points", lambda group: entries)
    plugins.load_installed()
    assert "nothing" in registry.EFFECTS
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "broken skipped" in caplog.text
    assert "no-effect skipped: ValueError: should be a module or an Effect" in caplog.text


async def test_a_running_server_survives_misbehaving_effects(films: Path, tmp_path: Path) -> None:
    flags = ("--effects", "tests.effects.misbehaving", "--media", str(films))
    with running_server(*flags, log=tmp_path / "log") as server:
        async with ClientSession(server.url) as client:
            viewer = RtcViewer(cast(Any, client))
            names = ["raises", "hangs", "nonsense"]
            chain = [{"name": name} for name in (*names, "blur")]
            await viewer.open(media="texture", effects=chain)
            viewer.look(0.2, 0.5)
            for name in names:
                error = await viewer.hear("error", functools.partial(_mentions, name))
                assert f"the effect {name} failed and is switched off" in error["detail"]
            seen = [progress_of(await viewer.grey())]
            while seen[-1] < seen[0] + 0.02:
                viewer.look(0.2, 0.5)
                picture = await viewer.grey()
                seen.append(progress_of(picture))
            assert sharpness(picture, (0.2, 0.5)) > 3 * sharpness(picture, (0.85, 0.5))
            await viewer.hear("stats", lambda m: m["effects"]["overruns"] >= 3)
            await viewer.close()


def _mentions(name: str, message: dict[str, Any]) -> bool:
    return name in message["detail"]
