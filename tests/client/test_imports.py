"""Who may import whom in `client/`: the page uses the SDK, and the SDK stands alone."""

import posixpath
import re
from pathlib import Path

import pytest

CLIENT = Path(__file__).resolve().parent.parent.parent / "client"
# Static imports, re-exports, imports of side effects and of types, and dynamic ones.
IMPORT = re.compile(r"(?:\bfrom\s+|\bimport\s+|\bimport\(\s*)['\"](?!https:)([^'\"]+)['\"]")
ENTRY_POINTS = {"gaze-client.js", "gaze-film.js"}
VIEWS = {"watching", "calibration", "eyes", "summary"}


def imports(module: str) -> set[str]:
    """The modules that one imports, as paths inside `client/`."""
    folder = posixpath.dirname(module)
    paths = IMPORT.findall((CLIENT / module).read_text())
    return {posixpath.normpath(posixpath.join(folder, path)) for path in paths}


def modules(folder: str) -> list[str]:
    found = sorted(str(file.relative_to(CLIENT)) for file in (CLIENT / folder).rglob("*.js"))
    assert found, f"no modules in client/{folder}"
    return found


@pytest.mark.parametrize("module", [*modules("sdk"), *sorted(ENTRY_POINTS)])
def test_the_sdk_imports_only_the_sdk(module: str) -> None:
    beyond = {path for path in imports(module) if not path.startswith("sdk/")}
    assert beyond <= (ENTRY_POINTS if module in ENTRY_POINTS else set())


@pytest.mark.parametrize("module", modules("page"))
def test_the_page_imports_modules_that_exist(module: str) -> None:
    for path in imports(module):
        assert path.startswith(("page/", "sdk/")) or path in ENTRY_POINTS
        assert (CLIENT / path).is_file()


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_a_view_imports_no_other_view(view: str) -> None:
    others = tuple(f"page/{other}/" for other in VIEWS - {view})
    for module in modules(f"page/{view}"):
        assert not [path for path in imports(module) if path.startswith(others)], module


def test_the_client_has_no_modules_outside_its_folders() -> None:
    assert {file.name for file in CLIENT.glob("*.js")} == ENTRY_POINTS
