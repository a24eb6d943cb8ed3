"""The imports of the code against the table of packages in docs/architecture.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TABLE_ROW = re.compile(r"^\| `([\w.]+)` \| ([^|]+) \|", re.MULTILINE)
TOP_LEVEL = ("gaze", "certs", "simulation", "tools", "benchmarks", "tests")


def table() -> dict[str, set[str]]:
    """Return what each package may import, as docs/architecture.md says."""
    text = (ROOT / "docs/architecture.md").read_text()
    return {
        package: {
            name if name in TOP_LEVEL else f"gaze.{name}"
            for name in re.findall(r"`([\w.]+)`", allowed)
        }
        for package, allowed in TABLE_ROW.findall(text)
        if package != "server.py"
    }


def imported_modules(file: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import"
            assert node.module is not None
            if node.module in TOP_LEVEL:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module


def package_of(module: str) -> str | None:
    """Return the row of the table that a module belongs to; None for other people's packages."""
    first, *rest = module.split(".")
    if first not in TOP_LEVEL:
        return None
    if first == "gaze" and rest and (ROOT / "gaze" / rest[0]).is_dir():
        return f"gaze.{rest[0]}"
    return first


def files_of(package: str) -> list[Path]:
    """Return the files of a package."""
    return sorted((ROOT / package.replace(".", "/")).rglob("*.py"))


def test_every_package_stands_in_the_table() -> None:
    folders = {
        f"gaze.{folder.name}" for folder in (ROOT / "gaze").iterdir() if any(folder.glob("*.py"))
    }
    assert folders <= table().keys()
    for package in table():
        assert files_of(package), package


@pytest.mark.parametrize("package", sorted(table()))
def test_a_package_imports_only_what_the_table_allows(package: str) -> None:
    allowed = table()[package]
    for file in files_of(package):
        for module in imported_modules(file):
            imported = package_of(module)
            if imported in (None, package, "gaze"):
                continue
            assert imported is not None
            names = {imported, imported.partition(".")[0]} if package in TOP_LEVEL else {imported}
            assert names & allowed, f"{file.relative_to(ROOT)} imports {module}"


def test_only_aiortc_ext_touches_private_modules_of_aiortc() -> None:
    for file in (ROOT / "gaze").rglob("*.py"):
        if "aiortc_ext" in file.parts:
            continue
        for module in imported_modules(file):
            private = module.startswith(("aiortc.", "aioice.")) and "._" in module
            assert not private, f"{file.relative_to(ROOT)} imports {module}"
