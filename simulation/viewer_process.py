"""A viewer in a process of its own, to be stopped: `python -m simulation.viewer_process`.

Prints its offer as one line of JSON, reads the answer as another, and stays.
"""

import asyncio
import json
import sys

from simulation.rtc_client import Client


async def main() -> None:
    """Connect and stay until killed."""
    async with Client() as client:
        print(json.dumps(await client.offer()), flush=True)
        await client.accept(json.loads(await asyncio.to_thread(sys.stdin.readline)))
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
