"""Decoding ahead in a thread: bounded, sought, ended, and never left hanging."""

import logging
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from av.container import InputContainer

from gaze.media import decode_ahead
from gaze.media.decode import Picture, pictures
from gaze.media.decode_ahead import DecodeAhead
from simulation.films.coded import make_coded_film, number_of
from simulation.scripted_time import reached

FRAMES = 30
FRAME_S = 1 / 25


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_coded_film(tmp_path_factory.mktemp("ahead") / "coded.mkv", FRAMES, sound=None)


def nothing() -> None:
    pass


def ahead(film: Path, limit: int = 4) -> DecodeAhead[Picture]:
    return DecodeAhead(film, pictures, 0.0, limit, nothing)


async def test_it_decodes_up_to_its_limit_and_goes_on_as_items_are_taken(film: Path) -> None:
    decoder = ahead(film)
    await reached(lambda: len(decoder) == 4)
    assert decoder.newest_s == pytest.approx(3 * FRAME_S, abs=0.001)
    assert not decoder.finished
    numbers: list[int] = []
    while len(numbers) < FRAMES:
        await reached(lambda: len(decoder) > 0)
        waiting = decoder.peek()
        assert waiting is not None
        numbers.append(number_of(waiting.frame))
        assert decoder.pop() is waiting
    assert numbers == list(range(FRAMES))
    await reached(lambda: decoder.finished)
    assert decoder.peek() is None
    with pytest.raises(IndexError):
        decoder.pop()
    await decoder.close()


async def test_covers_tells_what_is_decoded_or_cannot_be(film: Path) -> None:
    decoder = ahead(film)
    await reached(lambda: len(decoder) == 4)
    assert decoder.covers(3 * FRAME_S - 0.001)
    assert decoder.covers(99.0), "no more than the limit can be decoded"
    decoder.pop()
    decoder.seek(1.0)
    await reached(lambda: decoder.finished or len(decoder) == 4)
    assert decoder.covers(1.0)
    await decoder.close()


async def test_a_seek_drops_what_was_decoded_before(film: Path) -> None:
    decoder = ahead(film)
    for number in (20, 3, 11):
        await reached(lambda: len(decoder) > 0)
        decoder.seek(number * FRAME_S)
        await reached(lambda: len(decoder) > 0)
        assert number_of(decoder.pop().frame) == number
    await decoder.close()


async def test_the_owner_is_told_of_the_first_items_and_of_the_end(film: Path) -> None:
    told: list[int] = []
    decoder: DecodeAhead[Picture] = DecodeAhead(film, pictures, 1.08, 4, lambda: told.append(1))
    await reached(lambda: decoder.finished)
    await reached(lambda: len(told) == 3)
    assert len(decoder) == 3
    await decoder.close()


async def test_a_decoder_that_raises_ends_the_film_and_is_logged_once(
    film: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(container: InputContainer, position_s: float) -> Generator[Picture, None, None]:
        yield next(pictures(container, position_s))
        raise RuntimeError("not today")

    decoder: DecodeAhead[Picture] = DecodeAhead(film, failing, 0.0, 4, nothing)
    await reached(lambda: decoder.finished)
    assert len(decoder) == 1
    decoder.seek(0.5)
    await reached(lambda: decoder.finished)
    await decoder.close()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "film coded.mkv: decoding stopped" in record.getMessage()


async def test_close_ends_the_thread_while_it_waits_for_room(film: Path) -> None:
    threads = threading.active_count()
    decoder = ahead(film, limit=1)
    await reached(lambda: len(decoder) == 1)
    await decoder.close()
    assert threading.active_count() == threads
    await decoder.close()


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


async def test_close_leaves_a_decoder_behind_that_hangs(
    film: Path,
    release: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun = threading.Event()

    def hanging(container: InputContainer, position_s: float) -> Generator[Picture, None, None]:
        begun.set()
        release.wait()
        yield from pictures(container, position_s)

    monkeypatch.setattr(decode_ahead, "CLOSE_TIMEOUT_S", 0.05)
    decoder: DecodeAhead[Picture] = DecodeAhead(film, hanging, 0.0, 4, nothing)
    await reached(begun.is_set)
    await decoder.close()
    assert "the decoder did not stop" in caplog.text
    release.set()
    await decoder.close()
