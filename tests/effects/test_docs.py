"""docs/effects.md: its example runs as written, and it lists every effect and signal."""

import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gaze.effects import plugins, registry
from gaze.effects.chain import Chain
from gaze.effects.state import SIGNALS
from gaze.frames.planes import planes_of
from simulation.films.frames import film_frame, looking
from simulation.server_process import running_server

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "effects.md").read_text()
BUILT_IN = tuple(registry.EFFECTS)


@pytest.fixture
def eyelids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The example of the docs as a module that can be imported."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "eyelids.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = dict(registry.EFFECTS)
    yield "eyelids"
    registry.EFFECTS.clear()
    registry.EFFECTS.update(before)
    sys.modules.pop("eyelids", None)


def test_the_example_draws(eyelids: str) -> None:
    plugins.load_modules([eyelids])
    specs = [json.loads(code) for code in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]
    (spec,) = (spec for spec in specs if spec["name"] == "eyelids")
    chain = Chain([{**spec, "closed": 0.5}])
    frame = film_frame(640, 360)
    drawn = planes_of(chain.apply(frame, None, 0.0), writable=False)
    assert chain.failures == []
    assert (drawn.y[:90] == 16).all()
    assert (drawn.y[-90:] == 16).all()
    assert (drawn.u[:45] == 128).all()
    assert np.array_equal(drawn.y[90:-90], planes_of(frame, writable=False).y[90:-90])
    for spec in specs:
        bound = Chain([spec])
        gaze = looking((0.5, 0.5), 0.0, openness=0.0)
        bound.apply(frame, gaze, 0.0)
        assert bound.apply(frame, gaze, 1.0) is not frame


def test_the_example_is_served(eyelids: str) -> None:
    with (
        running_server("--effects", eyelids, "--log-level", "error") as server,
        urllib.request.urlopen(f"{server.url}/api/effects") as answer,
    ):
        names = [effect["name"] for effect in json.load(answer)]
    assert {"blur", "eyelids"} <= set(names)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_effect_is_listed_with_a_small_still(name: str) -> None:
    assert f"**{name}**" in TEXT
    still = ROOT / "docs" / "effects" / f"{name}.jpg"
    assert f"](effects/{name}.jpg)" in TEXT
    assert 2_000 < still.stat().st_size < 60_000


def test_every_signal_is_listed() -> None:
    for name, meaning in SIGNALS.items():
        assert f"| `{name}` | {meaning} |" in TEXT
