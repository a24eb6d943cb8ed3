"""UDP sockets that read many datagrams at a time, each with its arrival time from the kernel.

asyncio's own read one datagram each time the loop comes round, and know only when that was.
"""

import asyncio
import contextlib
import errno
import random
import socket
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

MAX_DATAGRAM_BYTES = 1500  # a larger one is dropped: WebRTC sends none
BATCH = 32  # datagrams; then others have their turn on the loop
BUFFER_BYTES = 1 << 20

_SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>; Python does not name it
_TIMESPEC = struct.Struct("@ll")
_ANCILLARY_BYTES = 64
_TRUSTED_AGE_S = 1.0  # a datagram that seems older was read after the clock was set


@dataclass(frozen=True, slots=True)
class Network:
    """Where a server is to be reached by UDP.

    Attributes:
        udp_ports: first and last port that may be used; None is any.
        public_addresses: what stands for this machine's own addresses outside, at most one of each
            IP version (1:1 NAT); none if its own can be reached.
    """

    udp_ports: tuple[int, int] | None = None
    public_addresses: tuple[str, ...] = ()


class Receiver(Protocol):
    """Who takes the datagrams: an asyncio.DatagramProtocol that also takes arrival times."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...

    def datagram_received(
        self, data: bytes, addr: tuple[Any, ...], arrival_s: float | None = None
    ) -> None: ...

    def error_received(self, exc: Exception) -> None: ...

    def connection_lost(self, exc: Exception | None) -> None: ...


class NoPortError(OSError):
    """Every UDP port that may be used is in use."""


def bind(address: str, ports: tuple[int, int] | None) -> socket.socket:
    """A UDP socket on an address of this machine, on a free port of the range.

    Raises:
        NoPortError: there is none.
        OSError: the address is not one of this machine's.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    first, last = ports or (0, 0)
    choices: Sequence[int] = range(first, last + 1)
    start = random.randrange(len(choices))
    for port in (*choices[start:], *choices[:start]):
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.bind((address, port))
        except OSError as error:
            opened.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            continue
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        return opened
    raise NoPortError(f"no UDP port from {first} to {last} is free on {address}")


async def open_endpoint(opened: socket.socket, receiver: Receiver) -> asyncio.DatagramTransport:
    """Let a receiver have the datagrams of a bound, non-blocking socket."""
    try:
        return DatagramTransport(opened, receiver)
    except NotImplementedError:  # Windows' event loop watches no sockets
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: cast(asyncio.DatagramProtocol, receiver), sock=opened
        )
        return transport


class DatagramTransport(asyncio.DatagramTransport):
    """A bound socket on the event loop.

    What cannot be sent at once is dropped, as a full router would: nothing waits here.

    Attributes:
        unsent: datagrams dropped because the kernel's buffer was full.
    """

    def __init__(self, opened: socket.socket, receiver: Receiver) -> None:
        super().__init__({"socket": opened, "sockname": opened.getsockname()})
        self.unsent = 0
        self._socket = opened
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._ancillary_bytes = 0
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
                self._ancillary_bytes = _ANCILLARY_BYTES
        self._loop.add_reader(opened, self._read)
        receiver.connection_made(self)

    def _read(self) -> None:
        receive, give = self._socket.recvmsg, self._receiver.datagram_received
        ancillary_bytes = self._ancillary_bytes
        now_s = time.monotonic()
        offset_s = now_s - time.time()
        for _ in range(BATCH):
            try:
                data, ancillary, flags, address = receive(MAX_DATAGRAM_BYTES, ancillary_bytes)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._receiver.error_received(error)
                return
            arrival_s = now_s
            if ancillary:
                seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
                arrival_s = seconds + nanoseconds * 1e-9 + offset_s
                if not -_TRUSTED_AGE_S < now_s - arrival_s < _TRUSTED_AGE_S:
                    arrival_s = now_s
            if data and not flags & socket.MSG_TRUNC:
                give(data, address, arrival_s)
            if self._closing:
                return

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send one datagram now or never."""
        if self._closing:
            return
        try:
            self._socket.sendto(data, addr)
        except (BlockingIOError, InterruptedError):
            self.unsent += 1
        except OSError as error:
            self._receiver.error_received(error)

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._closing

    def close(self) -> None:
        """Let go of the socket; the receiver hears of it a little later."""
        if not self._closing:
            self._closing = True
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._loop.call_soon(self._receiver.connection_lost, None)

    abort = close
