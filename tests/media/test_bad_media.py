"""A folder with every kind of bad file, before a server as its users run it."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from simulation.films import make_film, texture
from simulation.rtc_viewer import RtcViewer
from simulation.server_process import ServerProcess, running_server
from tests.media.bad_media import BAD


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    good = make_film(folder / "good.mkv", texture(320, 180), 8.0)
    make_film(folder / "spoilt.mp4", texture(320, 180), 8.0)
    for name, (make, _) in BAD.items():
        make(folder / name, good.read_bytes())
    return folder


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "server.log"


@pytest.fixture(scope="module")
def server(folder: Path, log: Path) -> Iterator[ServerProcess]:
    with running_server("--media", str(folder), log=log) as server:
        yield server


def lines_of(log: Path) -> list[str]:
    return log.read_text().splitlines()


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[ClientSession]:
    async with ClientSession(server.url) as client:
        yield client


async def test_each_is_one_clear_line_and_the_good_ones_play(
    client: ClientSession, log: Path
) -> None:
    films = await (await client.get("/api/media")).json()
    assert [film["name"] for film in films] == ["good", "spoilt"]
    lines = lines_of(log)
    for name, (_, why) in BAD.items():
        (line,) = [line for line in lines if f"media file {name} skipped" in line]
        assert why in line
    assert len([line for line in lines if "skipped" in line]) == len(BAD)

    viewer = RtcViewer(client)
    await viewer.open(media="good", sound=True)
    assert (await viewer.frame()).width == 320
    await viewer.sound()
    for name in ("cut", "../good", "away"):
        viewer.say(type="media", name=name)
    for _ in range(3):
        error = await viewer.hear("error")
        assert "there are: good, spoilt" in error["detail"]
        viewer.messages.remove(error)
    await viewer.frame()
    await viewer.close()


async def test_a_film_that_goes_bad_while_it_plays(
    client: ClientSession, folder: Path, log: Path
) -> None:
    viewer = RtcViewer(client)
    await viewer.open(media="spoilt")
    await viewer.frame()
    os.truncate(folder / "spoilt.mp4", 2000)
    viewer.say(type="playback", seek=6.0)
    other = RtcViewer(client)
    await other.open(media="spoilt")
    viewer.say(type="media", name="good")
    viewer.say(type="ping", id=1, t=0)
    await viewer.hear("pong")
    await viewer.frame()
    for person in (viewer, other):
        await person.close()
    assert (await client.get("/healthz")).status == 200
    text = "\n".join(lines_of(log))
    assert "film spoilt.mp4: decoding stopped: " in text
    assert "Traceback" not in text
