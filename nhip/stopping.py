"""How a command that runs until it is stopped ends: in order, with exit code 0."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import typer

from nhip.console import say

__all__ = ["stoppable"]


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM and Ctrl-C leave the block by KeyboardInterrupt, so that what is open is closed; then exit code 0.

    SIGINT is taken explicitly: a shell starts background jobs with it ignored, and Python leaves it so.
    """

    def stop(number: int, _: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except KeyboardInterrupt:
        say("stopped")
        raise typer.Exit(0) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
