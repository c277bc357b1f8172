"""Keeps addresses and secrets out of the logs while Apprise works."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet"]

_SPEAKERS = ("apprise", "urllib3.connectionpool", "urllib3.util.retry")
"""Who writes addresses, tokens in paths and mail addresses: Apprise at any level, urllib3 at debug and warning."""

_here = threading.local()


class _Unheard(logging.Filter):
    """Takes the records of threads that asked for it, and only theirs."""

    def filter(self, record: logging.LogRecord) -> bool:
        heard: list[str] | None = getattr(_here, "heard", None)
        if heard is None:
            return True
        heard.append(record.getMessage())
        return False


_UNHEARD = _Unheard()


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Within, nothing that Apprise or urllib3 logs in this thread is heard; it is put into the list instead.

    The list holds secrets: look for known words in it, never show it.
    """
    for name in _SPEAKERS:
        logging.getLogger(name).addFilter(_UNHEARD)
    before = getattr(_here, "heard", None)
    heard: list[str] = []
    _here.heard = heard
    try:
        yield heard
    finally:
        _here.heard = before
