"""`/api/sessions`: open, trickle, look, leave, and the WebSocket of messages."""

import asyncio
import contextlib
from http import HTTPStatus

from aiohttp import WSCloseCode, WSMsgType, web

from gaze.base.problems import ProblemError
from gaze.sessions.messages import parse_request
from gaze.sessions.service import SessionService
from gaze.web.guard import COOKIE, SUBPROTOCOL, Rates, authorise

SESSIONS: web.AppKey[SessionService] = web.AppKey("sessions", SessionService)
RATES = web.AppKey("rates", Rates)
SDPFRAG = "application/trickle-ice-sdpfrag"
LARGEST_FRAME_BYTES = 4 * 1024 * 1024
HEARTBEAT_S = 20.0
CLOSE_LIMIT_S = 2.0
"""For a WebSocket's client to take its last messages."""

routes = web.RouteTableDef()


@routes.post("/api/sessions")
async def open_session(request: web.Request) -> web.Response:
    """Open a session, or take one up again."""
    await request.app[RATES].spend("sessions", request)
    _require_type(request, "application/json")
    opened = await request.app[SESSIONS].open(parse_request(await request.read()))
    path = f"/api/sessions/{opened.session_id}"
    response = web.json_response(
        {
            "id": opened.session_id,
            "sdp": opened.answer_sdp,
            "type": "answer",
            "token": opened.token,
            "observer_token": opened.observer_token,
        },
        status=HTTPStatus.CREATED,
        headers={"Location": path, "ETag": opened.etag, "Cache-Control": "no-store"},
    )
    response.set_cookie(
        COOKIE,
        opened.token,
        path=path,
        httponly=True,
        samesite="Strict",
        secure=request.secure,
    )
    return response


@routes.patch("/api/sessions/{id}")
async def trickle(request: web.Request) -> web.Response:
    """Take ICE candidates, or restart ICE."""
    service, session_id = request.app[SESSIONS], request.match_info["id"]
    await authorise(request, service, session_id, command=True)
    _require_type(request, SDPFRAG)
    etag = request.headers.get("If-Match")
    if etag is None:
        raise ProblemError(
            HTTPStatus.PRECONDITION_REQUIRED, "If-Match: send the ETag of the ICE session"
        )
    fragment = await request.text()
    if etag != "*":
        await service.add_candidates(session_id, etag, fragment)
        return web.Response(status=HTTPStatus.NO_CONTENT)
    restarted = await service.restart_ice(session_id, fragment)
    return web.Response(
        text=restarted.fragment,
        content_type=SDPFRAG,
        headers={"ETag": restarted.etag, "Cache-Control": "no-store"},
    )


@routes.get("/api/sessions/{id}")
async def describe(request: web.Request) -> web.Response:
    """Give a session's state and figures."""
    service, session_id = request.app[SESSIONS], request.match_info["id"]
    await authorise(request, service, session_id, command=False)
    return web.json_response(
        await service.describe(session_id), headers={"Cache-Control": "no-store"}
    )


@routes.delete("/api/sessions/{id}")
async def end(request: web.Request) -> web.Response:
    """End a session."""
    service, session_id = request.app[SESSIONS], request.match_info["id"]
    await authorise(request, service, session_id, command=True)
    await service.end(session_id)
    response = web.Response(status=HTTPStatus.NO_CONTENT)
    response.del_cookie(COOKIE, path=f"/api/sessions/{session_id}")
    return response


@routes.get("/api/sessions/{id}/events")
async def events(request: web.Request) -> web.WebSocketResponse:
    """Carry a session's messages over a WebSocket."""
    service, session_id = request.app[SESSIONS], request.match_info["id"]
    role = await authorise(request, service, session_id, command=False)
    socket = web.WebSocketResponse(
        protocols=(SUBPROTOCOL,), max_msg_size=LARGEST_FRAME_BYTES, heartbeat=HEARTBEAT_S
    )
    await socket.prepare(request)
    subscription = await service.subscribe(session_id, role)
    sending = asyncio.create_task(_send_messages(service, subscription, socket))
    try:
        async for message in socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await service.command(subscription, message.data)
    except ProblemError:  # the session has ended meanwhile
        pass
    finally:
        await service.unsubscribe(subscription)
        await asyncio.wait({sending}, timeout=CLOSE_LIMIT_S)
        sending.cancel()
    return socket


async def _send_messages(
    service: SessionService, subscription: str, socket: web.WebSocketResponse
) -> None:
    """Send as fast as the client takes them, until one side has enough."""
    with contextlib.suppress(ConnectionError, ProblemError):
        closed = False
        while not closed:
            messages = await service.next_messages(subscription)
            for text in messages.texts:
                await socket.send_str(text)
            closed = messages.closed
    await socket.close(code=WSCloseCode.GOING_AWAY)


def _require_type(request: web.Request, wanted: str) -> None:
    if request.content_type != wanted:
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type is {request.content_type}; it must be {wanted}",
        )
