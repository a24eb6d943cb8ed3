"""Every setting of the server: its unit, default and limits, from flags, environment or `.env`.

A flag wins over an environment variable (prefix `GAZE_`), that over the file `.env` of the working
directory, and that over the default. Flags, `--help` and the messages about a wrong value are all
made from the fields of `Settings`, so a new setting is one new field.
"""

import argparse
import os
import sys
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
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gaze import __version__
from gaze.base.hosts import parse_host

ROOT = Path(__file__).resolve().parent.parent.parent
PREFIX = "GAZE_"


def _split(value: object) -> object:
    """Comma-separated text as a list; anything else as it is."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _origin(text: str) -> str:
    """An origin (RFC 6454) as browsers write it: lower case, without the scheme's default port.

    Raises:
        ValueError: not `http://host` or `https://host`, with `:port` where it is another one.
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
PortRange = Annotated[tuple[int, int], NoDecode, BeforeValidator(_port_range)]
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
        None, description="Certificate chain, PEM; without it the development one in certs/"
    )
    key: ReadableFile | None = Field(None, description="Private key of the certificate, PEM")

    # What it serves
    media: Path = Field(ROOT / "media", description="Folder of the hosted films")
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
        "with; without it FaceMesh, which comes with MediaPipe",
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
    udp_ports: PortRange | None = Field(
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
    """Read the settings from `argv` (default: the command line), the environment and `.env`.

    Raises:
        SystemExit: 2 after one line per wrong setting on stderr, 0 after `--help`, `--version`.
    """
    parser = _parser()
    flags = vars(parser.parse_args(argv))
    try:
        return Settings(**flags)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            print(f"{parser.prog}: {_explain(problem, flags)}", file=sys.stderr)
        raise SystemExit(2) from None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, without the usage of every flag."""
        self.exit(2, f"{self.prog}: {message}; --help lists every setting\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="server.py",
        usage="%(prog)s [--setting VALUE ...]",
        description="Serve films that follow the viewer's eyes.",
        epilog=f"Each setting can also come from the environment as {PREFIX}NAME, and from a file "
        f".env of such lines in the working directory. Flags win over both. Example: "
        f"{PREFIX}MAX_SESSIONS=4.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"gaze {__version__}")
    for name, field in Settings.model_fields.items():
        parser.add_argument(
            f"--{_kebab(name)}",
            metavar=_placeholder(field),
            help=f"{field.description} ({_facts(field)})".replace("%", "%%"),
        )
    return parser


def _explain(problem: Any, flags: dict[str, Any]) -> str:
    """One line about one wrong value: which setting, what was given, what is allowed."""
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return str(message)
    name = str(problem["loc"][0])
    if name in flags:
        shown = f"--{_kebab(name)}"
    elif f"{PREFIX}{name}".upper() in map(str.upper, os.environ):
        shown = f"{PREFIX}{name.upper()}"
    else:
        shown = f"{PREFIX}{name.upper()} in .env"
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{shown} is not a setting; --help lists every setting"
    given = "not shown here" if "turn_secret" in problem["loc"] else repr(str(problem["input"]))
    return f"{shown} is {given}; allowed: {_allowed(field) or message}"


def _facts(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, Path):
        default = f"{default.relative_to(ROOT)}/ of the project"
    shown = f"default: {'none' if default in (None, []) else default}"
    return "; ".join(filter(None, (_allowed(field), shown)))


def _allowed(field: FieldInfo) -> str:
    """The values that a field takes, in words; empty where its description has to do."""
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


def _kebab(name: str) -> str:
    return name.replace("_", "-")
