"""The one request of Kafka's protocol that tells whether a broker serves."""

import socket
import struct
from collections.abc import Callable

from nhip.local.ports import HOST

__all__ = ["known_brokers"]

METADATA = 3
REQUEST_TIMEOUT_S = 5.0
CLIENT = b"nhip"


def known_brokers(port: int) -> frozenset[int]:
    """Ask the broker on that port for metadata; return the node numbers it holds to be alive.

    Empty when it does not answer. A client library would do, but takes seconds to give up on a broker that
    is only starting.
    """
    request = struct.pack(f">hhih{len(CLIENT)}si", METADATA, 0, 1, len(CLIENT), CLIENT, 0)
    try:
        with socket.create_connection((HOST, port), REQUEST_TIMEOUT_S) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            with connection.makefile("rb") as answer:
                answer.read(8)  # size and correlation number
                (count,) = struct.unpack(">i", answer.read(4))
                return frozenset(_node(answer.read) for _ in range(count))
    except (OSError, struct.error):
        return frozenset()


def _node(read: Callable[[int], bytes]) -> int:
    node: int
    node, host_length = struct.unpack(">ih", read(6))
    read(host_length + 4)  # host and port
    return node
