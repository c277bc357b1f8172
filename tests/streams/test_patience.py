"""Patience: what it tells of calls that fail, to whoever must know whether the store is away."""

import asyncio

import pytest

from streams.patience import Patience
from streams.store import StoreUnavailableError


def test_a_call_counts_as_repeated_from_its_first_failure_to_its_end() -> None:
    """One that answers at once never does, one that fails twice does once, until it has succeeded."""
    patience = Patience(10.0)
    seen: list[int] = []

    def third_time() -> str:
        seen.append(patience.retrying)
        if len(seen) < 3:
            raise StoreUnavailableError("away")
        return "answer"

    rv = asyncio.run(patience.call(third_time))

    assert rv == "answer"
    assert seen == [0, 1, 1]
    assert patience.retrying == 0


def test_what_is_given_up_is_no_longer_repeated() -> None:
    """Neither past the patience nor after another error."""
    patience = Patience(0.0)

    for error in (StoreUnavailableError("away"), RuntimeError("a fault")):

        def fail(error: Exception = error) -> None:
            raise error

        with pytest.raises(type(error)):
            asyncio.run(patience.call(fail))

    assert patience.retrying == 0
