"""The aiortc client of the network benchmark, in a process at the far end of the link.

`python -m benchmarks.network.viewer_process MEDIA` prints `open`, watches until stdin ends, and
prints the frames that came as one line of JSON.
"""

import asyncio
import json
import sys
from dataclasses import asdict

from benchmarks.network.serving import PORT
from benchmarks.viewer import Viewer

EFFECTS = [{"name": "blur"}]


async def _watch(media: str) -> None:
    viewer = Viewer(f"http://localhost:{PORT}", media=media, effects=EFFECTS, feedback=True)
    await viewer.open()
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    rows = [list(asdict(frame).values()) for frame in viewer.returned]
    print(json.dumps(rows), flush=True)
    await viewer.close()


if __name__ == "__main__":
    asyncio.run(_watch(sys.argv[1]))
