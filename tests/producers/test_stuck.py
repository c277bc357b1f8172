"""A producer goes on after its id was dropped, and after nobody answered the request for one in time."""

from types import SimpleNamespace
from typing import Any

from kafka.errors import RequestTimedOutError  # type: ignore[import-untyped]
from kafka.producer.transaction_manager import (  # type: ignore[import-untyped]
    ProducerIdAndEpoch,
    TransactionManager,
    TransactionState,
)

import producers.driver  # noqa: F401 - it mends the driver


def asking() -> tuple[Any, Any]:
    """A manager that asks for its first id, and the request."""
    manager = TransactionManager(api_version=(4, 1))
    manager.init_producer_id()
    return manager, manager.next_request_handler(has_incomplete_batches=lambda: False)


def answered(manager: Any, request: Any, number: int) -> None:
    """Let a broker answer a request with an id."""
    manager._in_flight_request_correlation_id = number
    request.on_complete(number, SimpleNamespace(error_code=0, producer_id=number, producer_epoch=0))


def test_an_id_that_was_dropped_is_asked_for_again() -> None:
    """The driver alone keeps the state READY, in which it asks for none."""
    manager, request = asking()
    answered(manager, request, 7)
    manager.reset_producer_id()

    manager.init_producer_id()

    again = manager.next_request_handler(has_incomplete_batches=lambda: False)
    assert again is not None
    answered(manager, again, 8)
    assert manager.producer_id_and_epoch == ProducerIdAndEpoch(8, 0)
    assert manager._current_state is TransactionState.READY


def test_a_request_that_nobody_answered_is_repeated() -> None:
    """The driver alone takes it for fatal, and fails all records from then on."""
    manager, request = asking()
    manager._in_flight_request_correlation_id = 3

    request.on_complete(3, RequestTimedOutError("not within 8 s"))

    assert not manager.has_fatal_error()
    assert manager.next_request_handler(has_incomplete_batches=lambda: False) is request
