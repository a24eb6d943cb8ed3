"""A stand-in for a process boundary: what goes in and comes out of a service is pickled."""

import pickle
from typing import Any

from gaze.base.problems import ProblemError
from gaze.sessions.messages import SessionRequest
from gaze.sessions.service import Messages, Opened, Restarted, Role, SessionService


class PicklingService:
    """Passes each call on with copies of its arguments, and gives a copy of what comes of it."""

    def __init__(self, service: SessionService) -> None:
        self._service = service

    async def _call(self, name: str, *arguments: Any) -> Any:
        copies = pickle.loads(pickle.dumps(arguments))
        try:
            result = await getattr(self._service, name)(*copies)
        except ProblemError as error:
            raise pickle.loads(pickle.dumps(error)) from None
        return pickle.loads(pickle.dumps(result))

    async def ready(self) -> bool:
        return bool(await self._call("ready"))

    async def open(self, request: SessionRequest) -> Opened:
        opened: Opened = await self._call("open", request)
        return opened

    async def role_of(self, session_id: str, tokens: tuple[str, ...]) -> Role | None:
        role: Role | None = await self._call("role_of", session_id, tokens)
        return role

    async def describe(self, session_id: str) -> dict[str, Any]:
        return dict(await self._call("describe", session_id))

    async def add_candidates(self, session_id: str, etag: str, fragment: str) -> None:
        await self._call("add_candidates", session_id, etag, fragment)

    async def restart_ice(self, session_id: str, fragment: str) -> Restarted:
        restarted: Restarted = await self._call("restart_ice", session_id, fragment)
        return restarted

    async def end(self, session_id: str) -> None:
        await self._call("end", session_id)

    async def subscribe(self, session_id: str, role: Role) -> str:
        return str(await self._call("subscribe", session_id, role))

    async def next_messages(self, subscription: str) -> Messages:
        messages: Messages = await self._call("next_messages", subscription)
        return messages

    async def command(self, subscription: str, text: str | bytes) -> None:
        await self._call("command", subscription, text)

    async def unsubscribe(self, subscription: str) -> None:
        await self._call("unsubscribe", subscription)

    async def close(self) -> None:
        await self._call("close")
