"""Who is here: opens sessions, finds them again, and says when the server is full."""

import asyncio
import hmac
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

import structlog

from gaze.base.problems import ProblemError
from gaze.media.address import is_address
from gaze.sessions.connection import Services
from gaze.sessions.messages import SessionRequest
from gaze.sessions.session import Session

RETRY_AFTER_S = 10

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opened:
    """What the opener of a session is told."""

    session: Session
    answer_sdp: str


class Sessions:
    """All sessions of a server.

    A session that is away keeps its place until somebody else needs it; the one that has been
    away longest gives up first.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._sessions: dict[str, Session] = {}
        self._closing = False
        for state in ("connecting", "connected", "away"):
            services.metrics.sessions.labels(state).set_function(partial(self.count, state))

    def count(self, state: str) -> int:
        """How many sessions are in a state."""
        return sum(session.state == state for session in self._sessions.values())

    @property
    def ready(self) -> bool:
        """Whether one more session would be taken."""
        capacity = self._services.settings.max_sessions
        present = len(self._sessions) - self.count("away")
        return not self._closing and present < capacity

    async def open(self, request: SessionRequest) -> Opened:
        """Open a session, or take one up again.

        Raises:
            ProblemError: 400, 404 (nothing to resume), 422 or 503, as in docs/api.md.
        """
        if request.resume is not None:
            session = self._resumable(request.resume.id, request.resume.token)
            answer = await session.connect(request)
            self._services.metrics.opened.labels("resumed").inc()
            log.info("session resumed", session=session.id)
            return Opened(session, answer)
        await self._make_room()
        session = Session(self._services, self._forget)
        self._sessions[session.id] = session
        try:
            answer = await session.connect(request)
        except BaseException:
            await session.end()
            raise
        self._services.metrics.opened.labels("new").inc()
        # An address may hold a secret.
        media = "live" if request.media and is_address(request.media) else request.media
        log.info("session opened", session=session.id, gaze=request.gaze, media=media)
        return Opened(session, answer)

    def _resumable(self, session_id: str, token: str) -> Session:
        session = self._sessions.get(session_id)
        if session is None or not hmac.compare_digest(session.token, token):
            raise ProblemError(
                HTTPStatus.NOT_FOUND,
                "resume: no such session, or its grace time is over; open a new one",
                field="resume",
            )
        return session

    async def _make_room(self) -> None:
        capacity = self._services.settings.max_sessions
        if not self.ready:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "the server is shutting down"
                if self._closing
                else f"the server is full: {capacity} of {capacity} sessions",
                retry_after_s=RETRY_AFTER_S,
            )
        if len(self._sessions) >= capacity:
            away = next(s for s in self._sessions.values() if s.state == "away")
            await away.end()

    def _forget(self, session: Session) -> None:
        self._sessions.pop(session.id, None)

    def get(self, session_id: str) -> Session:
        """The session of that id.

        Raises:
            ProblemError: 404.
        """
        session = self._sessions.get(session_id)
        if session is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "no such session, or it has ended")
        return session

    async def close(self) -> None:
        """Take no one in any more and end every session."""
        self._closing = True
        await asyncio.gather(*(session.end() for session in list(self._sessions.values())))
