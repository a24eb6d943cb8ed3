"""Carries HTTP around the link that is measured: TCP on loopback to a Unix socket and back.

Network namespaces share the file system, so a Unix socket joins them: one relay beside the server
(`--socket PATH --server PORT`), one beside each viewer (`--socket PATH --listen PORT`), who then
finds the server on its own `localhost`, a secure context for browsers. Media does not pass here.
"""

import argparse
import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


def joining(
    connect: Callable[[], Awaitable[Pair]],
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Make a handler that joins an incoming connection to a new outgoing one.

    Parameters
    ----------
    connect : callable
        Opens the outgoing connection.

    Returns
    -------
    callable
        For `asyncio.start_server` and `asyncio.start_unix_server`.
    """

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await connect()
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    return join


async def serve(socket: str, *, server: int | None, listen: int | None) -> None:
    """Relay until cancelled.

    Parameters
    ----------
    socket : str
        Path of the Unix socket.
    server : int or None
        Port of the server, at its end.
    listen : int or None
        Port to listen on, at a viewer's end.
    """
    if server is not None:
        handler = joining(lambda: asyncio.open_connection("localhost", server))
        started = await asyncio.start_unix_server(handler, socket)
    else:
        handler = joining(lambda: asyncio.open_unix_connection(socket))
        started = await asyncio.start_server(handler, "localhost", listen)
    await started.serve_forever()


def main(argv: Sequence[str] | None = None) -> None:
    """Relay until killed.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.network.relay")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--server", type=int)
    parser.add_argument("--listen", type=int)
    flags = parser.parse_args(argv)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(flags.socket, server=flags.server, listen=flags.listen))


if __name__ == "__main__":
    main()
