"""Host names and ports of settings."""

import pytest

from gaze.base.hosts import parse_host


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("cam.example", ("cam.example", None)),
        ("cam.example:8554", ("cam.example", 8554)),
        ("10.0.0.7:80", ("10.0.0.7", 80)),
        ("[2001:db8::7]", ("2001:db8::7", None)),
        ("[2001:db8::7]:554", ("2001:db8::7", 554)),
    ],
)
def test_hosts_with_and_without_port(text: str, parsed: tuple[str, int | None]) -> None:
    assert parse_host(text) == parsed


@pytest.mark.parametrize("text", ["", "me@cam.example", "cam.example/a", ":1"])
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(ValueError, match="hosts like"):
        parse_host(text)
