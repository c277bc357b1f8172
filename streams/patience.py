"""Calls to the store from the event loop: in a thread, repeated while the store is away, then given up."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_random_exponential

from streams.store import StoreUnavailableError

__all__ = ["Patience"]

LONGEST_WAIT_S = 2.0

log = structlog.get_logger()
P = ParamSpec("P")
R = TypeVar("R")


class Patience:
    """Runs blocking calls of the store in threads and repeats them for at most ``patience_s`` seconds.

    All writes are idempotent, so a call that failed half-way may be repeated. After that time the last
    StoreUnavailableError is raised: the process ends and its supervisor starts it again.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self.retrying = 0
        """Calls that have failed and are repeated now; 0: the store answers, as far as anybody asked."""

    async def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the function's answer; raises whatever it raises but StoreUnavailableError in time."""
        failed = False

        def tell(state: RetryCallState) -> None:
            nonlocal failed
            self.retrying += not failed
            failed = True
            _say(state)

        retrying = AsyncRetrying(
            stop=stop_after_delay(self._patience_s),
            wait=wait_random_exponential(multiplier=0.1, max=LONGEST_WAIT_S),
            retry=retry_if_exception_type(StoreUnavailableError),
            before_sleep=tell,
            reraise=True,
        )
        try:
            return await retrying(asyncio.to_thread, function, *args, **kwargs)
        finally:
            self.retrying -= failed


def _say(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("store unavailable, trying again", attempt=state.attempt_number, error=str(error))
