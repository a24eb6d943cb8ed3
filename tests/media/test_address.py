"""The guard of live streams' addresses: what is allowed, and where names may resolve to."""

import socket
from ipaddress import ip_network

import pytest

from gaze.media.address import AddressError, Allowed, bracketed, is_address

ALLOWED = Allowed.of(["cam.example", "cam.example:8554", "93.184.216.34", "10.1.2.3:80"], [])


def resolve_to(monkeypatch: pytest.MonkeyPatch, *ips: str) -> None:
    """Let every name resolve to these IP addresses; the real resolver has none of these names."""

    def resolved(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (ip, port)) for ip in ips]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://cam.example/a.ts?b=1", "http://cam.example:80"),
        ("https://CAM.example/", "https://cam.example:443"),
        ("rtsp://me:secret@cam.example:8554/one", "rtsp://cam.example:8554"),
        ("rtsp://cam.example", "rtsp://cam.example:554"),
        ("http://93.184.216.34/x", "http://93.184.216.34:80"),
    ],
)
def test_listed_hosts_are_allowed_at_their_ports(text: str, origin: str) -> None:
    assert ALLOWED.check(text).origin == origin


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("file:///etc/passwd", "begins with rtsp"),
        ("ftp://cam.example/a", "begins with rtsp"),
        ("concat:http://cam.example/", "begins with rtsp"),
        ("http:///a", "begins with rtsp"),
        ("http://[::1", "not an address"),
        ("http://cam.example:99999/", "not an address"),
        ("http://cam.example:8080/", "does not allow cam.example:8080"),
        ("http://other.example/", "does not allow other.example:80"),
        ("http://cam.example@other.example/", "does not allow other.example:80"),
        ("http://cam.example.other.example/", "does not allow"),
        ("http://127.0.0.1/", "does not allow"),
        ("http://2130706433/", "does not allow"),
        ("https://10.1.2.3/", "does not allow"),
        ("http://cam.example/a\r\nHost: other", "without spaces"),
        ("http://cam.example/ HTTP/1.1", "without spaces"),
        ("http://cam.example/ä", "ASCII"),
        ("http://cam.example/" + "a" * 3000, "2048"),
    ],
)
def test_everything_else_is_refused(text: str, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        ALLOWED.check(text)


@pytest.mark.parametrize(
    ("found", "networks", "allowed"),
    [
        ("93.184.216.34", [], True),
        ("2606:2800:220:1::1", [], True),
        ("10.0.0.8", ["10.0.0.0/8"], True),
        ("10.0.0.8", ["192.168.0.0/16"], False),
        ("10.0.0.8", [], False),
        ("127.0.0.1", [], False),
        ("169.254.169.254", [], False),
        ("100.64.0.1", [], False),
        ("0.0.0.0", [], False),
        ("224.0.0.1", [], False),
        ("::1", [], False),
        ("fe80::1", [], False),
        ("fd00::1", [], False),
        ("::ffff:127.0.0.1", [], False),
        ("2002:7f00:1::", [], False),
        ("2002:5db8:d822::", [], True),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", [], False),
        ("64:ff9b::7f00:1", [], False),
        ("64:ff9b::a00:8", ["10.0.0.0/8"], True),
        ("64:ff9b::5db8:d822", [], True),
        ("fe80::1%eth0", [], False),
    ],
)
def test_a_listed_name_may_not_resolve_into_private_networks(
    found: str, networks: list[str], allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, found)
    guard = Allowed.of(["cam.example"], map(ip_network, networks))
    address = guard.check("http://cam.example/")
    if allowed:
        assert guard.resolve(address) == found
    else:
        with pytest.raises(AddressError, match="network that the operator does not allow"):
            guard.resolve(address)


def test_an_ip_address_that_is_listed_needs_no_network() -> None:
    assert ALLOWED.resolve(ALLOWED.check("http://10.1.2.3/")) == "10.1.2.3"


def test_the_first_address_that_may_be_reached_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.1", "93.184.216.34", "8.8.8.8")
    assert ALLOWED.resolve(ALLOWED.check("http://cam.example/")) == "93.184.216.34"


def test_an_unknown_host_is_reported_by_its_name() -> None:
    guard = Allowed.of(["no-such-host.invalid"], [])
    with pytest.raises(AddressError, match=r"no-such-host\.invalid is not known"):
        guard.resolve(guard.check("rtsp://no-such-host.invalid/"))


def test_an_address_keeps_user_and_target_at_another_host_but_not_in_its_origin() -> None:
    address = ALLOWED.check("rtsp://me:se%40cret@cam.example:8554/one?key=1")
    assert (address.scheme, address.host, address.port) == ("rtsp", "cam.example", 8554)
    assert (address.target, address.user) == ("/one?key=1", "me:se%40cret")
    assert address.at("::1", 99) == "rtsp://me:se%40cret@[::1]:99/one?key=1"
    assert address.origin == "rtsp://cam.example:8554"


def test_ipv6_hosts_are_bracketed_in_urls() -> None:
    assert bracketed("2001:db8::7") == "[2001:db8::7]"
    assert bracketed("cam.example") == "cam.example"
    guard = Allowed.of(["[2001:db8::7]:8554"], [])
    assert guard.check("rtsp://[2001:db8::7]:8554/").origin == "rtsp://[2001:db8::7]:8554"


def test_names_of_hosted_films_are_no_addresses() -> None:
    assert is_address("rtsp://cam.example/")
    assert not is_address("my-first-film")
