"""Who may call what: origins, hosts, rates and tokens."""

import hmac
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
from gaze.sessions.session import Session

SUBPROTOCOL = "gaze.v1"
COOKIE = "gaze_token"
CHANGING_METHODS = frozenset({"POST", "PATCH", "DELETE"})


class Origins:
    """The page's own origin, and those that the operator allows."""

    def __init__(self, public: str | None, allowed: Iterable[str]) -> None:
        self._public = public
        self._allowed = frozenset(allowed)
        self._names = {"localhost", socket.gethostname().lower()}

    def is_foreign_page(self, request: web.Request) -> str | None:
        """The allowed foreign origin of a request, which gets CORS headers; None for our own.

        Raises:
            ProblemError: 403, the origin is neither ours nor allowed.
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
    """Limits how often one client address may ask."""

    def __init__(self, requests_per_minute: int, sessions_per_minute: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limits = {
            "requests": RateLimitItemPerMinute(requests_per_minute),
            "sessions": RateLimitItemPerMinute(sessions_per_minute),
        }

    async def spend(self, what: str, request: web.Request) -> None:
        """Count one request.

        Raises:
            ProblemError: 429 with the time to wait.
        """
        limit = self._limits[what]
        client = request.remote or "unknown"
        if not await self._limiter.hit(limit, what, client):
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"more than {limit.amount} {what} a minute from one address",
                retry_after_s=limit.get_expiry() // 4,
            )


def presented_tokens(request: web.Request) -> list[str]:
    """The tokens that a request shows: bearer header, WebSocket subprotocol, cookie."""
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
    return tokens


def authorise(request: web.Request, session: Session, *, command: bool) -> bool:
    """Whether the caller may command; observers may only watch.

    Raises:
        ProblemError: 401 without a token, 403 with a wrong one or one that may not command.
    """
    tokens = presented_tokens(request)
    if not tokens:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "no token; send the session's as Authorization: Bearer, as the subprotocol "
            "bearer.<token> or as its cookie",
        )
    if any(_same(token, session.token) for token in tokens):
        return True
    if any(_same(token, session.observer_token) for token in tokens):
        if command:
            raise ProblemError(
                HTTPStatus.FORBIDDEN, "the observer's token may only watch, not command"
            )
        return False
    raise ProblemError(HTTPStatus.FORBIDDEN, "the token is not this session's")


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())
