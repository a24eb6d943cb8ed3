"""A peer in a process of its own, to be stopped or killed.

`python -m simulation.clients.viewer_process` prints its offer as one line of JSON, reads the answer
as another, and stays connected.
"""

import asyncio
import json
import sys

from simulation.clients.rtc_client import Client


async def main() -> None:
    """Connect, and stay until killed."""
    async with Client() as client:
        print(json.dumps(await client.offer()), flush=True)
        await client.accept(json.loads(await asyncio.to_thread(sys.stdin.readline)))
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
