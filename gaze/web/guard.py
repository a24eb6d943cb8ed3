"""Who may call what: origins, hosts, rates and tokens."""

import ipaddress
import socket
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from gaze.base.problems import ProblemError
from gaze.sessions.service import Role, SessionService

SUBPROTOCOL = "gaze.v1"
COOKIE = "gaze_token"
CHANGING_METHODS = frozenset({"POST", "PATCH", "DELETE"})


class Origins:
    """The page's own origin, and those that the operator allows.

    Parameters
    ----------
    public : str or None
        The origin that viewers see, where a proxy stands in front.
    allowed : iterable of str
        Further origins whose pages may open sessions.
    """

    def __init__(self, public: str | None, allowed: Iterable[str]) -> None:
        self._public = public
        self._allowed = frozenset(allowed)
        self._names = {"localhost", socket.gethostname().lower()}

    def is_foreign_page(self, request: web.Request) -> str | None:
        """Find the allowed foreign origin of a request, which gets CORS headers.

        Parameters
        ----------
        request : aiohttp.web.Request
            Any request.

        Returns
        -------
        str or None
            None for our own origin, or none.

        Raises
        ------
        ProblemError
            403, the origin is neither ours nor allowed.
        """
        origin = request.headers.get("Origin")
        if origin is None or self._is_own(origin, request):
            return None
        if origin in self._allowed:
            return origin
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            f"the origin {origin} may not use this server; its operator can allow it with "
            "--allowed-origins, or name this server's own with --public-origin",
        )

    def _is_own(self, origin: str, request: web.Request) -> bool:
        if self._public is not None and origin == self._public:
            return True
        if origin not in (f"http://{request.host}", f"https://{request.host}"):
            return False
        # A name that anybody may point at this machine (DNS rebinding) does not make a page ours.
        hostname = urlsplit(origin).hostname or ""
        return hostname in self._names or _is_address(hostname)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Rates:
    """Limits how often one client address may ask.

    Parameters
    ----------
    requests_per_minute, sessions_per_minute : int
        How often.
    """

    def __init__(self, requests_per_minute: int, sessions_per_minute: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limits = {
            "requests": RateLimitItemPerMinute(requests_per_minute),
            "sessions": RateLimitItemPerMinute(sessions_per_minute),
        }

    async def spend(self, what: str, request: web.Request) -> None:
        """Count one request.

        Parameters
        ----------
        what : str
            `requests` or `sessions`.
        request : aiohttp.web.Request
            Has the client's address.

        Raises
        ------
        ProblemError
            429 with the time to wait.
        """
        limit = self._limits[what]
        client = request.remote or "unknown"
        if not await self._limiter.hit(limit, what, client):
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"more than {limit.amount} {what} a minute from one address",
                retry_after_s=limit.get_expiry() // 4,
            )


def presented_tokens(request: web.Request) -> tuple[str, ...]:
    """List the tokens that a request shows: bearer header, WebSocket subprotocol, cookie.

    Parameters
    ----------
    request : aiohttp.web.Request
        Any request.

    Returns
    -------
    tuple of str
        None of them checked.
    """
    tokens = []
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        tokens.append(token.strip())
    for protocol in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
        name, _, token = protocol.strip().partition(".")
        if name == "bearer" and token:
            tokens.append(token)
    if cookie := request.cookies.get(COOKIE):
        tokens.append(cookie)
    return tuple(tokens)


async def authorise(
    request: web.Request, service: SessionService, session_id: str, *, command: bool
) -> Role:
    """Find out what the caller may do with a session.

    Parameters
    ----------
    request : aiohttp.web.Request
        Shows tokens.
    service : SessionService
        Knows the session.
    session_id : str
        Which one.
    command : bool
        Whether the request commands, which an observer may not.

    Returns
    -------
    Role
        The caller's.

    Raises
    ------
    ProblemError
        401 without a token, 403 with a wrong one or one that may not command, 404 no such session.
    """
    tokens = presented_tokens(request)
    role = await service.role_of(session_id, tokens)
    if not tokens:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "no token; send the session's as Authorization: Bearer, as the subprotocol "
            "bearer.<token> or as its cookie",
        )
    if role is None:
        raise ProblemError(HTTPStatus.FORBIDDEN, "the token is not this session's")
    if command and role == "observer":
        raise ProblemError(HTTPStatus.FORBIDDEN, "the observer's token may only watch, not command")
    return role
