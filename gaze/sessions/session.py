"""One viewer: a session that outlives its connections by the grace time."""

import asyncio
import hmac
import secrets
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Literal

import structlog
from aiortc import RTCDataChannel

from gaze.base.problems import Problem, ProblemError
from gaze.base.supervisor import CLOSE_LIMIT_S, Supervisor
from gaze.rtc.ice.udp_transport import NoPortError
from gaze.sessions.command_lane import answer_error
from gaze.sessions.connection import Connection, Services
from gaze.sessions.data_channel import Channel
from gaze.sessions.error_mapping import no_port_problem, unavailable_problem
from gaze.sessions.message_encoding import error_message
from gaze.sessions.message_sink import MessageSink
from gaze.sessions.messages import Ping, SessionRequest, parse_command
from gaze.sessions.resume_state import ResumeState
from gaze.sessions.service import Restarted, Role
from gaze.tracking.process import START_LIMIT_S

State = Literal["connecting", "connected", "away", "ended"]
CONNECT_LIMIT_S = 30.0
"""From the answer until media flows."""
OPEN_LIMIT_S = START_LIMIT_S + 30.0
"""From the offer to the answer: the tracking process may have to be compiled first, and a live
stream takes up to 20 s."""
ICE_LIMIT_S = 10.0
FAREWELL_S = 0.1
"""From the last message of a session that failed to the end of its connection."""

log = structlog.get_logger()


class Session:
    """Takes commands, sends messages, and keeps what a viewer would miss after a reload.

    States: `connecting` (answered, no media yet), `connected`, `away` (the page was left or its
    connection lost; media released, waiting for `resume`), `ended`.

    Parameters
    ----------
    services : Services
        What all sessions share.
    supervisor : Supervisor
        The server's; runs what outlives a connection.
    on_end : callable
        Called once with the session, when it begins to end.

    Attributes
    ----------
    id, token, observer_token : str
        As in the answer to `POST /api/sessions`.
    state : str
        One of the states.
    """

    def __init__(
        self, services: Services, supervisor: Supervisor, on_end: Callable[["Session"], None]
    ) -> None:
        self.id = secrets.token_urlsafe(12)
        self.token = secrets.token_urlsafe(32)
        self.observer_token = secrets.token_urlsafe(32)
        self.state: State = "connecting"
        self._services = services
        self._supervisor = supervisor
        self._on_end = on_end
        self._memory = ResumeState(effects=[])
        self._connection: Connection | None = None
        self._opening: asyncio.Task[str] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._sinks: set[MessageSink] = set()
        self._channel: Channel | None = None
        self._turn = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None

    # Life

    async def connect(self, request: SessionRequest) -> str:
        """Answer an offer, in place of an earlier connection if there was one.

        Parameters
        ----------
        request : SessionRequest
            Has the offer.

        Returns
        -------
        str
            The answer's SDP.

        Raises
        ------
        ProblemError
            The offer or a field is wrong, and an earlier connection goes on; or the session has
            ended meanwhile.
        """
        async with self._turn:
            if self._connection is not None:
                self._connection.film.remember()
            memory = self._memory.updated(request)
            connection = Connection(
                self._services, self.id, memory, self._broadcast, self._on_failure
            )
            connection.peer.on_state = partial(self._on_peer_state, connection)
            connection.peer.on_channel = partial(self._on_channel, connection)
            answer = await self._open(connection, request)
            await self._disconnect()
            if self._ending is not None:
                await connection.close()
                raise _ended()
            self._connection, self._memory = connection, memory
            self.state = "connecting"
            self._set_timer(CONNECT_LIMIT_S, self._go_away)
            return answer

    async def _open(self, connection: Connection, request: SessionRequest) -> str:
        """Open a connection in a task of its own, which `end` cancels."""
        if self._ending is not None:
            await connection.close()
            raise _ended()
        opening = self._opening = asyncio.get_running_loop().create_task(connection.open(request))
        try:
            async with asyncio.timeout(OPEN_LIMIT_S):
                return await opening
        except TimeoutError:
            raise unavailable_problem("the session could not be opened in time") from None
        except asyncio.CancelledError:
            if self._ending is not None:
                raise _ended() from None
            raise
        finally:
            self._opening = None

    async def end(self, reason: str | None = None) -> None:
        """End the session, and wait for that; takes 5 s at most and never raises.

        Parameters
        ----------
        reason : str, optional
            Why it cannot go on, for the viewer; None where the viewer leaves.
        """
        if self._ending is None:
            self.state = "ended"
            self._cancel_timer()
            self._on_end(self)
            self._ending = asyncio.get_running_loop().create_task(self._end(reason))
        await asyncio.shield(self._ending)

    async def _end(self, reason: str | None) -> None:
        log.info("session ended", session=self.id, reason=reason or "the viewer left")
        if reason is not None:
            problem = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"the session ends: {reason}")
            self._broadcast(error_message(problem))
            await asyncio.sleep(FAREWELL_S)
        waits: list[Coroutine[Any, Any, Any]] = [self._disconnect()]
        if self._opening is not None:
            self._opening.cancel()
            waits.append(asyncio.wait({self._opening}, timeout=CLOSE_LIMIT_S))
        await asyncio.gather(*waits, return_exceptions=True)
        for sink in list(self._sinks):
            sink.close()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
        if connection is not None:
            await connection.close()

    async def _go_away(self) -> None:
        """Release the media and wait for the page to come back."""
        if self.state in ("away", "ended"):
            return
        self.state = "away"
        self._set_timer(self._services.settings.grace_s, self.end)
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
            self._start(self._go_away)

    def _on_failure(self, reason: str) -> None:
        self._supervisor.start("session", partial(self.end, reason))

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._supervisor.start(
            "session", work, on_failure=lambda kind, error: self._on_failure("it failed")
        )

    def _set_timer(self, delay_s: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._start, work)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # What the service passes on

    def role_of(self, tokens: tuple[str, ...]) -> Role | None:
        """Tell what somebody may do who shows these tokens.

        Parameters
        ----------
        tokens : tuple of str
            All that a request shows.

        Returns
        -------
        Role or None
            None where none of them is this session's.
        """
        if any(_same(token, self.token) for token in tokens):
            return "viewer"
        return "observer" if any(_same(token, self.observer_token) for token in tokens) else None

    @property
    def etag(self) -> str:
        """The ICE session's entity tag, quoted."""
        return self._connected().peer.etag

    async def add_candidates(self, etag: str, fragment: str) -> None:
        """Try trickled ICE candidates; see `SessionService.add_candidates`.

        Parameters
        ----------
        etag, fragment : str
            The ICE session, and its trickle-ice-sdpfrag.

        Raises
        ------
        ProblemError
            400, 409 or 412.
        """
        peer = self._connected().peer
        if etag != peer.etag:
            raise ProblemError(
                HTTPStatus.PRECONDITION_FAILED, f"If-Match: the ICE session is {peer.etag}"
            )
        try:
            async with asyncio.timeout(ICE_LIMIT_S):
                await peer.add_candidates(fragment)
        except ValueError as error:
            raise _fragment_problem(error) from None

    async def restart_ice(self, fragment: str) -> Restarted:
        """Restart ICE; see `SessionService.restart_ice`.

        Parameters
        ----------
        fragment : str
            The browser's trickle-ice-sdpfrag.

        Returns
        -------
        Restarted
            Our side of it.

        Raises
        ------
        ProblemError
            400, 409 or 503.
        """
        peer = self._connected().peer
        try:
            async with asyncio.timeout(ICE_LIMIT_S):
                answer = await peer.restart_ice(fragment)
        except ValueError as error:
            raise _fragment_problem(error) from None
        except TimeoutError:
            raise unavailable_problem("the ICE restart took too long") from None
        except ConnectionError as error:
            raise ProblemError(
                HTTPStatus.CONFLICT, f"{error}; take the session up with resume"
            ) from None
        except NoPortError as error:
            raise no_port_problem(error) from None
        return Restarted(answer, peer.etag)

    def describe(self) -> dict[str, Any]:
        """Return state and figures, ready for JSON."""
        description: dict[str, Any] = {"id": self.id, "state": self.state}
        if self._connection is not None:
            description |= self._connection.figures.as_json()
            description["effects"] = self._connection.effects
            playback = self._connection.film.message()
            description["playback"] = {k: v for k, v in playback.items() if k != "type"}
        return description

    def _connected(self) -> Connection:
        if self._connection is None:
            raise ProblemError(
                HTTPStatus.CONFLICT, "the session has no connection now; take it up with resume"
            )
        return self._connection

    # Messages

    def attach(self, sink: MessageSink) -> None:
        """Send messages to one more client, which first hears how things stand.

        Parameters
        ----------
        sink : MessageSink
            The client's; left out once it is closed.
        """
        if self.state == "ended":
            sink.close()
            return
        self._sinks.add(sink)
        sink.on_close(lambda: self._sinks.discard(sink))
        if self._connection is not None:
            sink.send({"type": "effects", "effects": self._connection.effects})
            sink.send(self._connection.film.message())

    def receive(self, text: str | bytes, sink: MessageSink) -> None:
        """Take one message; a wrong one is answered with `error` and changes nothing.

        Parameters
        ----------
        text : str or bytes
            JSON.
        sink : MessageSink
            The client's.
        """
        try:
            if not sink.may_command:
                raise ProblemError(
                    HTTPStatus.FORBIDDEN, "the observer's token may only watch, not command"
                )
            command = parse_command(text, self._services.settings.max_message_bytes)
            if isinstance(command, Ping):
                now_s = asyncio.get_running_loop().time()
                sink.send({"type": "pong", "id": command.id, "t": command.t, "server_t": now_s})
            else:
                self._connected().command(command, sink)
        except Exception as error:
            answer_error(error, sink)

    def _broadcast(self, message: Mapping[str, Any]) -> None:
        for sink in list(self._sinks):
            sink.send(message)

    def _on_channel(self, connection: Connection, channel: RTCDataChannel) -> None:
        if connection is not self._connection:
            return
        if self._channel is not None:
            self._channel.close()
        self._channel = Channel(channel, self.receive)
        self.attach(self._channel.sink)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _ended() -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, "the session has ended", field="resume")


def _fragment_problem(error: ValueError) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, f"not a trickle-ice-sdpfrag: {error}")
