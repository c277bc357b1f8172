"""The wall and the read API: ``serve``."""

import logging
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import msgspec
import typer
import uvicorn

import dashboards
from dashboards.access import Access, AccessError, TokenFile
from dashboards.reader import Reader
from dashboards.reading import Reading
from dashboards.series import Series
from dashboards.server import build_of, create_server
from dashboards.targets import load_targets
from dashboards.view import Place
from nhip.backlog import BacklogWatch
from nhip.console import say
from nhip.logs import configure_logs
from nhip.resources import config_file
from nhip.settings import Settings, load_tree
from nhip.store import open_client
from streams.clock import wall_clock_us

__all__ = ["register"]

STOP_S = 1
"""Screens hold their connection for ever: they are cut off so soon after the server was told to stop."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(serve)


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to bind to, instead of wall_host.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port, instead of wall_port.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Let everybody look who can reach the address.")] = False,
) -> None:
    """Serve the wall and the read API. Without tokens and --public only this machine can reach it."""
    given = {name: value for name, value in {"wall_host": host, "wall_port": port}.items() if value is not None}
    settings: Settings = msgspec.structs.replace(context.obj, **given)
    configure_logs(settings.log_level)
    # A store that is away is told once, by the reader, and not by every attempt.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    place = Place(load_tree(settings), settings.province)
    targets = load_targets(Path(settings.targets_file) if settings.targets_file else config_file("targets.toml"))
    access = Access.choose(settings.wall_host, TokenFile(Path(settings.wall_tokens_file)), place.below, public=public)
    backlog = BacklogWatch(settings.kafka, settings.group)
    aside = ThreadPoolExecutor(1, "slow reads")
    reader = Reader(
        lambda: Reading(open_client(settings), place, wall_clock_us, time.monotonic, backlog.lag, aside),
        frozenset({f"unit:{place.province}"}),
        wall_clock_us,
        time.monotonic,
    )
    series = Series(lambda: open_client(settings), lambda: reader.data.now_s, time.monotonic)
    build = build_of(version("nhip"), Path(dashboards.__path__[0]))
    app = create_server(reader, series, place, targets, access, build, wall_clock_us)
    listener = _bound(settings)
    at, bound = listener.getsockname()[:2]
    say(f"wall: http://{f'[{at}]' if ':' in at else at}:{bound}/ ({access.mode.value})")
    backlog.start()
    # The server hands the signal on when it has stopped in order: that is a good end, as a worker's is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses may carry tokens
        timeout_graceful_shutdown=STOP_S,
        server_header=False,
        date_header=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _bound(settings: Settings) -> socket.socket:
    host, port = settings.wall_host, settings.wall_port
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512, reuse_port=False
        )
    except OSError as error:
        raise AccessError(
            f"{host}:{port} cannot be bound: {error.strerror or error}; choose another --port or --host"
        ) from error
