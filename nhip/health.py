"""``/health/live``, ``/health/ready`` and ``/metrics`` of a process without a web server of its own.

It answers from threads: also when the process's event loop stands still, which is when somebody asks.
"""

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["LIVE", "METRICS", "READY", "Fault", "HealthPortError", "serve_health"]

LIVE: Final = "/health/live"
READY: Final = "/health/ready"
METRICS: Final = "/metrics"
REQUEST_S = 5
"""Who has not said what they want by then is cut off."""

Application = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]

Fault = Callable[[], str | None]
"""What is wrong now, in a few words; None: nothing."""


class HealthPortError(Exception):
    """The address for health and metrics cannot be bound."""


def serve_health(host: str, port: int, live: Fault, ready: Fault, registry: CollectorRegistry) -> int:
    """Answer until the process ends; return the port. Raises HealthPortError.

    ``live``: else a supervisor should start the process again; ``ready``: else it does no work just now.
    """
    try:
        server = make_server(host, port, _application(live, ready, registry), _Server, _Handler)
    except OSError as error:
        raise HealthPortError(
            f"{host}:{port} cannot be bound ({error.strerror or error}): choose another health_port, or 0 for none"
        ) from error
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server.server_port


class _Server(ThreadingWSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing: somebody asks every few seconds."""


def _application(live: Fault, ready: Fault, registry: CollectorRegistry) -> Application:
    metrics: Application = make_wsgi_app(registry)
    faults = {LIVE: live, READY: ready}

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == METRICS:
            return metrics(environ, start)
        fault = faults[path]() if path in faults else "no such page"
        status = "200 OK" if fault is None else "503 Service Unavailable" if path in faults else "404 Not Found"
        start(status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
        return [f"{fault or 'ok'}\n".encode()]

    return answer
