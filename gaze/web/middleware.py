"""What holds for every request: errors as problem details, origins, rates, safe headers."""

from collections.abc import Sequence
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from aiohttp_remotes import XForwardedFiltered

from gaze.base.metrics import Metrics
from gaze.base.problems import Problem, ProblemError
from gaze.web.guard import CHANGING_METHODS, Origins, Rates

CORS_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Expose-Headers": "Location, ETag, Retry-After",
    "Access-Control-Max-Age": "600",
}
SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self)",
    "Referrer-Policy": "same-origin",
    "Vary": "Origin",
    "X-Content-Type-Options": "nosniff",
}

log = structlog.get_logger()


def problem_response(problem: Problem) -> web.Response:
    """A problem detail as an answer (RFC 9457)."""
    response = web.json_response(
        problem.as_json(), status=problem.status, content_type="application/problem+json"
    )
    if problem.retry_after_s is not None:
        response.headers["Retry-After"] = str(problem.retry_after_s)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def behind_proxies(trusted: Sequence[IPv4Network | IPv6Network]) -> Middleware:
    """Believe the X-Forwarded headers of trusted proxies, and of nobody else."""
    forwarded = XForwardedFiltered([str(network) for network in trusted])

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.remote is not None and any(ip_address(request.remote) in n for n in trusted):
            return await forwarded.middleware(request, handler)
        return await handler(request)

    return middleware


def errors(metrics: Metrics) -> Middleware:
    """Turn every error into a problem detail."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except ProblemError as error:
            problem = error.problem
        except web.HTTPRequestEntityTooLarge as error:
            problem = Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is too large: {error.text}"
            )
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            problem = Problem(HTTPStatus(error.status), error.reason)
        except Exception:
            log.exception("request failed", method=request.method)
            problem = Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR, "the server made a mistake; it has been logged"
            )
        metrics.refused.labels(int(problem.status)).inc()
        return problem_response(problem)

    return middleware


def origins(allowed: Origins) -> Middleware:
    """Refuse foreign pages; give CORS headers to the allowed ones."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        guarded = request.path.startswith("/api/sessions")
        opens_socket = request.headers.get("Upgrade", "").lower() == "websocket"
        try:
            foreign = allowed.is_foreign_page(request)
        except ProblemError:
            if guarded and (request.method in {*CHANGING_METHODS, "OPTIONS"} or opens_socket):
                raise
            return await handler(request)
        if foreign is None:
            return await handler(request)
        if request.method == "OPTIONS":
            response: web.StreamResponse = web.Response(status=HTTPStatus.NO_CONTENT)
        else:
            try:
                response = await handler(request)
            except ProblemError as error:
                response = problem_response(error.problem)
        if not response.prepared:
            response.headers.update(CORS_HEADERS)
            response.headers["Access-Control-Allow-Origin"] = foreign
        return response

    return middleware


def rates(limits: Rates) -> Middleware:
    """Count every API request."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/api/"):
            await limits.spend("requests", request)
        return await handler(request)

    return middleware


async def safe_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Headers that keep the page to itself, on every answer."""
    for name, value in SAFE_HEADERS.items():
        response.headers.setdefault(name, value)
