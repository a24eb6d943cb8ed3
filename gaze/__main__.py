"""The command `gaze`: read the settings, build the application, serve it until told to stop.

`gaze COMMAND` does something else instead; see `COMMANDS`.
"""

import argparse
import asyncio
import logging
import signal
import ssl
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import structlog
from aiohttp import web

from certs import development
from gaze.base import locations
from gaze.base.allocator import limit_arenas, settle
from gaze.base.settings import PROGRAM, Settings, config_file, load
from gaze.base.shutdown import REQUESTS_LIMIT_S, SLACK_S, exit_after
from gaze.effects import plugins
from gaze.rtc.codecs import engine_selection
from gaze.vision.face import model_files
from gaze.web.app import EXECUTOR, TRACKERS, create_app

LOCAL_HOSTS = ("127.0.0.1", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound
"""Hosts at which this machine reaches the server as `localhost`."""

log = structlog.get_logger()


def configure_logging(settings: Settings) -> None:
    """Log in a structured form on stderr, libraries' own loggers through the same handler.

    Parameters
    ----------
    settings : Settings
        The least severe level, and the form.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("gaze").setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=lambda *names: logging.getLogger("gaze"),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def tls(settings: Settings) -> ssl.SSLContext:
    """Return the TLS context of the operator's certificate, or else of the development one.

    Parameters
    ----------
    settings : Settings
        Those with or without a certificate.

    Returns
    -------
    ssl.SSLContext
        For the server's side.

    Raises
    ------
    OSError
        The certificate cannot be read or made.
    """
    cert, key = settings.cert, settings.key
    if cert is None or key is None:
        made = development.ensure(locations.certificates())
        cert, key = made.cert, made.key
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context


async def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then end the sessions and return.

    Parameters
    ----------
    settings : Settings
        Where and what to serve.

    Raises
    ------
    OSError
        An address cannot be bound.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    app = create_app(settings)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=REQUESTS_LIMIT_S)
    await runner.setup()
    loop.set_default_executor(app[EXECUTOR])
    log.info(
        await loop.run_in_executor(
            app[EXECUTOR], engine_selection.describe, settings.encoder, settings.decoder
        )
    )
    settle()
    app[TRACKERS].begin()
    try:
        addresses = []
        if settings.http_port:
            await web.TCPSite(runner, "localhost", settings.http_port).start()
            addresses.append(f"http://localhost:{settings.http_port}")
        if settings.port:
            context = await asyncio.to_thread(tls, settings)
            await web.TCPSite(runner, settings.host, settings.port, ssl_context=context).start()
            shown = "localhost" if settings.host in LOCAL_HOSTS else settings.host
            addresses.append(f"https://{shown}:{settings.port}")
        if settings.public_origin:
            addresses.append(settings.public_origin)
        print("Open one of these in a browser:", *addresses, sep="\n  ", flush=True)
        await stopped.wait()
        log.info("stopping")
        exit_after(settings.shutdown_timeout_s + SLACK_S)
    finally:
        await runner.cleanup()


def try_face_landmarker(model: Path) -> None:
    """Make sure that MediaPipe can run the operator's model.

    Parameters
    ----------
    model : Path
        A `face_landmarker.task`.

    Raises
    ------
    SystemExit
        It cannot; says why.
    """
    # What finds faces is large, and otherwise only the processes of the trackers load it.
    from gaze.vision.face.finder import FaceModelError, TaskFaceFinder

    try:
        finder = TaskFaceFinder(model)
    except FaceModelError as error:
        sys.exit(f"{PROGRAM}: {error}")
    log.info("face landmarker loaded", runs_on=finder.delegate)
    finder.close()


def serve_films(argv: Sequence[str]) -> None:
    """Run the server until it is told to stop.

    Parameters
    ----------
    argv : sequence of str
        The flags.

    Raises
    ------
    SystemExit
        It cannot start; says why.
    """
    settings = load(argv)
    limit_arenas()
    cv2.setNumThreads(1)  # sessions run beside one another; OpenCV's own threads wait by spinning
    configure_logging(settings)
    try:
        model_files.check()
        plugins.load_installed()
        plugins.load_modules(settings.effects)
    except (model_files.ModelFileError, plugins.PluginError) as error:
        sys.exit(f"{PROGRAM}: {error}")
    if settings.face_landmarker is not None:
        try_face_landmarker(settings.face_landmarker)
    try:
        asyncio.run(serve(settings))
    except OSError as error:
        sys.exit(f"{PROGRAM}: cannot serve: {error}")


def print_config(argv: Sequence[str]) -> None:
    """Print a file of settings with each setting's description, limits and default.

    Parameters
    ----------
    argv : sequence of str
        Flags; there are none but `--help`.

    Raises
    ------
    SystemExit
        0 after `--help`, 2 where a flag was given.
    """
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} config",
        description=f"Print a file of settings, gaze.toml, with every setting and its default. "
        f"`{PROGRAM} --config FILE` reads it.",
    )
    parser.parse_args(argv)
    print(config_file(), end="")


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {"config": print_config}
"""What `gaze NAME` does with the flags after the name; without a name it serves."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        A command's name and flags; by default those of the command line.

    Raises
    ------
    SystemExit
        The command failed, or was asked for help.
    """
    given = sys.argv[1:] if argv is None else argv
    if given and given[0] in COMMANDS:
        COMMANDS[given[0]](given[1:])
    else:
        serve_films(given)


if __name__ == "__main__":
    main()
