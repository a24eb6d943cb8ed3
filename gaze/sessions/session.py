"""One viewer: a session that outlives its connections by the grace time."""

import asyncio
import dataclasses
import secrets
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, Literal

import structlog
from aiortc import RTCDataChannel

from gaze.base.problems import ProblemError
from gaze.effects.chain import Chain, EffectError
from gaze.rtc.ice.udp_transport import NoPortError
from gaze.sessions.connection import Connection, Services
from gaze.sessions.data_channel import Channel
from gaze.sessions.error_mapping import effect_problem, no_port_problem
from gaze.sessions.layout import Layout
from gaze.sessions.message_encoding import error_message
from gaze.sessions.message_sink import MessageSink
from gaze.sessions.messages import (
    Calibrate,
    Command,
    Effects,
    LayoutMessage,
    Media,
    Ping,
    PlaybackCommand,
    Pointer,
    SessionRequest,
    parse_command,
)
from gaze.sessions.resume_state import ResumeState

State = Literal["connecting", "connected", "away", "ended"]
CONNECT_TIMEOUT_S = 30.0

log = structlog.get_logger()


class Session:
    """Takes commands, sends messages, and keeps what a viewer would miss after a reload.

    States: `connecting` (answered, no media yet), `connected`, `away` (the page was left or its
    connection lost; media released, waiting for `resume`), `ended`.
    """

    def __init__(self, services: Services, on_end: Callable[["Session"], None]) -> None:
        self.id = secrets.token_urlsafe(12)
        self.token = secrets.token_urlsafe(32)
        self.observer_token = secrets.token_urlsafe(32)
        self.state: State = "connecting"
        self._services = services
        self._on_end = on_end
        self._memory = ResumeState(effects=[])
        self._connection: Connection | None = None
        self._outlets: set[MessageSink] = set()
        self._channel: Channel | None = None
        self._turn = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Task[None]] = set()

    # Life

    async def connect(self, request: SessionRequest) -> str:
        """Answer an offer, in place of an earlier connection if there was one.

        Raises:
            ProblemError: the offer or a field is wrong, and an earlier connection goes on; or the
                session has ended meanwhile.
        """
        async with self._turn:
            if self._connection is not None:
                self._connection.screening.remember()
            memory = self._remembered_with(request)
            connection = Connection(self._services, memory, self._broadcast)
            connection.peer.on_state = lambda state: self._on_peer_state(connection, state)
            connection.peer.on_channel = lambda channel: self._on_channel(connection, channel)
            answer = await connection.open(request)
            if self.state == "ended":
                await connection.close()
                raise ProblemError(HTTPStatus.NOT_FOUND, "the session has ended", field="resume")
            await self._disconnect()
            self._connection, self._memory = connection, memory
            self.state = "connecting"
            self._set_timer(CONNECT_TIMEOUT_S, self._lose)
            return answer

    def _remembered_with(self, request: SessionRequest) -> ResumeState:
        """The memory, with what the request says anew."""
        said = request.model_fields_set
        old = self._memory
        resumed = request.resume is not None
        try:
            effects = (
                Chain(request.effects).specs if "effects" in said or not resumed else old.effects
            )
        except EffectError as error:
            raise effect_problem(error) from None
        return dataclasses.replace(
            old,
            effects=effects,
            media=request.media if "media" in said or not resumed else old.media,
            position_s=request.position if "position" in said or not resumed else old.position_s,
            calibration=(
                request.calibration if "calibration" in said or not resumed else old.calibration
            ),
        )

    async def end(self) -> None:
        """The viewer leaves now."""
        if self.state == "ended":
            return
        self.state = "ended"
        self._cancel_timer()
        self._on_end(self)
        async with self._turn:
            await self._disconnect()
        for outlet in list(self._outlets):
            outlet.close()
        log.info("session ended", session=self.id)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if connection is not None:
            await connection.close()

    def _lose(self) -> None:
        self._spawn(self._go_away())

    async def _go_away(self) -> None:
        """Release the media and wait for the page to come back."""
        if self.state in ("away", "ended"):
            return
        self.state = "away"
        self._set_timer(self._services.settings.grace_s, lambda: self._spawn(self.end()))
        log.info("session away", session=self.id)
        async with self._turn:
            if self.state == "away":
                await self._disconnect()

    def _on_peer_state(self, connection: Connection, state: str) -> None:
        if connection is not self._connection or self.state == "ended":
            return
        if state == "connected":
            self._cancel_timer()
            self.state = "connected"
            log.info("session connected", session=self.id)
        else:
            self._lose()

    def _set_timer(self, delay_s: float, callback: Callable[[], None]) -> None:
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(delay_s, callback)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # What the web door needs

    @property
    def etag(self) -> str:
        """The ICE session's entity tag, quoted."""
        return self._connected().peer.etag

    async def add_candidates(self, sdpfrag: str) -> None:
        """Trickled candidates (RFC 8840).

        Raises:
            ValueError: the fragment is malformed.
        """
        await self._connected().peer.add_candidates(sdpfrag)

    async def restart_ice(self, sdpfrag: str) -> str:
        """Look for new ways to the viewer (RFC 9725); takes and returns a fragment.

        Raises:
            ValueError: the fragment is malformed, or no restart.
            ProblemError: 409 without a connection, 503 without a UDP port.
        """
        try:
            return await self._connected().peer.restart_ice(sdpfrag)
        except ConnectionError as error:
            raise ProblemError(
                HTTPStatus.CONFLICT, f"{error}; take the session up with resume"
            ) from None
        except NoPortError as error:
            raise no_port_problem(error) from None

    def describe(self) -> dict[str, Any]:
        """State and figures."""
        description: dict[str, Any] = {"id": self.id, "state": self.state}
        if self._connection is not None:
            description |= self._connection.figures()
            description["effects"] = self._connection.effects
            playback = self._connection.screening.message()
            description["playback"] = {k: v for k, v in playback.items() if k != "type"}
        return description

    def _connected(self) -> Connection:
        if self._connection is None:
            raise ProblemError(
                HTTPStatus.CONFLICT, "the session has no connection now; take it up with resume"
            )
        return self._connection

    # Messages

    def attach(self, outlet: MessageSink) -> None:
        """Send messages to one more client, which first hears how things stand."""
        self._outlets.add(outlet)
        outlet.on_close(lambda: self._outlets.discard(outlet))
        if self._connection is not None:
            outlet.send({"type": "effects", "effects": self._connection.effects})
            outlet.send(self._connection.screening.message())

    async def receive(self, text: str | bytes, outlet: MessageSink) -> None:
        """Carry out one message; a wrong one is answered with `error` and changes nothing."""
        try:
            if not outlet.may_command:
                raise ProblemError(
                    HTTPStatus.FORBIDDEN, "the observer's token may only watch, not command"
                )
            command = parse_command(text, self._services.settings.max_message_bytes)
            async with self._turn:
                await self._carry_out(command, outlet)
        except ProblemError as error:
            outlet.send(error_message(error.problem))

    async def _carry_out(self, command: Command, outlet: MessageSink) -> None:
        if isinstance(command, Ping):
            now_s = asyncio.get_running_loop().time()
            outlet.send({"type": "pong", "id": command.id, "t": command.t, "server_t": now_s})
            return
        connection = self._connected()
        match command:
            case Effects():
                try:
                    connection.replace_effects(command.effects)
                except EffectError as error:
                    raise effect_problem(error) from None
                self._broadcast({"type": "effects", "effects": connection.effects})
            case LayoutMessage():
                connection.set_layout(
                    Layout(
                        command.screen,
                        command.viewport,
                        command.picture,
                        command.exact,
                        command.diagonal_mm,
                    )
                )
            case Pointer():
                connection.point(command)
            case Calibrate():
                await connection.calibrate(command)
            case PlaybackCommand():
                if command.seek is not None:
                    connection.screening.seek(command.seek)
                if command.loop is not None:
                    connection.screening.set_loop(command.loop)
                if command.paused is not None:
                    connection.screening.set_paused(command.paused)
            case Media():
                await connection.screening.change(command.name)

    def _broadcast(self, message: Mapping[str, Any]) -> None:
        for outlet in list(self._outlets):
            outlet.send(message)

    def _on_channel(self, connection: Connection, channel: RTCDataChannel) -> None:
        if connection is not self._connection:
            return
        if self._channel is not None:
            self._channel.close()
        self._channel = Channel(channel, self.receive)
        self.attach(self._channel.outlet)
