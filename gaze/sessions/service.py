"""The one interface by which sessions are reached: plain, picklable data in and out.

What stands above (`gaze.web`) uses only this; what stands behind it may be in this process
(`gaze.sessions.registry.Sessions`), in another one or on another host. Errors are `ProblemError`s,
which can be pickled as well.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from gaze.sessions.messages import SessionRequest

Role = Literal["viewer", "observer"]


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer to who opens a session.

    Attributes
    ----------
    session_id : str
        Names the session from now on.
    answer_sdp : str
        The answer to the offer.
    etag : str
        The ICE session's entity tag, with its quotes.
    token : str
        Authorises the viewer.
    observer_token : str
        Authorises who only watches.
    """

    session_id: str
    answer_sdp: str
    etag: str
    token: str
    observer_token: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """The answer to an ICE restart.

    Attributes
    ----------
    fragment : str
        Our side's trickle-ice-sdpfrag (RFC 8840).
    etag : str
        The new ICE session's entity tag, with its quotes.
    """

    fragment: str
    etag: str


@dataclass(frozen=True, slots=True)
class Messages:
    """What a subscriber is to be sent.

    Attributes
    ----------
    texts : tuple of str
        Messages in order, each as JSON.
    closed : bool
        Whether no further ones will come.
    """

    texts: tuple[str, ...]
    closed: bool


class SessionService(Protocol):
    """Opens sessions, finds them again, and passes commands and messages.

    Every method that takes a `session_id` or a `subscription` raises a `ProblemError` of status 404
    where there is none of that name; all take a bounded time.
    """

    async def ready(self) -> bool:
        """Return whether one more session would be taken."""
        ...

    async def open(self, request: SessionRequest) -> Opened:
        """Open a session, or take one up again.

        Parameters
        ----------
        request : SessionRequest
            The offer, and what the viewer wishes.

        Returns
        -------
        Opened
            The answer and the tokens.

        Raises
        ------
        ProblemError
            400, 404 (nothing to resume), 422 or 503, as in docs/api.md.
        """
        ...

    async def role_of(self, session_id: str, tokens: tuple[str, ...]) -> Role | None:
        """Tell what somebody may do who shows these tokens.

        Parameters
        ----------
        session_id : str
            The session.
        tokens : tuple of str
            All tokens that a request shows.

        Returns
        -------
        Role or None
            None where none of the tokens is this session's.
        """
        ...

    async def describe(self, session_id: str) -> dict[str, Any]:
        """Return a session's state and figures, as `GET /api/sessions/{id}` has them."""
        ...

    async def add_candidates(self, session_id: str, etag: str, fragment: str) -> None:
        """Try trickled ICE candidates (RFC 8840).

        Parameters
        ----------
        session_id : str
            The session.
        etag : str
            The ICE session that they belong to.
        fragment : str
            A trickle-ice-sdpfrag.

        Raises
        ------
        ProblemError
            400 the fragment is malformed, 409 there is no connection, 412 another ICE session.
        """
        ...

    async def restart_ice(self, session_id: str, fragment: str) -> Restarted:
        """Restart ICE (RFC 9725, section 4.3.2).

        Parameters
        ----------
        session_id : str
            The session.
        fragment : str
            The browser's trickle-ice-sdpfrag with new credentials.

        Returns
        -------
        Restarted
            Our side of it.

        Raises
        ------
        ProblemError
            400 the fragment is malformed or no restart, 409 there is no connection, 503 no UDP
            port.
        """
        ...

    async def end(self, session_id: str) -> None:
        """End a session: the viewer leaves now."""
        ...

    async def subscribe(self, session_id: str, role: Role) -> str:
        """Let one more client have a session's messages.

        Parameters
        ----------
        session_id : str
            The session.
        role : Role
            Only a viewer may send commands.

        Returns
        -------
        str
            Names the subscription; it ends with `unsubscribe`, with the session, or when nobody
            has asked for its messages for a while.
        """
        ...

    async def next_messages(self, subscription: str) -> Messages:
        """Wait a while for a subscriber's next messages; having asked acknowledges those before."""
        ...

    async def command(self, subscription: str, text: str | bytes) -> None:
        """Take one message from a subscriber; what is wrong with it is answered with `error`."""
        ...

    async def unsubscribe(self, subscription: str) -> None:
        """Send no more messages; does nothing where the subscription has ended."""
        ...

    async def close(self) -> None:
        """Take no one in any more and end every session."""
        ...
