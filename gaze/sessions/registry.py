"""The sessions of this process: opens them, finds them again, and says when it is full."""

import asyncio
import secrets
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog

from gaze.base.problems import ProblemError
from gaze.base.supervisor import Supervisor
from gaze.media.address import is_address
from gaze.sessions.connection import Services
from gaze.sessions.error_mapping import unavailable_problem
from gaze.sessions.message_queue import MessageQueue
from gaze.sessions.messages import SessionRequest
from gaze.sessions.service import Messages, Opened, Restarted, Role
from gaze.sessions.session import Session

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Subscriber:
    session: Session
    queue: MessageQueue


class Sessions:
    """All sessions of a server: the `SessionService` of this process.

    A session that is away keeps its place until somebody else needs it; the one that has been
    away longest gives up first.

    Parameters
    ----------
    services : Services
        What all sessions share.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._supervisor = Supervisor(services.metrics)
        self._sessions: dict[str, Session] = {}
        self._subscribers: dict[str, _Subscriber] = {}
        self._closing = False
        for state in ("connecting", "connected", "away"):
            services.metrics.sessions.labels(state).set_function(partial(self.count, state))

    def count(self, state: str) -> int:
        """Count the sessions in a state.

        Parameters
        ----------
        state : str
            As in `Session.state`.

        Returns
        -------
        int
            How many there are.
        """
        return sum(session.state == state for session in self._sessions.values())

    # The service's methods; see `SessionService`

    async def ready(self) -> bool:
        """Return whether one more session would be taken."""
        return not self._closing and self._present < self._capacity

    async def open(self, request: SessionRequest) -> Opened:
        """Open a session, or take one up again; see `SessionService.open`."""
        if request.resume is None:
            session, how = await self._new_session(), "new"
        else:
            session, how = self._resumable(request.resume.id, request.resume.token), "resumed"
        try:
            answer_sdp = await session.connect(request)
        except BaseException:
            if how == "new":
                await session.end()
            raise
        self._services.metrics.opened.labels(how).inc()
        # An address may hold a secret.
        media = "live" if request.media and is_address(request.media) else request.media
        log.info("session opened", session=session.id, how=how, gaze=request.gaze, media=media)
        return Opened(session.id, answer_sdp, session.etag, session.token, session.observer_token)

    async def role_of(self, session_id: str, tokens: tuple[str, ...]) -> Role | None:
        """Tell what tokens authorise; see `SessionService.role_of`."""
        return self._get(session_id).role_of(tokens)

    async def describe(self, session_id: str) -> dict[str, Any]:
        """Return a session's state and figures."""
        return self._get(session_id).describe()

    async def add_candidates(self, session_id: str, etag: str, fragment: str) -> None:
        """Try trickled ICE candidates; see `SessionService.add_candidates`."""
        await self._get(session_id).add_candidates(etag, fragment)

    async def restart_ice(self, session_id: str, fragment: str) -> Restarted:
        """Restart ICE; see `SessionService.restart_ice`."""
        return await self._get(session_id).restart_ice(fragment)

    async def end(self, session_id: str) -> None:
        """End a session: the viewer leaves now."""
        await self._get(session_id).end()

    async def subscribe(self, session_id: str, role: Role) -> str:
        """Let one more client have a session's messages; see `SessionService.subscribe`."""
        session = self._get(session_id)
        subscription = secrets.token_urlsafe(12)
        queue = MessageQueue(
            may_command=role == "viewer",
            on_expired=partial(self._subscribers.pop, subscription, None),
        )
        self._subscribers[subscription] = _Subscriber(session, queue)
        session.attach(queue.sink)
        return subscription

    async def next_messages(self, subscription: str) -> Messages:
        """Wait a while for a subscriber's next messages; see `SessionService.next_messages`."""
        messages = await self._subscriber(subscription).queue.fetch()
        if messages.closed:
            await self.unsubscribe(subscription)
        return messages

    async def command(self, subscription: str, text: str | bytes) -> None:
        """Take one message from a subscriber; see `SessionService.command`."""
        subscriber = self._subscriber(subscription)
        subscriber.session.receive(text, subscriber.queue.sink)

    async def unsubscribe(self, subscription: str) -> None:
        """Send no more messages; does nothing where the subscription has ended."""
        subscriber = self._subscribers.pop(subscription, None)
        if subscriber is not None:
            subscriber.queue.discard()

    async def close(self) -> None:
        """Take no one in any more and end every session, a stuck one too."""
        self._closing = True
        ending = [asyncio.create_task(session.end()) for session in self._sessions.values()]
        if ending:
            limit_s = self._services.settings.shutdown_timeout_s
            _, stuck = await asyncio.wait(ending, timeout=limit_s)
            if stuck:
                log.error("sessions did not end in time", sessions=len(stuck), limit_s=limit_s)
        await self._supervisor.close()

    # How it is done

    @property
    def _capacity(self) -> int:
        return self._services.settings.max_sessions

    @property
    def _present(self) -> int:
        return len(self._sessions) - self.count("away")

    async def _new_session(self) -> Session:
        if self._closing:
            raise unavailable_problem("the server is shutting down")
        if self._present >= self._capacity:
            raise unavailable_problem(
                f"the server is full: {self._capacity} of {self._capacity} sessions"
            )
        full = len(self._sessions) >= self._capacity
        displaced = next((s for s in self._sessions.values() if s.state == "away"), None)
        session = Session(self._services, self._supervisor, self._forget)
        self._sessions[session.id] = session
        if full and displaced is not None:
            await displaced.end()
        return session

    def _resumable(self, session_id: str, token: str) -> Session:
        session = self._sessions.get(session_id)
        if session is None or session.role_of((token,)) != "viewer":
            raise ProblemError(
                HTTPStatus.NOT_FOUND,
                "resume: no such session, or its grace time is over; open a new one",
                field="resume",
            )
        return session

    def _forget(self, session: Session) -> None:
        self._sessions.pop(session.id, None)

    def _get(self, session_id: str) -> Session:
        session = self._sessions.get(session_id)
        if session is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "no such session, or it has ended")
        return session

    def _subscriber(self, subscription: str) -> _Subscriber:
        subscriber = self._subscribers.get(subscription)
        if subscriber is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "no such subscription, or it has ended")
        return subscriber
