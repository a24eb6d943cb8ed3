"""`/api/sessions`: open, trickle, look, leave, and the WebSocket of messages."""

import asyncio
from collections import deque
from http import HTTPStatus

from aiohttp import WSCloseCode, WSMsgType, web

from gaze.base.problems import ProblemError
from gaze.sessions.message_sink import MessageSink
from gaze.sessions.messages import parse_request
from gaze.sessions.registry import Sessions
from gaze.sessions.session import Session
from gaze.web.guard import COOKIE, SUBPROTOCOL, Rates, authorise

SESSIONS = web.AppKey("sessions", Sessions)
RATES = web.AppKey("rates", Rates)
SDPFRAG = "application/trickle-ice-sdpfrag"
LARGEST_FRAME_BYTES = 4 * 1024 * 1024
HEARTBEAT_S = 20.0

routes = web.RouteTableDef()


def _require_type(request: web.Request, wanted: str) -> None:
    if request.content_type != wanted:
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type is {request.content_type}; it must be {wanted}",
        )


@routes.post("/api/sessions")
async def open_session(request: web.Request) -> web.Response:
    await request.app[RATES].spend("sessions", request)
    _require_type(request, "application/json")
    opened = await request.app[SESSIONS].open(parse_request(await request.read()))
    session = opened.session
    path = f"/api/sessions/{session.id}"
    response = web.json_response(
        {
            "id": session.id,
            "sdp": opened.answer_sdp,
            "type": "answer",
            "token": session.token,
            "observer_token": session.observer_token,
        },
        status=HTTPStatus.CREATED,
        headers={"Location": path, "ETag": session.etag, "Cache-Control": "no-store"},
    )
    response.set_cookie(
        COOKIE,
        session.token,
        path=path,
        httponly=True,
        samesite="Strict",
        secure=request.secure,
    )
    return response


@routes.patch("/api/sessions/{id}")
async def trickle(request: web.Request) -> web.Response:
    session = _authorised(request, command=True)
    _require_type(request, SDPFRAG)
    etag = request.headers.get("If-Match")
    if etag is None:
        raise ProblemError(
            HTTPStatus.PRECONDITION_REQUIRED, "If-Match: send the ETag of the ICE session"
        )
    fragment = await request.text()
    if etag == "*":
        return await _restart_ice(session, fragment)
    if etag != session.etag:
        raise ProblemError(
            HTTPStatus.PRECONDITION_FAILED, f"If-Match: the ICE session is {session.etag}"
        )
    try:
        await session.add_candidates(fragment)
    except ValueError as error:
        raise _fragment_problem(error) from None
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def _restart_ice(session: Session, fragment: str) -> web.Response:
    try:
        answer = await session.restart_ice(fragment)
    except ValueError as error:
        raise _fragment_problem(error) from None
    return web.Response(
        text=answer,
        content_type=SDPFRAG,
        headers={"ETag": session.etag, "Cache-Control": "no-store"},
    )


def _fragment_problem(error: ValueError) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, f"not a trickle-ice-sdpfrag: {error}")


@routes.get("/api/sessions/{id}")
async def describe(request: web.Request) -> web.Response:
    session = _authorised(request, command=False)
    return web.json_response(session.describe(), headers={"Cache-Control": "no-store"})


@routes.delete("/api/sessions/{id}")
async def leave(request: web.Request) -> web.Response:
    session = _authorised(request, command=True)
    await session.end()
    response = web.Response(status=HTTPStatus.NO_CONTENT)
    response.del_cookie(COOKIE, path=f"/api/sessions/{session.id}")
    return response


@routes.get("/api/sessions/{id}/events")
async def events(request: web.Request) -> web.WebSocketResponse:
    session = request.app[SESSIONS].get(request.match_info["id"])
    may_command = authorise(request, session, command=False)
    socket = web.WebSocketResponse(
        protocols=(SUBPROTOCOL,), max_msg_size=LARGEST_FRAME_BYTES, heartbeat=HEARTBEAT_S
    )
    await socket.prepare(request)
    transport = _SocketTransport(socket)
    outlet = MessageSink(transport, may_command=may_command)
    session.attach(outlet)
    writer = asyncio.create_task(transport.run(outlet))
    try:
        async for message in socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await session.receive(message.data, outlet)
    finally:
        outlet.close()
        await writer
    return socket


def _authorised(request: web.Request, *, command: bool) -> Session:
    session = request.app[SESSIONS].get(request.match_info["id"])
    authorise(request, session, command=command)
    return session


class _SocketTransport:
    """Hands an outlet's messages to a WebSocket as fast as the client takes them."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.waiting_bytes = 0
        self._socket = socket
        self._waiting: deque[str] = deque()
        self._more = asyncio.Event()
        self._closed = False

    def send(self, text: str) -> None:
        self._waiting.append(text)
        self.waiting_bytes += len(text)
        self._more.set()

    def close(self) -> None:
        self._closed = True
        self._more.set()

    async def run(self, outlet: MessageSink) -> None:
        """Send until closed; a client that went away ends it too."""
        try:
            while not self._closed:
                if not self._waiting:
                    self._more.clear()
                    await self._more.wait()
                    continue
                text = self._waiting.popleft()
                await self._socket.send_str(text)
                self.waiting_bytes -= len(text)
                outlet.flush()
        except ConnectionError:
            outlet.close()
        await self._socket.close(code=WSCloseCode.GOING_AWAY)
