"""Ports on the loopback interface."""

import errno
import socket
from contextlib import ExitStack

from nhip.local.errors import LocalServiceError

__all__ = ["HOST", "free_ports", "require_free"]

HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Return that many different ports that nobody listens on at this moment."""
    with ExitStack() as stack:  # all stay open until the last is chosen, so no two are the same
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def require_free(port: int, service: str) -> None:
    """Raise LocalServiceError, naming the port and the remedy, when a service cannot listen on it."""
    with socket.socket() as probe:
        # As servers do: a port whose last connection is still winding down counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OverflowError as error:
            raise LocalServiceError(f"{port} is no port for {service}: choose one from 1 to 65535") from error
        except OSError as error:
            why = "is in use by another program" if error.errno == errno.EADDRINUSE else error.strerror
            raise LocalServiceError(
                f"port {port} on {HOST}, wanted for {service}, {why}: "
                "stop that program, choose another port, or 0 to have a free one chosen"
            ) from error
