"""Waiting until no worker counts: before anything that changes the store beneath them."""

import time

import typer

from nhip.console import SAY, say
from nhip.kafka_access import backlog_of
from nhip.settings import Settings

__all__ = ["EXIT_WORKERS_RUN", "wait_until_alone"]

EXIT_WORKERS_RUN = 75
"""Exit code beside running workers (EX_TEMPFAIL): stop them and repeat."""
SESSION_MARGIN_S = 10.0


def wait_until_alone(settings: Settings) -> None:
    """Wait for the sessions of stopped workers to end: a slot that comes back earlier gets its old partitions.

    Ends the command with EXIT_WORKERS_RUN when they do not.
    """
    deadline_s = time.monotonic() + settings.session_timeout_s + SESSION_MARGIN_S
    with backlog_of(settings) as backlog, SAY.status("waiting for the workers' sessions to end"):
        while members := backlog.members():
            if time.monotonic() > deadline_s:
                say(f"{len(members)} worker(s) of group {settings.group} are running: stop them first, then repeat")
                raise typer.Exit(EXIT_WORKERS_RUN)
            time.sleep(0.5)
