"""Every setting of the server: its unit, default and limits, and where it may come from.

A flag wins over an environment variable (prefix `GAZE_`), that over the file `.env` of the working
directory, that over a file of settings (`--config`, or `gaze.toml` of the working directory), and
that over the default. Flags, `--help`, the file that `gaze config` prints and the messages about a
wrong value are all made from the fields of `Settings`, so a new setting is one new field.
"""

import argparse
import json
import os
import sys
import textwrap
import tomllib
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self, get_args, get_origin
from urllib.parse import urlsplit

from annotated_types import Ge, Le
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    IPvAnyAddress,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    CliSettingsSource,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    SettingsConfigDict,
)

from gaze import __version__
from gaze.base import locations
from gaze.base.hosts import parse_host

PROGRAM = "gaze"
PREFIX = "GAZE_"
CONFIG_FILE = Path("gaze.toml")


class ConfigFileError(ValueError):
    """A file of settings cannot be used; says which and why."""


def _split(value: object) -> object:
    """Comma-separated text as a list; anything else as it is."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _origin(text: str) -> str:
    """Return an origin (RFC 6454) as browsers write it: lower case, without a default port.

    Raises
    ------
    ValueError
        Not `http://host` or `https://host`, with `:port` where it is another one.
    """
    parts = urlsplit(text.lower())
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    default_port = {"http": 80, "https": 443}.get(parts.scheme)
    if not (default_port and parts.hostname and plain):
        raise ValueError("an origin like https://films.example or http://10.0.0.7:8080")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, default_port) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _network(value: object) -> object:
    try:
        return ip_network(str(value))
    except ValueError as error:
        raise ValueError("addresses or networks like 10.0.0.7 or 10.0.0.0/8") from error


def _address(value: object) -> object:
    try:
        return ip_address(str(value))
    except ValueError as error:
        raise ValueError("IP addresses like 203.0.113.7 or 2001:db8::7") from error


def _port_range(value: object) -> object:
    """`"50000-50100"` as (50000, 50100)."""
    if not isinstance(value, str):
        return value
    first, _, last = (part.strip() for part in value.partition("-"))
    if not (first.isdecimal() and last.isdecimal() and 1024 <= int(first) <= int(last) <= 65535):
        raise ValueError("two ports from 1024 to 65535, the smaller first, like 50000-50100")
    return int(first), int(last)


def _readable_file(path: Path) -> Path:
    if not (path.is_file() and os.access(path, os.R_OK)):
        raise ValueError("a file that exists and that the server may read")
    return path


def _host(text: str) -> str:
    if not text or set(text) & set("/ \t"):
        raise ValueError("an address or host name, without scheme and port")
    return text


def _secret(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < 8:
        raise ValueError("8 characters or more")
    return secret


def _ice_url(*schemes: str) -> Callable[[str], str]:
    def check(url: str) -> str:
        scheme, _, rest = url.partition(":")
        if scheme not in schemes or not rest or rest.startswith("/"):
            raise ValueError(f"URLs like {schemes[0]}:host:3478 (RFC 7064, RFC 7065)")
        return url

    return check


def _live_host(text: str) -> str:
    parse_host(text)
    return text.lower()


def _module(name: str) -> str:
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError("names of modules like my_effects or shop.effects")
    return name


Listed = (NoDecode, BeforeValidator(_split))
Host = Annotated[str, AfterValidator(_host)]
ReadableFile = Annotated[Path, AfterValidator(_readable_file)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
LiveHost = Annotated[str, AfterValidator(_live_host)]
Module = Annotated[str, AfterValidator(_module)]
Port = Annotated[int, Field(ge=0, le=65535)]
PortRange = Annotated[tuple[int, int], BeforeValidator(_port_range)]
Address = Annotated[IPvAnyAddress, BeforeValidator(_address)]
Origin = Annotated[str, AfterValidator(_origin)]
Network = Annotated[IPvAnyNetwork, BeforeValidator(_network)]
StunUrl = Annotated[str, AfterValidator(_ice_url("stun", "stuns"))]
TurnUrl = Annotated[str, AfterValidator(_ice_url("turn", "turns"))]
Side = Annotated[int, Field(ge=64, le=7680)]
BitrateBps = Annotated[int, Field(ge=50_000, le=100_000_000)]
BitrateKbps = Annotated[int, Field(ge=50, le=100_000)]


class Settings(BaseSettings):
    """The settings, checked. Frozen; made by `load`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        dotenv_filtering="match_prefix",
        extra="forbid",
        frozen=True,
    )

    config: Path | None = Field(
        None,
        description="File of settings, TOML; - reads standard input; without it gaze.toml of the "
        "working directory, where there is one",
    )

    # Where it is reached
    host: Host = Field(
        "127.0.0.1",
        description="Address or host name to serve HTTPS on; 0.0.0.0 is every IPv4 address",
    )
    port: Port = Field(8443, description="Port for HTTPS; 0 turns it off")
    http_port: Port = Field(
        8080, description="Port for plain HTTP, on loopback only whatever the host; 0 turns it off"
    )
    public_origin: Origin | None = Field(
        None, description="Origin that viewers see when a proxy stands in front"
    )
    trusted_proxies: Annotated[list[Network], *Listed] = Field(
        [], description="Addresses or networks of proxies whose X-Forwarded headers are believed"
    )
    allowed_origins: Annotated[list[Origin], *Listed] = Field(
        [], description="Further origins whose pages may open sessions here"
    )
    cert: ReadableFile | None = Field(
        None, description="Certificate chain, PEM; without it one made for development"
    )
    key: ReadableFile | None = Field(None, description="Private key of the certificate, PEM")

    # What it serves
    media: Path = Field(default_factory=locations.media, description="Folder of the hosted films")
    live_hosts: Annotated[list[LiveHost], *Listed] = Field(
        [],
        description="Hosts, like cam.example or cam.example:8554, whose streams viewers may watch "
        "by their address (rtsp, http, https)",
    )
    live_networks: Annotated[list[Network], *Listed] = Field(
        [],
        description="Networks, like 10.0.0.0/8, in which those hosts may be beside the public "
        "internet; a host listed by its IP address needs none",
    )
    effects: Annotated[list[Module], *Listed] = Field(
        [], description="Python modules that bring further effects"
    )

    face_landmarker: ReadableFile | None = Field(
        None,
        description="Model of MediaPipe's Face Landmarker (a face_landmarker.task) to find faces "
        "with, which needs the package mediapipe; without it the face networks that come with gaze",
    )

    # How much of it
    max_sessions: int = Field(8, ge=1, le=10_000, description="Viewers at a time")
    grace_s: float = Field(
        30.0, ge=0, le=3600, description="Seconds that a lost viewer's session waits to be resumed"
    )
    max_body_bytes: int = Field(
        262_144, ge=16_384, le=16_777_216, description="Largest HTTP request body, in bytes"
    )
    max_message_bytes: int = Field(
        65_536,
        ge=4_096,
        le=1_048_576,
        description="Largest data channel or WebSocket message, bytes",
    )
    sessions_per_minute: int = Field(
        30, ge=1, le=100_000, description="Sessions that one client address may open per minute"
    )
    requests_per_minute: int = Field(
        600, ge=1, le=1_000_000, description="HTTP requests of one client address per minute"
    )
    max_film_width: Side = Field(
        1920, description="Largest film width, in pixels; larger films are scaled down"
    )
    max_film_height: Side = Field(1080, description="Largest film height, in pixels")
    max_camera_width: Side = Field(
        1280, description="Largest camera width, in pixels; larger pictures are scaled down"
    )
    max_camera_height: Side = Field(720, description="Largest camera height, in pixels")

    # Picture quality
    film_start_bitrate_bps: BitrateBps = Field(
        2_500_000, description="First bitrate of the film to the viewer, in bit/s"
    )
    film_max_bitrate_bps: BitrateBps = Field(
        6_000_000, description="Highest bitrate of the film to the viewer, in bit/s"
    )
    film_uplink_start_kbps: BitrateKbps = Field(
        3_000, description="First bitrate of a film that the browser sends, in kbit/s"
    )
    film_uplink_max_kbps: BitrateKbps = Field(
        6_000, description="Highest bitrate of a film that the browser sends, in kbit/s"
    )
    camera_uplink_start_kbps: BitrateKbps = Field(
        1_000, description="First bitrate of the camera, in kbit/s"
    )
    camera_uplink_max_kbps: BitrateKbps = Field(
        2_500, description="Highest bitrate of the camera, in kbit/s"
    )

    # What encodes and decodes
    encoder: Annotated[Literal["auto", "libvpx", "libx264", "nvenc"], BeforeValidator(_lower)] = (
        Field(
            "auto",
            description="What encodes the film, and so its codec where the browser has it; "
            "auto is NVENC if it works and libvpx or libx264, as the browser prefers, if not",
        )
    )
    encoder_pace: Annotated[
        Literal["auto", "best", "balanced", "fast"], BeforeValidator(_lower)
    ] = Field("auto", description="Picture quality against speed; auto follows the load")
    decoder: Annotated[Literal["auto", "software", "nvdec"], BeforeValidator(_lower)] = Field(
        "auto", description="What decodes camera and film; auto is NVDEC if it works"
    )

    # How it gets through firewalls
    udp_ports: Annotated[PortRange | None, NoDecode] = Field(
        None,
        description="UDP ports for media, like 50000-50100: one for each viewer and network "
        "address, and one more while a connection is moved; without it any",
    )
    public_address: Annotated[list[Address], *Listed] = Field(
        [],
        description="Addresses by which viewers reach this machine where they differ from its own "
        "(1:1 NAT); one IPv4, one IPv6",
    )
    stun_urls: Annotated[list[StunUrl], *Listed] = Field(
        [], description="STUN servers, for the server and the browsers"
    )
    turn_urls: Annotated[list[TurnUrl], *Listed] = Field(
        [], description="TURN servers, for the server and the browsers; they need the TURN secret"
    )
    turn_secret: Secret | None = Field(
        None, description="Secret shared with the TURN servers, from which credentials are made"
    )
    turn_ttl_s: int = Field(
        3_600, ge=60, le=86_400, description="Seconds for which TURN credentials are valid"
    )

    # How it runs
    workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="Threads that work on pixels; by default one for each core",
    )
    tracking_processes: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="Most processes that find eyes, two sessions each before one is added",
    )
    shutdown_timeout_s: float = Field(
        10.0, ge=0, le=300, description="Seconds that sessions have to end when the server stops"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = (
        Field("info", description="WindowedMinimum severe messages that are logged")
    )
    log_format: Annotated[Literal["console", "json"], BeforeValidator(_lower)] = Field(
        "console", description="Logs for people or for programs"
    )

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if not (self.port or self.http_port):
            raise ValueError("port and http-port are both 0; one of them must be on")
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key go together; give both or neither")
        versions = [address.version for address in self.public_address]
        if len(versions) > len(set(versions)):
            raise ValueError("public-address is at most one IPv4 and one IPv6 address")
        if self.turn_urls and self.turn_secret is None:
            raise ValueError("turn-urls need a turn-secret to make credentials from")
        for start, most in (
            ("film_start_bitrate_bps", "film_max_bitrate_bps"),
            ("film_uplink_start_kbps", "film_uplink_max_kbps"),
            ("camera_uplink_start_kbps", "camera_uplink_max_kbps"),
        ):
            if getattr(self, start) > getattr(self, most):
                raise ValueError(
                    f"{_kebab(start)} is {getattr(self, start)}; "
                    f"allowed is at most {_kebab(most)}, {getattr(self, most)}"
                )
        return self


def load(argv: Sequence[str] | None = None) -> Settings:
    """Read the settings from flags, the environment, `.env`, a file of settings, and the defaults.

    Parameters
    ----------
    argv : sequence of str, optional
        The flags; by default those of the command line.

    Returns
    -------
    Settings
        The settings, checked.

    Raises
    ------
    SystemExit
        2 after one line per wrong setting on stderr, 0 after `--help`, `--version`.
    """
    parser = _Parser(
        prog=PROGRAM,
        usage="%(prog)s [--setting VALUE ...]\n       %(prog)s config [--help]",
        description="Serve films that follow the viewer's eyes.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    command_line = CliSettingsSource[Any](
        Settings, root_parser=parser, cli_kebab_case=True, add_argument_method=_add_argument
    )
    flags = command_line(parsed_args=parser.parse_args(argv))
    # By falling priority; each as the name that a message gives a setting, and the values found.
    sources: list[_Source] = [
        (lambda name: f"--{_kebab(name)}", flags()),
        (lambda name: f"{PREFIX}{name.upper()}", EnvSettingsSource(Settings)()),
        (lambda name: f"{PREFIX}{name.upper()} in .env", DotEnvSettingsSource(Settings)()),
    ]
    try:
        sources.append(_file_source(_merged(sources).get("config")))
        return Settings(**_merged(sources))
    except ConfigFileError as error:
        parser.exit(2, f"{PROGRAM}: {error}\n")
    except ValidationError as error:
        lines = [_explain(problem, sources) for problem in error.errors(include_url=False)]
        parser.exit(2, "".join(f"{PROGRAM}: {line}\n" for line in lines))


def config_file() -> str:
    """Return a file of settings, TOML, with each setting, its description, limits and default.

    A setting that has no default, or one that depends on the machine, is commented out.
    """
    parts = [
        f"# The settings of {PROGRAM} {__version__}: what each is, its name, and its default.\n"
        "# A flag, an environment variable and a line of .env win over a line here.\n"
    ]
    for name, field in Settings.model_fields.items():
        if name == "config":
            continue
        about = textwrap.wrap(f"{field.description} ({_facts(field)})", 98)
        default = _default(field)
        fixed = field.default_factory is None and default is not None
        value = '"..."' if default is None else _toml(default)
        parts.append(
            "".join(f"# {line}\n" for line in about) + f"{'' if fixed else '# '}{name} = {value}\n"
        )
    return "\n".join(parts)


_EPILOG = f"""\
Each setting can also come from the environment as {PREFIX}NAME ({PREFIX}MAX_SESSIONS=4), from a
file .env of such lines in the working directory, and from a file of settings (max_sessions = 4),
which `{PROGRAM} config` prints. Flags win over the environment, that over .env, and that over the
file."""

# How a message names a setting of a source, and the values found there by the settings' names.
_Source = tuple[Callable[[str], str], dict[str, Any]]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, without the usage of every flag."""
        self.exit(2, f"{self.prog}: {message}; --help lists every setting\n")


def _add_argument(
    group: argparse.ArgumentParser,
    *names: str,
    **options: Any,  # noqa: ANN401 - as argparse declares them
) -> argparse.Action:
    """Add a setting's flag, with its limits in the help."""
    field = Settings.model_fields[options["dest"]]
    options["help"] = f"{field.description} ({_facts(field)})".replace("%", "%%")
    options["metavar"] = _placeholder(field)
    return group.add_argument(*names, **options)


def _merged(sources: Sequence[_Source]) -> dict[str, Any]:
    return {name: value for _, found in reversed(sources) for name, value in found.items()}


def _file_source(given: object) -> _Source:
    """Read the file of settings: the one given, `-` for standard input, or `gaze.toml`.

    Raises
    ------
    ConfigFileError
        It cannot be read, is no TOML, or names a further file.
    """
    path = Path(str(given)) if given is not None else CONFIG_FILE
    shown = "standard input" if given == "-" else str(path)
    try:
        text = sys.stdin.read() if given == "-" else path.read_text("utf-8")
        found = tomllib.loads(text)
    except FileNotFoundError:
        if given is None:
            found = {}
        else:
            raise ConfigFileError(f"config is {shown!r}; allowed: a file that exists") from None
    except OSError as error:
        raise ConfigFileError(f"config is {shown!r}, which cannot be read: {error}") from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise ConfigFileError(f"{shown} must be TOML: {error}") from None
    if "config" in found:
        raise ConfigFileError(f"config in {shown} is not allowed: a file names no further one")
    return (lambda name: f"{name} in {shown}"), found


def _explain(problem: ErrorDetails, sources: Sequence[_Source]) -> str:
    """Say in one line of a wrong value which setting it is, what was given and what is allowed."""
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return str(message)
    name = str(problem["loc"][0])
    shown = next(label(name) for label, found in sources if name in found)
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{shown} is not a setting; --help lists every setting"
    given = "not shown here" if "turn_secret" in problem["loc"] else repr(str(problem["input"]))
    return f"{shown} is {given}; allowed: {_allowed(field) or message}"


def _default(field: FieldInfo) -> object:
    return field.get_default(call_default_factory=True, validated_data={})


def _facts(field: FieldInfo) -> str:
    default = _default(field)
    shown = f"default: {'none' if default in (None, []) else default}"
    return "; ".join(filter(None, (_allowed(field), shown)))


def _allowed(field: FieldInfo) -> str:
    """Return the values that a field takes, in words; empty where its description has to do."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(get_args(field.annotation))
    least = next((rule.ge for rule in field.metadata if isinstance(rule, Ge)), None)
    most = next((rule.le for rule in field.metadata if isinstance(rule, Le)), None)
    if least is None or most is None:
        return ""
    return f"a {'whole ' if field.annotation is int else ''}number from {least} to {most}"


def _placeholder(field: FieldInfo) -> str:
    kind = str(field.annotation)
    if field.annotation in (int, float):
        return "N"
    if get_origin(field.annotation) is list:
        return "A,B,..."
    return "PATH" if "Path" in kind else "TEXT"


def _toml(value: object) -> str:
    """Write a default as TOML does: its strings and numbers are those of JSON."""
    return json.dumps(str(value) if isinstance(value, Path) else value)


def _kebab(name: str) -> str:
    return name.replace("_", "-")
