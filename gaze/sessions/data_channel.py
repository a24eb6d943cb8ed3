"""The data channel `gaze` as an outlet for messages and an inlet for commands."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiortc import RTCDataChannel

from gaze.base.problems import Problem
from gaze.sessions.message_encoding import error_message
from gaze.sessions.message_sink import REPLACE_ABOVE_BYTES, MessageSink

COMMANDS_WAITING = 256

Receive = Callable[[str | bytes, MessageSink], Awaitable[None]]


class _ChannelTransport:
    def __init__(self, channel: RTCDataChannel) -> None:
        self._channel = channel

    @property
    def waiting_bytes(self) -> int:
        return self._channel.bufferedAmount

    def send(self, text: str) -> None:
        if self._channel.readyState == "open":
            self._channel.send(text)

    def close(self) -> None:
        if self._channel.readyState == "open":
            self._channel.close()


class Channel:
    """Serves one data channel until it closes; commands are carried out in order of arrival."""

    def __init__(self, channel: RTCDataChannel, receive: Receive) -> None:
        self.outlet = MessageSink(_ChannelTransport(channel), may_command=True)
        self._receive = receive
        self._commands: asyncio.Queue[str | bytes] = asyncio.Queue(COMMANDS_WAITING)
        channel.bufferedAmountLowThreshold = REPLACE_ABOVE_BYTES
        channel.on("bufferedamountlow", self.outlet.flush)
        channel.on("message", self._on_message)
        channel.on("close", self.outlet.close)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def _on_message(self, text: str | bytes) -> None:
        try:
            self._commands.put_nowait(text)
        except asyncio.QueueFull:
            problem = Problem(
                HTTPStatus.TOO_MANY_REQUESTS, f"more than {COMMANDS_WAITING} commands are waiting"
            )
            self.outlet.send(error_message(problem))

    async def _run(self) -> None:
        while True:
            await self._receive(await self._commands.get(), self.outlet)

    def close(self) -> None:
        """Send and take nothing more."""
        self._task.cancel()
        self.outlet.close()
