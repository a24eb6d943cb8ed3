"""What a client may choose from: effects, presets, films, ICE servers."""

import asyncio
import time
from http import HTTPStatus

from aiohttp import web

from gaze.base.problems import ProblemError
from gaze.base.settings import Settings
from gaze.effects import registry
from gaze.media.address import PORTS
from gaze.media.library import Library
from gaze.rtc.ice.servers import ice_servers

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


@routes.get("/api/live")
async def live(request: web.Request) -> web.Response:
    return web.json_response({"schemes": [*PORTS] if request.app[SETTINGS].live_hosts else []})


@routes.get("/api/ice")
async def ice(request: web.Request) -> web.Response:
    return web.json_response(
        ice_servers(request.app[SETTINGS], time.time()), headers={"Cache-Control": "no-store"}
    )
