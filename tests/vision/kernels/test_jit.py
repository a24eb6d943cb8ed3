"""The compiler's cache, on copies of the package, and who loads the compiler."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gaze.vision.kernels
from gaze.vision.kernels import jit

ROOT = Path(__file__).parent.parent.parent.parent
KERNELS = Path(gaze.vision.kernels.__file__).parent
CALLEE = """
from gaze.vision.kernels.jit import compiled

@compiled("f8(f8)")
def scale(x: float) -> float:
    return {factor} * x
"""
CALLER = """
from gaze.vision.kernels.jit import compiled
from gaze.vision.kernels.callee import scale

@compiled("f8(f8)")
def scale_and_shift(x: float) -> float:
    return scale(x) + 1.0
"""
RUN = """
from gaze.vision.kernels.caller import scale_and_shift
from gaze.vision.kernels.jit import cache_directory
print(scale_and_shift(3.0), sum(scale_and_shift.stats.cache_hits.values()), cache_directory())
"""


class Package:
    """A copy of the package with two kernels, one of which calls the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kernels = folder / "gaze" / "vision" / "kernels"
        self.user_cache = folder / "user"
        self.kernels.mkdir(parents=True)
        for source in ("gaze/__init__.py", "gaze/vision/__init__.py"):
            (folder / source).write_text("")
        shutil.copy(KERNELS.parent / "arrays.py", self.kernels.parent)
        for name in ("__init__.py", "jit.py"):
            shutil.copy(KERNELS / name, self.kernels)
        self.write_callee(2.0)
        (self.kernels / "caller.py").write_text(CALLER)

    def write_callee(self, factor: float) -> None:
        (self.kernels / "callee.py").write_text(CALLEE.format(factor=factor))

    def start(self, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", RUN],
            cwd=self.folder,
            env={
                **{name: value for name, value in os.environ.items() if "NUMBA" not in name},
                "PYTHONPATH": str(self.folder),
                "XDG_CACHE_HOME": str(self.user_cache),
                **environment,
            },
            stdout=subprocess.PIPE,
            text=True,
        )

    def result(self, process: subprocess.Popen[str]) -> tuple[float, int, Path | None]:
        """Return what the kernel gave, how often the cache was hit, and where it is."""
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        value, hits, directory = output.split()
        return float(value), int(hits), None if directory == "None" else Path(directory)

    def run(self, **environment: str) -> tuple[float, int, Path | None]:
        return self.result(self.start(**environment))


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return Package(tmp_path)


def test_a_changed_kernel_changes_those_that_call_it(package: Package) -> None:
    value, hits, first = package.run()
    assert (value, hits) == (7.0, 0)
    assert first is not None and first.is_relative_to(package.kernels / "__pycache__")
    assert package.run() == (7.0, 1, first)

    package.write_callee(10.0)
    value, hits, second = package.run()
    assert (value, hits) == (31.0, 0)
    assert second is not None and second != first


def test_directories_of_outdated_sources_are_removed_once_nobody_fills_them(
    package: Package,
) -> None:
    _, _, first = package.run()
    assert first is not None
    package.write_callee(3.0)
    _, _, second = package.run()
    assert first.exists(), "another process may still compile these sources"
    os.utime(first, (0.0, 0.0))
    assert package.run() == (10.0, 1, second)
    assert not first.exists()


def test_a_read_only_package_is_cached_in_the_users_directory(package: Package) -> None:
    # Even root cannot make a directory below a file.
    (package.kernels / "__pycache__").write_text("")
    value, hits, directory = package.run()
    assert (value, hits) == (7.0, 0)
    assert directory is not None and directory.parent == package.user_cache / "gaze"
    assert package.run() == (7.0, 1, directory)


def test_without_any_writable_directory_every_process_compiles(package: Package) -> None:
    (package.kernels / "__pycache__").write_text("")
    package.user_cache.write_text("")
    assert package.run() == (7.0, 0, None)


def test_numbas_own_setting_says_where_the_cache_is(package: Package, tmp_path: Path) -> None:
    _, _, directory = package.run(NUMBA_CACHE_DIR=str(tmp_path / "elsewhere"))
    assert directory is not None and directory.parent == tmp_path / "elsewhere"


def test_several_processes_can_compile_at_once(package: Package) -> None:
    results = [package.result(each) for each in [package.start() for _ in range(3)]]
    assert {value for value, _, _ in results} == {7.0}
    assert len({directory for _, _, directory in results}) == 1
    assert package.run()[:2] == (7.0, 1)


def test_the_cache_of_this_process_is_that_of_its_sources() -> None:
    directory = jit.cache_directory()
    assert directory is not None and any(directory.rglob("*.nbi"))


def imports(source: Path) -> set[str]:
    tree = ast.parse(source.read_text())
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name for name in names if name.startswith("gaze")}


def test_kernels_depend_on_nothing_whose_change_the_cache_would_miss() -> None:
    for source in KERNELS.glob("*.py"):
        outside = {name for name in imports(source) if not name.startswith("gaze.vision.kernels.")}
        assert outside <= {"gaze.vision.arrays"}, source.name


def test_nothing_outside_of_the_package_is_compiled() -> None:
    for source in (ROOT / "gaze").rglob("*.py"):
        if source.parent != KERNELS:
            assert "gaze.vision.kernels.jit" not in imports(source), source
            assert "numba" not in source.read_text(), source


def test_only_the_tracking_process_loads_the_compiler_and_the_networks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import server, sys; print(*sys.modules, sep='\\n')"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "gaze" in loaded
    assert not loaded & {"numba", "llvmlite", "ai_edge_litert", "mediapipe"}
