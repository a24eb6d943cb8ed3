"""The web's tests reach sessions through a pickling proxy, as if they ran in another process."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from gaze.base.settings import Settings
from gaze.web.app import create_app
from gaze.web.sessions import SESSIONS
from simulation.clients.rtc_viewer import RtcViewer
from tests.conftest import Serve
from tests.sessions.pickling import PicklingService


@pytest.fixture
def serve(aiohttp_client: Any, films: Path) -> Serve:
    """Start the real application with settings of the test's choice."""

    async def start(**settings: Any) -> TestClient[Any, Any]:
        chosen = {"media": films, "requests_per_minute": 100_000, "sessions_per_minute": 100_000}
        app = create_app(Settings(_env_file=None, **{**chosen, **settings}))
        app[SESSIONS] = PicklingService(app[SESSIONS])
        client: TestClient[Any, Any] = await aiohttp_client(app)
        return client

    return start


def forget_cookies(viewer: RtcViewer) -> None:
    """Let the next requests of a viewer's client show no cookie."""
    client = viewer._client
    session = client.session if isinstance(client, TestClient) else client
    session.cookie_jar.clear()
