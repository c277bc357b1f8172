"""The stock Faust app of both agents."""

from collections.abc import Callable
from typing import Any

import faust

from benchmarks.peers.job import Job

__all__ = ["start"]


def start(job: Job, name: str, agent: Callable[[faust.App], Any]) -> None:
    """Run the agent over the job's topic."""
    app = faust.App(
        f"peer-{name}-{job.run}",
        broker=f"kafka://{job.bootstrap}",
        store="memory://",
        datadir=f"{job.result}-faust",
        key_serializer="raw",
        value_serializer="json",  # decoded by orjson where it is installed, as here
        consumer_auto_offset_reset="earliest",
        topic_partitions=job.partitions,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.agent(app.topic(job.topic, key_type=bytes))(agent(app))
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, quiet=True).execute_from_commandline()
