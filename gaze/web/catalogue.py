"""What a client may choose from: effects, presets, hosted films, ICE servers."""

import asyncio
import base64
import hashlib
import hmac
import time
from http import HTTPStatus
from typing import Any

from aiohttp import web

from gaze.effects import registry
from gaze.media.library import Library
from gaze.problems import ProblemError
from gaze.settings import Settings

LIBRARY = web.AppKey("library", Library)
SETTINGS = web.AppKey("settings", Settings)

routes = web.RouteTableDef()


@routes.get("/api/effects")
async def effects(request: web.Request) -> web.Response:
    return web.json_response(registry.catalogue())


@routes.get("/api/presets")
async def presets(request: web.Request) -> web.Response:
    return web.json_response(registry.presets())


@routes.get("/api/media")
async def media(request: web.Request) -> web.Response:
    films = request.app[LIBRARY].films.values()
    return web.json_response(
        [
            {
                "name": film.name,
                "title": film.title,
                "duration": film.duration_s,
                "width": film.width,
                "height": film.height,
            }
            for film in films
        ]
    )


@routes.get("/api/media/{name}/thumbnail")
async def thumbnail(request: web.Request) -> web.Response:
    library, name = request.app[LIBRARY], request.match_info["name"]
    if name not in library.films:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no hosted film {name!r}")
    still = await asyncio.get_running_loop().run_in_executor(None, library.thumbnail, name)
    return web.Response(
        body=still, content_type="image/jpeg", headers={"Cache-Control": "max-age=3600"}
    )


@routes.get("/api/ice")
async def ice(request: web.Request) -> web.Response:
    return web.json_response(
        ice_servers(request.app[SETTINGS], time.time()), headers={"Cache-Control": "no-store"}
    )


def ice_servers(settings: Settings, unix_time_s: float) -> list[dict[str, Any]]:
    """STUN and TURN servers as RTCPeerConnection wants them.

    TURN credentials expire: user name and password are made from the secret shared with the TURN
    server, as in draft-uberti-behave-turn-rest-00.
    """
    servers: list[dict[str, Any]] = []
    if settings.stun_urls:
        servers.append({"urls": list(settings.stun_urls)})
    if settings.turn_urls and settings.turn_secret is not None:
        username = f"{int(unix_time_s) + settings.turn_ttl_s}:gaze"
        digest = hmac.digest(
            settings.turn_secret.get_secret_value().encode(), username.encode(), hashlib.sha1
        )
        servers.append(
            {
                "urls": list(settings.turn_urls),
                "username": username,
                "credential": base64.b64encode(digest).decode(),
            }
        )
    return servers
