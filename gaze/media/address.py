"""Addresses of live streams: which ones may be opened, and where their hosts really are.

A viewer may name an address, so a server that opened any would be a way into its own network. Only
hosts that the operator listed are opened, at the listed port, and only where they are on the public
internet or in a network that the operator listed as well. The address that was checked is the one
that is connected to, so that a name cannot change between the two.
"""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from gaze.base.hosts import parse_host

PORTS = {"rtsp": 554, "http": 80, "https": 443}
MOST_CHARACTERS = 2048

Network = IPv4Network | IPv6Network


class AddressError(ValueError):
    """An address that is none, is not allowed, or leads nowhere; says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address; `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str
    user: str = ""

    @property
    def place(self) -> str:
        """What may be logged and told: no path, which may hold a secret."""
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"

    def at(self, host: str, port: int) -> str:
        """The address as a URL of another host."""
        user = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{user}{bracketed(host)}:{port}{self.target}"


def bracketed(host: str) -> str:
    """Return a host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def is_address(name: str) -> bool:
    """Return whether a film's name is an address; names of hosted films have no colon."""
    return "://" in name


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator allows: hosts with ports (None: the scheme's own) and inner networks."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, hosts: Iterable[str], networks: Iterable[Network]) -> "Allowed":
        """Make it from the settings."""
        return cls(frozenset(map(parse_host, hosts)), tuple(networks))

    def check(self, text: str) -> Address:
        """Read an address.

        Raises:
            AddressError: it is none, or not of an allowed host and port.
        """
        if len(text) > MOST_CHARACTERS or any(not " " < c < "\x7f" for c in text):
            raise AddressError("an address has at most 2048 characters, all ASCII, without spaces")
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise AddressError("not an address") from None
        if parts.scheme not in PORTS or not host:
            raise AddressError("an address begins with rtsp://, http:// or https:// and a host")
        usual = PORTS[parts.scheme]
        port = port or usual
        if (host, port) not in self.hosts and not ((host, None) in self.hosts and port == usual):
            raise AddressError(f"the operator does not allow {bracketed(host)}:{port}")
        user, at, _ = parts.netloc.rpartition("@")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Address(parts.scheme, host, port, target, user if at else "")

    def resolve(self, address: Address) -> str:
        """Return the IP address to connect to. Blocks; for worker threads.

        Raises:
            AddressError: the host is unknown, or is in a network that is not allowed.
        """
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise AddressError(f"{address.host} is not known") from error
        for entry in found:
            place = str(entry[4][0])
            if self._may_be_reached(ip_address(place.partition("%")[0]), address.host):
                return place
        raise AddressError(f"{address.host} is in a network that the operator does not allow")

    def _may_be_reached(self, place: IPv4Address | IPv6Address, host: str) -> bool:
        if str(place) == host:
            return True  # listed by the operator as just this
        if isinstance(place, IPv6Address):
            embedded = place.ipv4_mapped or place.sixtofour or (place.teredo or (None,))[-1]
            if embedded is not None:
                place = embedded
        if any(place in network for network in self.networks):
            return True
        return place.is_global and not place.is_multicast
