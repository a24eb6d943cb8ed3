"""The web application: routes, guards and what is started and stopped with it."""

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from aiohttp import web

from gaze.base import locations
from gaze.base.metrics import Metrics
from gaze.base.settings import Settings
from gaze.media.library import Library
from gaze.sessions.connection import Services
from gaze.sessions.registry import Sessions
from gaze.tracking.pool import Trackers
from gaze.web import catalogue, middleware, sessions
from gaze.web.guard import Origins, Rates

CLIENT = locations.client()
METRICS = web.AppKey("metrics", Metrics)
EXECUTOR = web.AppKey("executor", ThreadPoolExecutor)
TRACKERS = web.AppKey("trackers", Trackers)

routes = web.RouteTableDef()


@routes.get("/")
async def page(request: web.Request) -> web.FileResponse:
    """Give the page."""
    return web.FileResponse(CLIENT / "index.html", headers={"Cache-Control": "no-cache"})


@routes.get("/healthz")
async def healthz(request: web.Request) -> web.Response:
    """Say that the event loop is alive."""
    return web.json_response({"status": "alive"})


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """Say whether one more session would be taken."""
    ready = await request.app[sessions.SESSIONS].ready()
    return web.json_response(
        {"status": "ready" if ready else "full"},
        status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Give the metrics to Prometheus."""
    return web.Response(
        body=request.app[METRICS].scrape(),
        headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
    )


def create_app(settings: Settings) -> web.Application:
    """Build the application, ready to be served; all it does by then is open the media folder.

    Parameters
    ----------
    settings : Settings
        The server's.

    Returns
    -------
    aiohttp.web.Application
        Ends its sessions on shutdown, and its processes and threads on cleanup.
    """
    figures = Metrics()
    rates = Rates(settings.requests_per_minute, settings.sessions_per_minute)
    origins = Origins(settings.public_origin, settings.allowed_origins)
    executor = ThreadPoolExecutor(settings.workers, thread_name_prefix="pixels")
    trackers = Trackers(
        settings.tracking_processes,
        (settings.max_camera_width, settings.max_camera_height),
        figures,
    )
    library = Library(settings.media)
    app = web.Application(
        client_max_size=settings.max_body_bytes,
        middlewares=[
            middleware.behind_proxies(settings.trusted_proxies),
            middleware.errors(figures),
            middleware.origins(origins),
            middleware.rates(rates),
        ],
    )
    app[catalogue.SETTINGS] = settings
    app[catalogue.LIBRARY] = library
    app[METRICS] = figures
    app[EXECUTOR] = executor
    app[sessions.RATES] = rates
    app[sessions.SESSIONS] = Sessions(Services(settings, figures, library, executor, trackers))
    app[TRACKERS] = trackers
    app.on_response_prepare.append(middleware.safe_headers)
    for table in (routes, sessions.routes, catalogue.routes):
        app.add_routes(table)
    app.router.add_static("/client", CLIENT)
    app.on_shutdown.append(_end_sessions)
    app.on_cleanup.append(_stop_workers)
    return app


async def _end_sessions(app: web.Application) -> None:
    await app[sessions.SESSIONS].close()


async def _stop_workers(app: web.Application) -> None:
    await app[TRACKERS].close()
    app[EXECUTOR].shutdown(wait=False, cancel_futures=True)
