"""The environment that requirements.txt makes, and the way in which the Makefile makes it."""

import os
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import Distribution, distributions, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

# The files that `make lock` writes, and the environment that each is for.
LOCKED = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-docs.txt",
    "requirements-peers.txt",
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LEFT_OUT = set(PROJECT["tool"]["uv"]["exclude-dependencies"])
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def pins(file: str) -> dict[str, str]:
    """Return the exact version of each package that a requirements file lists."""
    lines = (ROOT / file).read_text().splitlines()
    pinned = [Requirement(line.rstrip("\\ ")) for line in lines if re.match(r"\w", line)]
    here = [each for each in pinned if each.marker is None or each.marker.evaluate()]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in here}


def installed() -> Mapping[str, Distribution]:
    return {canonicalize_name(package.name): package for package in distributions()}


def test_there_is_exactly_one_opencv() -> None:
    assert packages_distributions()["cv2"] == ["opencv-contrib-python-headless"]


def test_every_pinned_package_is_installed_in_its_version() -> None:
    there = {name: package.version for name, package in installed().items()}
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()
    for name, version in pins("requirements-dev.txt").items():
        assert there.get(name) == version, name


def test_the_pins_are_of_versions_that_the_project_asks_for() -> None:
    pinned = pins("requirements.txt")
    asked = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["tasks"],
    ]
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("python", PYTHONS)
def test_what_packages_require_is_pinned_or_left_out_on_purpose(python: str) -> None:
    """Also that each pin is a version its dependents accept, under each Python."""
    complete = pins("requirements-dev.txt")
    here = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    there = installed()
    for name in complete:
        for line in there[name].requires or []:
            requirement = Requirement(line)
            wanted = canonicalize_name(requirement.name)
            if requirement.marker is None or requirement.marker.evaluate(here):
                assert wanted in complete or wanted in LEFT_OUT, (name, line)
                if wanted in complete:
                    assert requirement.specifier.contains(complete[wanted]), (name, line)


@pytest.mark.parametrize("file", [*LOCKED, "requirements-models.txt"])
def test_every_pin_has_a_hash(file: str) -> None:
    for pin in re.split(r"\n(?=\w)", (ROOT / file).read_text().partition("\n")[2])[1:]:
        assert re.match(r"[\w.\[\]-]+==\S+", pin), pin
        assert "--hash=sha256:" in pin, pin


def test_no_registry_is_named() -> None:
    for file in (*LOCKED, "requirements-models.txt", "pyproject.toml", "Makefile", ".ci/run"):
        assert not re.search(r"https?://|index-url|find-links", (ROOT / file).read_text()), file


def make(folder: Path, *targets: str, **stand_ins: str) -> subprocess.CompletedProcess[str]:
    """Run the Makefile in `folder`, with shell scripts standing in for the named commands."""
    path = folder / "bin"
    path.mkdir()
    for name, script in stand_ins.items():
        file = path / name.replace("_", ".")
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
    return subprocess.run(
        ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), *targets],
        cwd=folder,
        env=os.environ | {"PATH": f"{path}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


BROKEN = "echo 'command not found' >&2; exit 127"  # as version managers' shims do
OLD = "echo 3.10"
NAMES = [f"python{version.replace('.', '_')}" for version in PYTHONS]


def test_the_makefile_passes_over_a_python_that_does_not_run(tmp_path: Path) -> None:
    this = f'exec {sys._base_executable} "$@"'  # type: ignore[attr-defined]
    done = make(tmp_path, ".venv/made", **dict.fromkeys(NAMES, BROKEN), python3=this)
    assert done.returncode == 0, done.stderr
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"Making .venv with Python {version}" in done.stdout
    python = tmp_path / ".venv/bin/python"
    assert (
        subprocess.run([python, "-m", "pip", "--version"], stdout=subprocess.PIPE).returncode == 0
    )


def test_the_makefile_says_so_when_no_python_fits(tmp_path: Path) -> None:
    done = make(tmp_path, ".venv/made", **dict.fromkeys(NAMES, BROKEN), python3=OLD)
    assert done.returncode != 0
    assert "gaze needs Python 3.14, 3.13, 3.12 or 3.11, and none of them runs here" in done.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("flags", "installs"), [((), False), (("YES=1",), True), (("CI=true",), True)]
)
def test_the_makefile_asks_before_it_uses_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], installs: bool
) -> None:
    monkeypatch.delenv("CI", raising=False)
    if flags == ("CI=true",):
        monkeypatch.setenv("CI", "true")
        flags = ()
    browsers = dict.fromkeys(("chromium", "chromium-browser", "firefox-esr", "firefox"), BROKEN)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/made").touch()
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho runs\n")
    python.chmod(0o755)
    done = make(
        tmp_path,
        ".venv/browsers",
        *flags,
        **browsers,
        id="echo 1000",
        sudo=f'echo "$@" >> {tmp_path}/ran',
    )
    assert done.returncode != 0  # nothing was really installed
    assert (tmp_path / "ran").exists() == installs
    if not installs:
        assert "make .venv/browsers YES=1" in done.stderr


@pytest.mark.parametrize(
    ("npm", "said"),
    [(BROKEN, "npm is missing"), ('[ "$1" = --version ]', "npm found no packages")],
    ids=["no npm", "no network"],
)
def test_without_npm_the_set_up_goes_on_without_plots(tmp_path: Path, npm: str, said: str) -> None:
    (tmp_path / "package-lock.json").touch()
    done = make(tmp_path, "client/vendor/.made", npm=npm, node="echo v20")
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert "no live plots" in done.stdout
    assert not (tmp_path / "client").exists()


def test_the_test_command_of_the_readme_is_what_ci_runs() -> None:
    assert "make test" in (ROOT / "README.md").read_text()
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & stat.S_IXUSR
    assert script.read_text().splitlines()[-1] == "CI=true exec make test"
