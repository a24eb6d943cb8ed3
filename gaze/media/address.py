"""Guards the addresses of live streams: which may be opened, and at which IP address.

A viewer may name an address, so a server that opened any would be a way into its own network
(server-side request forgery). Only hosts that the operator listed are opened, at the listed port,
and only where they are on the public internet or in a network that the operator listed as well. The
IP address that was checked is the one that is connected to, so that the name cannot be made to
resolve to another one between the two (DNS rebinding).
"""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from gaze.base.hosts import parse_host

PORTS: Final = {"rtsp": 554, "http": 80, "https": 443}
"""The schemes that may be used, and their default ports."""

MAX_LENGTH: Final = 2048
"""Longest address in characters. Chosen by hand; no benchmark covers it."""

Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
"""Well-known prefix of IPv4 addresses behind a NAT64 gateway (RFC 6052 section 2.1)."""


class AddressError(ValueError):
    """An address that is malformed, is not allowed, or does not answer; the message says which."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address that was checked against what the operator allows.

    Attributes
    ----------
    scheme : str
        A key of `PORTS`.
    host : str
        Host name or IP address, lower case, IPv6 without brackets.
    port : int
        The port to connect to.
    target : str
        Path and query.
    user : str
        User name and password as they stood in the address, percent-encoded; empty if none did.
    """

    scheme: str
    host: str
    port: int
    target: str
    user: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port: what may be logged. Path and user may hold a secret."""
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"

    def at(self, host: str, port: int) -> str:
        """Return the address as a URL of another host.

        Parameters
        ----------
        host : str
            Host name or IP address.
        port : int
            Port.

        Returns
        -------
        str
            The URL, with user, path and query of this address.
        """
        user = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{user}{bracketed(host)}:{port}{self.target}"


def bracketed(host: str) -> str:
    """Return a host as it stands in a URL.

    Parameters
    ----------
    host : str
        Host name or IP address.

    Returns
    -------
    str
        IPv6 addresses in brackets, all others unchanged.
    """
    return f"[{host}]" if ":" in host else host


def is_address(name: str) -> bool:
    """Return whether a name is the address of a live stream, not the name of a hosted film.

    Parameters
    ----------
    name : str
        What a viewer named as `media`.

    Returns
    -------
    bool
        True for an address; names of hosted films have no colon.
    """
    return "://" in name


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator allows.

    Attributes
    ----------
    hosts : frozenset of (str, int or None)
        Hosts with their ports; None stands for the default port of each scheme.
    networks : tuple of Network
        Private networks in which hosts may be.
    """

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, hosts: Iterable[str], networks: Iterable[Network]) -> "Allowed":
        """Make it from the settings.

        Parameters
        ----------
        hosts : iterable of str
            `host` or `host:port` each.
        networks : iterable of Network
            Private networks in which hosts may be.

        Returns
        -------
        Allowed
            What addresses are checked against.

        Raises
        ------
        ValueError
            If a host is malformed.
        """
        return cls(frozenset(map(parse_host, hosts)), tuple(networks))

    def check(self, text: str) -> Address:
        """Parse an address and check its scheme, host and port.

        Parameters
        ----------
        text : str
            An address as a viewer or another server wrote it.

        Returns
        -------
        Address
            Its parts.

        Raises
        ------
        AddressError
            If it is malformed, or its host and port are not listed.
        """
        if len(text) > MAX_LENGTH or any(not " " < c < "\x7f" for c in text):
            raise AddressError("an address has at most 2048 characters, all ASCII, without spaces")
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise AddressError("not an address") from None
        if parts.scheme not in PORTS or not host:
            raise AddressError("an address begins with rtsp://, http:// or https:// and a host")
        default_port = PORTS[parts.scheme]
        port = port or default_port
        by_default = port == default_port and (host, None) in self.hosts
        if not by_default and (host, port) not in self.hosts:
            raise AddressError(f"the operator does not allow {bracketed(host)}:{port}")
        user, at, _ = parts.netloc.rpartition("@")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Address(parts.scheme, host, port, target, user if at else "")

    def resolve(self, address: Address) -> str:
        """Return the IP address to connect to. Blocks; for worker threads.

        Parameters
        ----------
        address : Address
            A checked address.

        Returns
        -------
        str
            The first IP address of its host that may be reached.

        Raises
        ------
        AddressError
            If the host is unknown, or has no IP address that may be reached.
        """
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise AddressError(f"{address.host} is not known") from error
        for *_, endpoint in found:
            ip = str(endpoint[0])
            if self._may_be_reached(ip_address(ip.partition("%")[0]), address.host):
                return ip
        raise AddressError(f"{address.host} is in a network that the operator does not allow")

    def _may_be_reached(self, ip: IPv4Address | IPv6Address, host: str) -> bool:
        if str(ip) == host:
            return True  # listed by the operator as just this
        if isinstance(ip, IPv6Address):
            ip = _embedded_ipv4(ip) or ip
        if any(ip in network for network in self.networks):
            return True
        return ip.is_global and not ip.is_multicast


def _embedded_ipv4(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that packets to this IPv6 address end up at, if it is such a one."""
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    if ip.teredo is not None:
        return ip.teredo[1]
    return ip.ipv4_mapped or ip.sixtofour
