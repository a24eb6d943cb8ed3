"""A server and made cameras for the browsers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.host import Host, served
from tests.films import make_film, texture
from tests.server_process import ServerProcess, free_port, running_server
from tests.viewers import write_camera

LEFT, RIGHT, AHEAD = ({"iris": (x, 0.0)} for x in (6.0, -6.0, 0.0))


@pytest.fixture(scope="module")
def server(films: Path) -> Iterator[ServerProcess]:
    """The server as its users run it, with the test films."""
    with running_server("--media", str(films), "--sessions-per-minute", "1000") as started:
        yield started


@pytest.fixture(scope="module")
def host(films: Path) -> Iterator[Host]:
    """A site of another origin, which the server's operator allows."""
    port = free_port()
    url = f"http://localhost:{port}"
    flags = ("--media", str(films), "--allowed-origins", url, "--sessions-per-minute", "1000")
    with running_server(*flags) as server:
        host = Host(server, url)
        with served(port, host.body):
            yield host


@pytest.fixture(scope="session")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Camera files: `looks`, `steady`, `closing` and `widening`, all .mjpeg at 30 frames/s."""
    folder = tmp_path_factory.mktemp("cameras")
    write_camera(folder / "looks.mjpeg", [(4, LEFT), (4, RIGHT), (4, AHEAD)])
    write_camera(folder / "steady.mjpeg", [(4, AHEAD)])
    write_camera(folder / "closing.mjpeg", [(6, AHEAD), (4, {**AHEAD, "openness": 0.0})])
    write_camera(
        folder / "widening.mjpeg",
        [(5, {**AHEAD, "pupil_mm": 3.0}), (5, {**AHEAD, "pupil_mm": 6.0})],
    )
    return folder


@pytest.fixture(scope="session")
def own_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of the viewer's own, with sound, that every browser plays."""
    return make_film(tmp_path_factory.mktemp("own") / "own.webm", texture(640, 360), 20.0)
