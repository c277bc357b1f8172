"""A stock Faust agent with plain dicts, which do not survive a restart."""

from typing import Any

import faust

from benchmarks.peers.faust_app import start
from benchmarks.peers.floor import Dicts
from benchmarks.peers.job import Job


def main(job: Job) -> None:
    """Count everything; the process then idles until it is ended."""

    def agent(_: faust.App) -> Any:
        async def count(stream: Any) -> None:
            dicts = Dicts(job)
            async for event in stream:
                dicts.add(event)
                if dicts.done:
                    dicts.finish("faust-streaming", "aiokafka", "orjson")

        return count

    start(job, "dicts", agent)


if __name__ == "__main__":
    main(Job.read())
