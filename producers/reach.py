"""Is anything listening there? Asked before the driver is, which says less and leaves sockets behind."""

import socket
import time
from collections.abc import Sequence

from producers.errors import KafkaUnreachableError

__all__ = ["LEAST_S", "host_and_port", "servers", "wait_for_listener"]

DEFAULT_PORT = 9092
RETRY_S = 0.2
"""Pause between two rounds over the addresses, in seconds: a starting broker is seen at once."""
LEAST_S = 1.0
"""What is left to the driver at least when the listener came up at the last moment, in seconds."""


def servers(bootstrap: str | Sequence[str]) -> list[str]:
    """Split ``host:port,host:port``, or take a sequence as it is. Raises KafkaUnreachableError for a slip."""
    found = [s.strip() for s in (bootstrap.split(",") if isinstance(bootstrap, str) else bootstrap)]
    for server in found:
        host, port = _split(server)
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 2**16:
            raise KafkaUnreachableError(f"{server!r} is no address of a Kafka broker: write host:port")
    if not found:
        raise KafkaUnreachableError("no address of a Kafka broker was given: write host:port")
    return found


def wait_for_listener(addresses: Sequence[str], timeout_s: float) -> float:
    """Wait until one of the addresses accepts connections; return the seconds left (at least LEAST_S).

    Raises KafkaUnreachableError.
    """
    deadline = time.monotonic() + timeout_s
    causes: dict[str, str] = {}
    while True:
        for address in addresses:
            left = max(RETRY_S, deadline - time.monotonic())
            try:
                socket.create_connection(host_and_port(address), timeout=left).close()
            except (OSError, UnicodeError) as error:
                causes[address] = getattr(error, "strerror", None) or str(error)
            else:
                return max(LEAST_S, deadline - time.monotonic())
        if time.monotonic() + RETRY_S > deadline:
            why = "; ".join(f"{address}: {cause}" for address, cause in causes.items())
            raise KafkaUnreachableError(
                f"Kafka does not answer ({why}; waited {timeout_s:g} s): start it (nhip up) or correct the "
                "bootstrap address"
            )
        time.sleep(RETRY_S)


def host_and_port(address: str) -> tuple[str, int]:
    """Return an address of ``servers()`` as sockets want it."""
    host, port = _split(address)
    return host.strip("[]"), int(port)


def _split(server: str) -> tuple[str, str]:
    host, colon, port = server.rpartition(":")
    return (host, port) if colon and not server.endswith("]") else (server, str(DEFAULT_PORT))
