"""A server and made cameras for the browsers."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulation.browser.page import browsers_kept
from simulation.films import make_film, texture
from simulation.server_process import ServerProcess, free_port, running_server
from simulation.viewers import write_camera
from tests.browser.host import Host, served

LEFT, RIGHT, AHEAD = ({"iris": (x, 0.0)} for x in (6.0, -6.0, 0.0))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers that go on running from test to test need an event loop that does so, too."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
async def browsers() -> AsyncIterator[None]:
    """Browsers run until the last test."""
    async with browsers_kept():
        yield


FLAGS = ("--sessions-per-minute", "1000", "--max-sessions", "100")
"""Tests follow fast, and the sessions of closed pages wait for these to come back."""


@pytest.fixture(scope="session")
def server(films: Path) -> Iterator[ServerProcess]:
    """The server as its users run it, with the test films."""
    with running_server("--media", str(films), *FLAGS) as started:
        yield started


@pytest.fixture(scope="session")
def host(films: Path) -> Iterator[Host]:
    """A site of another origin, which the server's operator allows.

    The server waits an hour for a page to come back, so that a session which has ended is one that
    its page has ended.
    """
    port = free_port()
    url = f"http://localhost:{port}"
    flags = ("--media", str(films), "--allowed-origins", url, "--grace-s", "3600", *FLAGS)
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
    write_camera(folder / "closing.mjpeg", [(3, AHEAD), (4, {**AHEAD, "openness": 0.0})])
    write_camera(
        folder / "widening.mjpeg",
        [(5, {**AHEAD, "pupil_mm": 3.0}), (5, {**AHEAD, "pupil_mm": 6.0})],
    )
    return folder


@pytest.fixture(scope="session")
def own_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of the viewer's own, with sound, that every browser plays."""
    return make_film(tmp_path_factory.mktemp("own") / "own.webm", texture(640, 360), 20.0)
