"""What the program ends with when something known goes wrong."""

from importlib import import_module

import pytest

from nhip.exits import EXIT_BAD_INPUT, EXIT_REFUSED, EXIT_UNAVAILABLE, KNOWN_ERRORS, exit_code
from producers.errors import SpoolError
from producers.poll.errors import PollError, StateError
from streams.store import StoreUnavailableError


@pytest.mark.parametrize("name", KNOWN_ERRORS)
def test_every_name_is_that_of_an_error(name: str) -> None:
    """Who renames an error or moves it, is told."""
    module, _, kind = name.rpartition(".")

    found = getattr(import_module(module), kind)

    assert issubclass(found, Exception)
    assert f"{found.__module__}.{found.__qualname__}" == name


def test_the_nearest_kind_counts() -> None:
    """An error has its own code, or that of what it is one of; a fault of the program has none."""
    codes = [exit_code(error) for error in (PollError("x"), StateError("x"), SpoolError("x"), KeyError("x"))]

    assert issubclass(StateError, PollError)
    assert codes == [EXIT_BAD_INPUT, EXIT_REFUSED, EXIT_UNAVAILABLE, None]
    assert exit_code(StoreUnavailableError("x")) == EXIT_UNAVAILABLE
