"""The settings: where they come from, which win, and what is said about a wrong one."""

import io
import os
import re
import tomllib
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import pytest
from pydantic import ValidationError

import gaze
from gaze.base.settings import Settings, config_file, load


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to an empty working directory and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.upper().startswith("GAZE_"):
            monkeypatch.delenv(name)


def complaint(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Return what `load` prints before it exits with 2."""
    with pytest.raises(SystemExit) as exit:
        load(argv)
    assert exit.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err


def test_a_bare_start_is_reached_from_this_machine_only() -> None:
    settings = load([])
    assert (settings.host, settings.port, settings.http_port) == ("127.0.0.1", 8443, 8080)
    assert settings.media == Path(gaze.__file__).parent.parent / "media"
    assert settings.trusted_proxies == settings.allowed_origins == settings.stun_urls == []
    for unset in (settings.cert, settings.key, settings.public_origin, settings.turn_secret):
        assert unset is None


def test_flag_wins_over_environment_over_env_file_over_config_file_over_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("gaze.toml").write_text("port = 31\nhttp_port = 32\nmax_sessions = 33\ngrace_s = 34\n")
    Path(".env").write_text("GAZE_PORT=1\nGAZE_HTTP_PORT=2\nGAZE_MAX_SESSIONS=3\nOTHER=4\n")
    monkeypatch.setenv("GAZE_PORT", "11")
    monkeypatch.setenv("GAZE_HTTP_PORT", "12")
    settings = load(["--port", "21"])
    assert (settings.port, settings.http_port, settings.max_sessions) == (21, 12, 3)
    assert settings.grace_s == 34
    assert settings.workers == os.cpu_count()


@pytest.mark.parametrize("source", ["flag", "environment", "env file"])
def test_the_config_file_can_be_named_wherever_settings_come_from(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("gaze.toml").write_text("port = 1\n")
    Path("other.toml").write_text('http_port = 2\ntrusted_proxies = ["10.0.0.0/8"]\n')
    if source == "environment":
        monkeypatch.setenv("GAZE_CONFIG", "other.toml")
    if source == "env file":
        Path(".env").write_text("GAZE_CONFIG=other.toml\n")
    settings = load(["--config", "other.toml"] if source == "flag" else [])
    assert (settings.port, settings.http_port) == (8443, 2)
    assert settings.trusted_proxies == [IPv4Network("10.0.0.0/8")]


def test_the_printed_config_file_holds_every_setting_and_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(config_file()))
    read = load(["--config", "-"])
    assert read.model_copy(update={"config": None}) == load([])
    # Each fixed default is a line that counts; the others are there as comments.
    fixed = tomllib.loads(config_file())
    unset = load([]).model_dump()
    for name, field in Settings.model_fields.items():
        if name == "config":
            assert name not in fixed
            continue
        if field.default_factory is None and unset[name] is not None:
            assert fixed[name] == unset[name]
        else:
            assert re.search(rf"^# {name} = ", config_file(), re.M)
        assert field.description
        about = re.sub(r"\n# ", " ", config_file())
        assert f"{field.description} (" in about


def test_a_changed_line_of_the_printed_config_file_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = config_file().replace("max_sessions = 8", "max_sessions = 9")
    changed = changed.replace('# udp_ports = "..."', 'udp_ports = "50000-50100"')
    monkeypatch.setattr("sys.stdin", io.StringIO(changed))
    read = load(["--config", "-"])
    assert (read.max_sessions, read.udp_ports) == (9, (50000, 50100))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("port = 70000", "port in f.toml is '70000'; allowed: a whole number from 0 to 65535"),
        ("prot = 1", "prot in f.toml is not a setting; --help lists every setting"),
        ("config = 'g.toml'", "config in f.toml is not allowed: a file names no further one"),
        ("port 1", "f.toml must be TOML: Expected '=' after a key in a key/value pair (at line 1"),
        ("turn_secret = 'hush'", "turn_secret in f.toml is not shown here; allowed: 8 characters"),
        (None, "config is 'f.toml'; allowed: a file that exists"),
    ],
)
def test_a_wrong_config_file_is_named_in_one_line(
    content: str | None, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        Path("f.toml").write_text(content)
    said = complaint(capsys, "--config", "f.toml")
    assert said.startswith(f"gaze: {expected}")
    assert said.count("\n") == 1


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAZE_PUBLIC_ORIGIN", "")
    monkeypatch.setenv("GAZE_PORT", "")
    assert load([]).public_origin is None
    assert load([]).port == 8443


@pytest.mark.parametrize("source", ["flag", "environment", "file"])
def test_lists_are_comma_separated_wherever_they_come_from(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "10.0.0.0/8, 192.168.1.7,fd00::/8"
    argv = ["--trusted-proxies", text] if source == "flag" else []
    if source == "environment":
        monkeypatch.setenv("GAZE_TRUSTED_PROXIES", text)
    if source == "file":
        Path(".env").write_text(f"GAZE_TRUSTED_PROXIES={text}\n")
    assert load(argv).trusted_proxies == [
        IPv4Network("10.0.0.0/8"),
        IPv4Network("192.168.1.7/32"),
        IPv6Network("fd00::/8"),
    ]


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://films.example", "https://films.example"),
        ("HTTPS://Films.Example:443/", "https://films.example"),
        ("http://films.example:80", "http://films.example"),
        ("http://10.0.0.7:8080", "http://10.0.0.7:8080"),
        ("http://[FD00::7]:8080", "http://[fd00::7]:8080"),
    ],
)
def test_origins_are_written_as_browsers_write_them(given: str, origin: str) -> None:
    settings = load(["--public-origin", given, "--allowed-origins", f"{given},https://b.example"])
    assert settings.public_origin == origin
    assert settings.allowed_origins == [origin, "https://b.example"]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--port", "70000"], "--port is '70000'; allowed: a whole number from 0 to 65535"),
        (["--port", "8e3"], "--port is '8e3'; allowed: a whole number from 0 to 65535"),
        (["--grace-s", "nan"], "--grace-s is 'nan'; allowed: a number from 0 to 3600"),
        (["--max-sessions", "0"], "--max-sessions is '0'; allowed: a whole number from 1 to 10000"),
        (["--log-format", "xml"], "--log-format is 'xml'; allowed: console, json"),
        (
            ["--host", "http://x"],
            "--host is 'http://x'; allowed: an address or host name, without scheme and port",
        ),
        (
            ["--trusted-proxies", "10.0.0.1/8"],
            "--trusted-proxies is '10.0.0.1/8'; "
            "allowed: addresses or networks like 10.0.0.7 or 10.0.0.0/8",
        ),
        (
            ["--allowed-origins", "https://a.example,*"],
            "--allowed-origins is '*'; "
            "allowed: an origin like https://films.example or http://10.0.0.7:8080",
        ),
        (
            ["--public-origin", "https://a.example/films"],
            "--public-origin is 'https://a.example/films'; "
            "allowed: an origin like https://films.example or http://10.0.0.7:8080",
        ),
        (
            ["--cert", "none.pem", "--key", __file__],
            "--cert is 'none.pem'; allowed: a file that exists and that the server may read",
        ),
        (
            ["--stun-urls", "turn:a.example"],
            "--stun-urls is 'turn:a.example'; "
            "allowed: URLs like stun:host:3478 (RFC 7064, RFC 7065)",
        ),
        (
            ["--effects", "my_effects,./eyelids.py"],
            "--effects is './eyelids.py'; "
            "allowed: names of modules like my_effects or shop.effects",
        ),
        (["--cert", __file__], "cert and key go together; give both or neither"),
        (
            ["--port", "0", "--http-port", "0"],
            "port and http-port are both 0; one of them must be on",
        ),
        (
            ["--turn-urls", "turn:a.example"],
            "turn-urls need a turn-secret to make credentials from",
        ),
        (
            ["--film-max-bitrate-bps", "1000000"],
            "film-start-bitrate-bps is 2500000; allowed is at most film-max-bitrate-bps, 1000000",
        ),
        (
            ["--camera-uplink-start-kbps", "3000"],
            "camera-uplink-start-kbps is 3000; allowed is at most camera-uplink-max-kbps, 2500",
        ),
        (["--prot", "1"], "unrecognized arguments: --prot 1; --help lists every setting"),
        (["--max-film", "64"], "unrecognized arguments: --max-film 64; --help lists every setting"),
        (["--port"], "argument --port: expected one argument; --help lists every setting"),
    ],
)
def test_a_wrong_flag_is_named_in_one_line_with_what_is_allowed(
    argv: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaint(capsys, *argv) == f"gaze: {expected}\n"


def test_a_wrong_variable_is_named_as_it_was_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAZE_PORT", "tcp://10.0.0.1")
    Path(".env").write_text("GAZE_HTTP_PORT=99999\nGAZE_PROT=1\n")
    assert complaint(capsys).splitlines() == [
        "gaze: GAZE_PORT is 'tcp://10.0.0.1'; allowed: a whole number from 0 to 65535",
        "gaze: GAZE_HTTP_PORT in .env is '99999'; allowed: a whole number from 0 to 65535",
        "gaze: GAZE_PROT in .env is not a setting; --help lists every setting",
    ]


def test_a_secret_is_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert "hush" not in complaint(capsys, "--turn-secret", "hush")
    assert "hush-hush" not in repr(load(["--turn-secret", "hush-hush"]))


def test_help_tells_every_setting_with_description_limits_and_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as exit:
        load(["--help"])
    assert exit.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for name, field in Settings.model_fields.items():
        flag = f"--{name.replace('_', '-')}"
        assert field.description
        assert re.search(rf"{flag} \S+ {re.escape(field.description)} \([^)]*default: ", text), name


@pytest.mark.parametrize(
    ("ending", "unit"),
    [
        ("_s", "Seconds"),
        ("_bytes", "bytes"),
        ("_bps", "bit/s"),
        ("_kbps", "kbit/s"),
        ("_width", "pixels"),
        ("_height", "pixels"),
        ("_per_minute", "per minute"),
    ],
)
def test_a_description_names_the_unit_that_the_name_ends_with(ending: str, unit: str) -> None:
    fields = [f for name, f in Settings.model_fields.items() if name.endswith(ending)]
    assert fields
    assert all(unit in (field.description or "") for field in fields)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load([]).port = 1  # type: ignore[misc]


def test_encoder_and_decoder_are_chosen_by_themselves_or_by_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = load([])
    assert (settings.encoder, settings.encoder_pace, settings.decoder) == ("auto",) * 3
    forced = load(["--encoder", "NVENC", "--encoder-pace", "fast", "--decoder", "nvdec"])
    assert (forced.encoder, forced.encoder_pace, forced.decoder) == ("nvenc", "fast", "nvdec")
    assert complaint(capsys, "--encoder", "x265") == (
        "gaze: --encoder is 'x265'; allowed: auto, libvpx, libx264, nvenc\n"
    )
    assert complaint(capsys, "--decoder", "vdpau") == (
        "gaze: --decoder is 'vdpau'; allowed: auto, software, nvdec\n"
    )
