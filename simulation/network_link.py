"""A network link that is as bad as it is told to be, and the same at every run.

`Link` is the arithmetic of one direction: which packets are lost, and when the others arrive. It
asks for no time and draws from a seeded generator. `run` joins two network namespaces by it: each
end is a TUN device within its namespace, and this process carries packets from one to the other.
Needs root, and Linux's network namespaces and /dev/net/tun; nothing outside of the two namespaces
is touched, and both are gone at the end.
"""

import asyncio
import contextlib
import fcntl
import heapq
import os
import random
import struct
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

TUN = Path("/dev/net/tun")
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
MTU = 1500
ADDRESSES = ("10.91.0.1", "10.91.0.2")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a link does in one direction.

    Attributes:
        delay_s: the least time that a packet takes.
        jitter_s: it takes up to so much longer, evenly spread; order is kept all the same.
        loss: the share of packets (0..1) that never arrive, each by itself.
        rate_bps: what it carries, headers included; None is no limit.
        queue_s: how long a packet may wait for its turn; one that would wait longer is dropped.
        reordered: the share of packets that overtake the jitter of those before them.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    rate_bps: float | None = None
    queue_s: float = 0.3
    reordered: float = 0.0


class Link:
    """One direction of a link; conditions may change at any time."""

    def __init__(self, conditions: Conditions, seed: int) -> None:
        self.conditions = conditions
        self.carried = self.lost = self.dropped = 0
        self._random = random.Random(seed)
        self._free_s = 0.0
        self._last_s = 0.0

    def arrival_s(self, size_bytes: int, t_s: float) -> float | None:
        """When a packet that is handed over at `t_s` arrives, None if it does not."""
        now = self.conditions
        lost, spread = self._random.random() < now.loss, self._random.random()
        overtakes = self._random.random() < now.reordered
        sent_s = t_s
        if now.rate_bps is not None:
            began_s = max(t_s, self._free_s)
            if began_s - t_s > now.queue_s:
                self.dropped += 1
                return None
            sent_s = self._free_s = began_s + 8 * size_bytes / now.rate_bps
        if lost:
            self.lost += 1
            return None
        self.carried += 1
        if overtakes:
            return sent_s + now.delay_s
        self._last_s = max(self._last_s, sent_s + now.delay_s + now.jitter_s * spread)
        return self._last_s


class Ends:
    """Two namespaces joined by a link, from `joined`."""

    def __init__(self, names: tuple[str, str], there: Link, back: Link) -> None:
        self.names = names
        self.there, self.back = there, back
        self.addresses = ADDRESSES

    def change(self, conditions: Conditions) -> None:
        """Let both directions be so from now on."""
        self.there.conditions = self.back.conditions = conditions

    def within(self, end: int, *command: str) -> list[str]:
        """A command line that runs a command at one end."""
        return ["ip", "netns", "exec", self.names[end], *command]


def unavailable() -> str | None:
    """Why there can be no link here, None where there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not TUN.exists():
        return f"{TUN} is missing"
    return None


@contextlib.asynccontextmanager
async def joined(conditions: Conditions, seed: int = 1) -> AsyncIterator[Ends]:
    """Two fresh namespaces with a link between them, removed at the end.

    Raises:
        subprocess.CalledProcessError: `ip` could not make them.
    """
    names = (f"gaze-bench-{os.getpid()}-a", f"gaze-bench-{os.getpid()}-b")
    ends = Ends(names, Link(conditions, seed), Link(conditions, seed + 1))
    files: list[int] = []
    wires: list[_Wire] = []
    try:
        for name, address in zip(names, ADDRESSES, strict=True):
            _ip("netns", "add", name)
            files.append(_tun(name, address))
        loop = asyncio.get_running_loop()
        for source, target, link in ((0, 1, ends.there), (1, 0, ends.back)):
            wire = _Wire(files[target], link, loop)
            wires.append(wire)
            loop.add_reader(files[source], wire.take, files[source])
        yield ends
    finally:
        for file in files:
            asyncio.get_running_loop().remove_reader(file)
        for wire in wires:
            wire.cut()
        for file in files:
            os.close(file)
        for name in names:
            _remove(name)


def _remove(namespace: str) -> None:
    subprocess.run(["ip", "netns", "del", namespace], check=False, stderr=subprocess.DEVNULL)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def _tun(namespace: str, address: str) -> int:
    """A TUN device within a namespace, as a file of this process."""
    file = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    device = f"gz{os.getpid() % 100_000}{address[-1]}"
    fcntl.ioctl(file, _TUNSETIFF, struct.pack("16sH22x", device.encode(), _IFF_TUN | _IFF_NO_PI))
    _ip("link", "set", device, "netns", namespace)
    within = ("-n", namespace)
    _ip(*within, "link", "set", "lo", "up")
    _ip(*within, "addr", "add", f"{address}/24", "dev", device)
    _ip(*within, "link", "set", device, "mtu", str(MTU), "txqueuelen", "1000", "up")
    return file


class _Wire:
    """Carries packets of one direction, each when its time has come."""

    def __init__(self, target: int, link: Link, loop: asyncio.AbstractEventLoop) -> None:
        self._target = target
        self._link = link
        self._loop = loop
        self._waiting: list[tuple[float, int, bytes]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def take(self, source: int) -> None:
        """Take all packets that were sent."""
        for _ in range(256):
            try:
                packet = os.read(source, MTU + 100)
            except BlockingIOError:
                break
            arrival_s = self._link.arrival_s(len(packet), self._loop.time())
            if arrival_s is not None:
                self._count += 1
                heapq.heappush(self._waiting, (arrival_s, self._count, packet))
        self._deliver()

    def _deliver(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_s = self._loop.time()
        while self._waiting and self._waiting[0][0] <= now_s:
            with contextlib.suppress(OSError):
                os.write(self._target, heapq.heappop(self._waiting)[2])
        if self._waiting:
            self._timer = self._loop.call_at(self._waiting[0][0], self._deliver)

    def cut(self) -> None:
        """Carry nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.clear()
