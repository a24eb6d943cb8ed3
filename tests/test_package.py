"""The package: the wheel in an environment of its own, from an empty folder, with a plug-in."""

import json
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

import gaze
from gaze.vision.face import model_files
from simulation.clients.rtc_viewer import PictureTrack, RtcViewer
from simulation.films.progress import progress_of, sharpness
from simulation.server_process import ServerProcess, free_port, running_server
from simulation.viewers.painted import viewer_frame

ROOT = Path(__file__).resolve().parent.parent
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
WHICH_CV2 = """
from importlib.metadata import packages_distributions
print(*packages_distributions()["cv2"])
"""


def build(project: Path, folder: Path) -> Path:
    """Return a project's wheel, built into a folder with the packages of this environment."""
    subprocess.run(
        [*PIP, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, project],
        check=True,
    )
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build our wheel."""
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def plug_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of a package with the effect that docs/effects.md shows."""
    text = (ROOT / "docs" / "effects.md").read_text()
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    [entry_point] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    project = tmp_path_factory.mktemp("eyelids")
    (project / "eyelids.py").write_text(code)
    (project / "pyproject.toml").write_text(f"""
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "gaze-eyelids"
version = "1.0"
dependencies = ["gaze"]

{entry_point}
[tool.hatch.build.targets.wheel]
only-include = ["eyelids.py"]
""")
    return build(project, tmp_path_factory.mktemp("plug-in"))


def install(folder: Path, *wheels: Path, dependencies: bool) -> Path:
    """Make an environment with wheels in it, and return its folder of commands.

    Without `dependencies` these are the packages of this environment, otherwise what a user gets.
    """
    venv.create(folder, with_pip=False)
    commands = folder / "bin"
    flags = [] if dependencies else ["--no-deps"]
    subprocess.run(
        [*PIP, "--python", commands / "python", "install", "-q", *flags, *wheels], check=True
    )
    if not dependencies:
        packages = sysconfig.get_path(
            "purelib", vars={"base": str(folder), "platbase": str(folder)}
        )
        (Path(packages) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    # As `make setup` does: what finds the eyes is compiled when it is first imported.
    subprocess.run(
        [commands / "python", "-c", "import gaze.vision.tracker"], check=True, cwd=folder
    )
    return commands


@pytest.fixture(
    scope="module",
    params=["packages of this environment", pytest.param("from nothing", marks=pytest.mark.long)],
)
def commands(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    wheel: Path,
    plug_in: Path,
) -> Path:
    """Return the commands of an environment with gaze and the plug-in."""
    folder = tmp_path_factory.mktemp("environment")
    return install(folder, wheel, plug_in, dependencies=request.param == "from nothing")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory of a user who has no files yet."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def server(commands: Path, home: Path, films: Path) -> Iterator[ServerProcess]:
    """Start the installed server, with films in the folder where it looks by itself."""
    shutil.copytree(films, home / "media")
    with running_server(command=[commands / "gaze"], folder=home) as running:
        yield running


def fetch(url: str) -> bytes:
    """Return what is at an address of the server."""
    with urllib.request.urlopen(url) as answer:
        return bytes(answer.read())


def test_the_wheel_holds_what_is_not_in_git(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        models = "gaze/vision/face/models"
        for name in model_files.SHA256:
            content = archive.read(f"{models}/{name}")
            assert content == (model_files.FOLDER / name).read_bytes()
        assert b"Apache License" in archive.read(f"{models}/LICENSE")
        assert b"MediaPipe" in archive.read(f"{models}/NOTICE")
    assert "gaze/web/static/index.html" in names
    assert not [name for name in names if name.endswith(".pem")]
    assert not [name for name in names if name.startswith(("tests", "simulation", "tools"))]


async def test_the_installed_server_does_the_main_job(server: ServerProcess) -> None:
    picture = viewer_frame()
    async with ClientSession(server.url) as client:
        viewer = RtcViewer(client)
        await viewer.open(
            camera=PictureTrack(lambda t_s: picture), media="texture", effects=[{"name": "blur"}]
        )
        await viewer.hear("gaze", lambda m: m["pupil"] is not None and m["head"] is not None)
        before = progress_of(await viewer.grey())
        for _ in range(200):
            grey = await viewer.grey()
            if progress_of(grey) > before + 0.02:
                break
        assert progress_of(grey) > before
        await viewer.close()
        pointer = RtcViewer(client)
        await pointer.open(media="texture", effects=[{"name": "blur"}])
        ratio = 0.0
        for _ in range(150):
            pointer.look(0.2, 0.5)
            grey = await pointer.grey()
            ratio = sharpness(grey, (0.2, 0.5)) / sharpness(grey, (0.85, 0.5))
            if ratio >= 3:
                break
        assert ratio >= 3
        await pointer.close()


async def test_the_installed_plug_in_draws(server: ServerProcess) -> None:
    offered = [effect["name"] for effect in json.loads(fetch(f"{server.url}/api/effects"))]
    assert {"blur", "eyelids"} <= set(offered)
    async with ClientSession(server.url) as client:
        viewer = RtcViewer(client)
        await viewer.open(media="texture", effects=[{"name": "eyelids", "closed": 0.5}])
        for _ in range(100):
            grey = await viewer.grey()
            if grey[: len(grey) // 5].max() < 40 and grey[-len(grey) // 5 :].max() < 40:
                break
        assert grey[: len(grey) // 5].max() < 40
        assert grey[len(grey) // 3 : -len(grey) // 3].max() > 100
        await viewer.close()


def test_the_installed_server_brings_the_page(server: ServerProcess) -> None:
    page = fetch(f"{server.url}/").decode()
    sources = re.findall(r'(?:src|href)="client/([^"]+)"', page)
    assert sources
    for source in [*sources, "gaze-client.js", "gaze-film.js"]:
        assert fetch(f"{server.url}/client/{source}") == (ROOT / "client" / source).read_bytes()


def test_the_installed_server_makes_its_certificate_in_the_users_folder(
    commands: Path, home: Path
) -> None:
    port = free_port()
    flags = ("--port", str(port))
    with running_server(*flags, command=[commands / "gaze"], folder=home):
        made = home.parent / "home" / ".local" / "state" / "gaze" / "certs" / "dev-cert.pem"
        while not made.exists():  # the server answers on plain HTTP before
            time.sleep(0.1)
        context = ssl.create_default_context(cafile=made)
        with urllib.request.urlopen(f"https://localhost:{port}/healthz", context=context) as answer:
            assert answer.status == 200
    assert list(home.iterdir()) == []


def test_the_printed_config_file_starts_the_server(commands: Path, home: Path) -> None:
    command = commands / "gaze"
    printed = subprocess.run([command, "config"], stdout=subprocess.PIPE, check=True, cwd=home)
    (home / "printed.toml").write_bytes(printed.stdout)
    piped = ["sh", "-c", f'exec {command} --config - "$@" < printed.toml', "gaze"]
    with running_server(command=piped, folder=home) as server:
        assert json.loads(fetch(f"{server.url}/healthz")) == {"status": "alive"}


def test_the_environment_has_exactly_one_opencv(commands: Path, home: Path) -> None:
    found = subprocess.run(
        [commands / "python", "-c", WHICH_CV2], stdout=subprocess.PIPE, check=True, text=True
    )
    assert found.stdout.split() == ["opencv-contrib-python-headless"]


def test_the_command_says_its_version(commands: Path, home: Path) -> None:
    said = subprocess.run([commands / "gaze", "--version"], stdout=subprocess.PIPE, cwd=home)
    assert said.stdout.decode() == f"gaze {gaze.__version__}\n"
