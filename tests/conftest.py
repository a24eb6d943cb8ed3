"""Fixtures that several test files share: films, a server's settings, the server, viewers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from gaze.base.allocator import limit_arenas
from gaze.base.settings import Settings
from gaze.web.app import create_app
from simulation.clients.rtc_viewer import RtcViewer
from simulation.films.progress import grid, make_film, texture

limit_arenas()

Serve = Callable[..., Awaitable[TestClient[Any, Any]]]


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of two hosted films: `texture` (20 s, with sound), `grid` (4 s, silent)."""
    folder = tmp_path_factory.mktemp("films")
    make_film(folder / "texture.mp4", texture(640, 360), 20.0)
    make_film(folder / "grid.mp4", grid(640, 360), 4.0, tone_hz=None)
    return folder


@pytest.fixture
def serve(aiohttp_client: AiohttpClient, films: Path) -> Serve:
    """Start the real application with settings of the test's choice."""

    async def start(**settings: Any) -> TestClient[Any, Any]:
        chosen = {"media": films, "requests_per_minute": 100_000, "sessions_per_minute": 100_000}
        return await aiohttp_client(create_app(Settings(_env_file=None, **{**chosen, **settings})))

    return start


@pytest.fixture
async def viewer(serve: Serve) -> AsyncIterator[RtcViewer]:
    """Make a viewer of a server with default settings, not yet in a session."""
    person = RtcViewer(await serve())
    yield person
    await person.close()
