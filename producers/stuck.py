"""Two faults of kafka-python 3.0.12 after which a producer never sends again, mended where they are.

Both concern the number (producer id) by which brokers tell a repeated record from a new one. Found by tests/faults:
two of three brokers away for longer than the time that a record is tried.
"""

import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="(read|open)_text is deprecated", category=DeprecationWarning)
    from kafka.errors import KafkaConnectionError, RequestTimedOutError  # type: ignore[import-untyped]
    from kafka.producer.transaction_manager import (  # type: ignore[import-untyped]
        TransactionManager,
        TransactionState,
        TxnRequestHandler,
    )

__all__ = ["mend"]

_reset = TransactionManager.reset_producer_id
_complete = TxnRequestHandler.on_complete


def mend() -> None:
    """Mend both in this process; may be repeated."""
    TransactionManager.reset_producer_id = _reset_for_another
    TxnRequestHandler.on_complete = _complete_or_repeat


def _reset_for_another(manager: Any) -> None:
    """Drop the id so that another one is asked for.

    It is dropped when a record is given up that was sent at least once. The driver asks for an id in the state
    UNINITIALIZED alone, which it never comes back to: it would send nothing more, and tell nobody.
    """
    _reset(manager)
    if manager._current_state is TransactionState.READY:  # noqa: SLF001
        manager._current_state = TransactionState.UNINITIALIZED  # noqa: SLF001


def _complete_or_repeat(handler: Any, number: int, answer: Any) -> None:
    """Repeat a request for an id that nobody answered in time, as the driver does when the connection broke.

    It would take that for fatal, and fail every record from then on.
    """
    _complete(
        handler, number, KafkaConnectionError(str(answer)) if isinstance(answer, RequestTimedOutError) else answer
    )
