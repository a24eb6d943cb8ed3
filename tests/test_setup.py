"""The environment that requirements.txt makes, and the way in which the Makefile makes it."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

import cv2
import mediapipe
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from skimage import data

ROOT = Path(__file__).resolve().parent.parent

# What MediaPipe asks for and FaceMesh does not need. The OpenCV is replaced by the headless one.
LEFT_OUT = {"jax", "jaxlib", "opencv-contrib-python", "sentencepiece", "sounddevice"}
# What LiteRT asks for and its interpreter does not need.
LEFT_OUT |= {"backports-strenum", "ml-dtypes", "tqdm"}

# Of its requirements only what its two detectors import is listed (requirements-dev.txt), and
# tests/benchmarks/test_events.py runs them.
IN_PART = {"pymovements"}


def pins(file: str) -> dict[str, str]:
    """The exact version of each package that a requirements file lists itself."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    pinned = [line.split("==") for line in lines if line and not line.startswith("-r ")]
    return {canonicalize_name(name): version for name, version in pinned}


def installed() -> Mapping[str, Distribution]:
    return {canonicalize_name(package.name): package for package in distributions()}


RUNTIME = pins("requirements.txt")
DEVELOPMENT = pins("requirements-dev.txt")


def test_facemesh_finds_face_and_irises() -> None:
    # The head-and-shoulders part of the portrait, as large as a webcam would show it.
    picture = cv2.resize(data.astronaut()[:256, 96:352], (640, 640))
    with mediapipe.solutions.face_mesh.FaceMesh(refine_landmarks=True) as mesh:
        [face] = mesh.process(picture).multi_face_landmarks
    assert len(face.landmark) == 478
    left_eye, right_eye = face.landmark[473], face.landmark[468]
    assert 0.1 < left_eye.x - right_eye.x < 0.5
    assert abs(left_eye.y - right_eye.y) < 0.1


def test_there_is_exactly_one_opencv() -> None:
    assert [name for name in installed() if name.startswith("opencv")] == [
        "opencv-contrib-python-headless"
    ]


def test_every_pinned_package_is_installed_in_its_version() -> None:
    there = {name: package.version for name, package in installed().items()}
    for name, version in (RUNTIME | DEVELOPMENT).items():
        assert there.get(name) == version, name


def test_no_package_is_pinned_twice() -> None:
    assert not RUNTIME.keys() & DEVELOPMENT.keys()


@pytest.mark.parametrize(
    ("file", "complete", "left_out"),
    [
        ("requirements.txt", RUNTIME, LEFT_OUT),
        ("requirements-dev.txt", RUNTIME | DEVELOPMENT, set()),
    ],
)
def test_what_packages_require_is_pinned_or_left_out_on_purpose(
    file: str, complete: Mapping[str, str], left_out: set[str]
) -> None:
    """Also that each pin is a version its dependents accept, under both Pythons."""
    needed = set()
    for name in pins(file).keys() - IN_PART:
        for line in installed()[name].requires or []:
            requirement = Requirement(line)
            wanted = canonicalize_name(requirement.name)
            for python in ("3.11", "3.12"):
                here = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
                if requirement.marker is None or requirement.marker.evaluate(here):
                    needed.add(wanted)
                    if wanted in complete:
                        assert requirement.specifier.contains(complete[wanted]), (name, line)
    assert needed - complete.keys() == left_out


def test_nothing_is_pinned_that_nobody_asked_for() -> None:
    """A package is used by the project (listed with why it is there) or required by another."""
    for file in ("requirements.txt", "requirements-dev.txt"):
        direct, transitive = (ROOT / file).read_text().split("# What these need")
        required = {
            canonicalize_name(Requirement(line).name)
            for name in pins(file)
            for line in installed()[name].requires or []
        }
        extra = {canonicalize_name(name) for name in re.findall(r"^(\S+)==", transitive, re.M)}
        assert extra <= required
        assert re.findall(r"^\S+==", direct, re.M)


def test_no_registry_is_named() -> None:
    for file in ("requirements.txt", "requirements-dev.txt", "Makefile", ".ci/run"):
        assert not re.search(r"https?://|index-url|find-links", (ROOT / file).read_text()), file


def make(folder: Path, target: str, **stand_ins: str) -> subprocess.CompletedProcess[str]:
    """Run the Makefile in `folder`, with shell scripts standing in for the named commands."""
    path = folder / "bin"
    path.mkdir()
    for name, script in stand_ins.items():
        file = path / name.replace("_", ".")
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
    return subprocess.run(
        ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), target],
        cwd=folder,
        env=os.environ | {"PATH": f"{path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )


BROKEN = "echo 'command not found' >&2; exit 127"  # as version managers' shims do
OLD = "echo 3.10"


def test_the_makefile_passes_over_a_python_that_does_not_run(tmp_path: Path) -> None:
    this = f'exec {sys._base_executable} "$@"'  # type: ignore[attr-defined]
    done = make(tmp_path, ".venv/made", python3_12=BROKEN, python3_11=BROKEN, python3=this)
    assert done.returncode == 0, done.stderr
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"Making .venv with Python {version}" in done.stdout
    python = tmp_path / ".venv/bin/python"
    assert (
        subprocess.run([python, "-m", "pip", "--version"], stdout=subprocess.PIPE).returncode == 0
    )


def test_the_makefile_says_so_when_no_python_fits(tmp_path: Path) -> None:
    done = make(tmp_path, ".venv/made", python3_12=BROKEN, python3_11=BROKEN, python3=OLD)
    assert done.returncode != 0
    assert "gaze needs Python 3.12 or 3.11, and neither runs here" in done.stderr
    assert not (tmp_path / ".venv").exists()


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
