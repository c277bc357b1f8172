"""Connections that do not come to the point: cut off, so that nobody can hold the server's places for nothing."""

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["MOST_CONNECTIONS", "BoundedProtocol"]

MOST_CONNECTIONS: Final = 800
"""More are told to come back (503): each takes a file of the 1,024 that a process usually may have open."""


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 in which a request's head and then its body must come within so many seconds, however slowly.

    uvicorn's own limit begins only after a first answer. Answers may take as long as they like: screens listen for
    days.
    """

    HEAD_S = 10.0
    BODY_S = 60.0
    """8 MiB in a minute is 1.1 Mbit/s."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._reads_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait(self.HEAD_S)

    def data_received(self, data: bytes) -> None:
        """Go on waiting only while the client still owes something."""
        super().data_received(data)
        owes_body = self.conn.their_state is h11.SEND_BODY
        if self.conn.their_state is not h11.IDLE and not owes_body:
            self._stop()
        elif self._timer is None or owes_body != self._reads_body:
            self._stop()
            self._wait(self.BODY_S if owes_body else self.HEAD_S)
        self._reads_body = owes_body

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._late)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self.transport.close()
