"""The wall, the read API and the intake: ``serve``."""

import gc
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
import typer
import uvicorn

import dashboards
from dashboards.access import Access, AccessError, TokenFile
from dashboards.alerts.limit import Limit
from dashboards.alerts.router import AlertPages, alert_router
from dashboards.reader import Reader
from dashboards.reading import Reading
from dashboards.series import Series
from dashboards.server import build_of, create_server
from dashboards.slow_clients import MOST_CONNECTIONS, BoundedProtocol
from dashboards.targets import load_targets
from dashboards.view import Place
from nhip.alerting import alerts_url, check_link, open_alert_store
from nhip.backlog import BacklogWatch
from nhip.console import say
from nhip.kafka_access import kafka_access
from nhip.logs import configure_logs
from nhip.metrics import registry_of
from nhip.resources import config_file
from nhip.serve_health import CountedStreams, health_router, server_samples
from nhip.settings import Settings, load_office_sources, load_tree
from nhip.store import open_client
from producers.access import KafkaAccess
from producers.client import Producer
from producers.intake import Intake, IntakeLimits, IntakeTokenFile, intake_router
from producers.tokens import TokenWatch
from streams.clock import US_PER_S, wall_clock_us

__all__ = ["register"]

STOP_S = 1
"""Screens hold their connection for ever: they are cut off so soon after the server was told to stop."""

CLOSE_S = 5.0
"""Longest wait for Kafka to acknowledge what was taken, once the server was told to stop."""
MIB = 1_048_576
LINK_USES = 30
"""A link of a message may be used so often in a minute: a person and the scanners of mail need far less."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(serve)


GC_THRESHOLD = 10_000
"""Objects made, and not yet gone, before the collector looks at the new ones; Python's own is 700."""


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to bind to, instead of wall_host.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port, instead of wall_port.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Let everybody look who can reach the address.")] = False,
) -> None:
    """Serve the wall, the read API and the intake. Without tokens and --public only this machine can reach it."""
    given = {name: value for name, value in {"wall_host": host, "wall_port": port}.items() if value is not None}
    settings: Settings = msgspec.structs.replace(context.obj, **given)
    configure_logs(settings.log_level)
    place = Place(load_tree(settings), settings.province)
    targets = load_targets(
        Path(settings.targets_file) if settings.targets_file else config_file("targets.toml"),
        load_office_sources(settings),
    )
    access = Access.choose(settings.wall_host, TokenFile(Path(settings.wall_tokens_file)), place.below, public=public)
    to_kafka = kafka_access(settings)
    backlog = BacklogWatch(settings.kafka, settings.group, to_kafka)
    aside = ThreadPoolExecutor(1, "slow reads")
    reader = Reader(
        lambda: Reading(
            open_client(settings, reading=True), place, wall_clock_us, time.monotonic, backlog.lag, aside
        ),
        frozenset({f"unit:{place.province}"}),
        wall_clock_us,
        time.monotonic,
    )
    series = Series(lambda: open_client(settings, reading=True), lambda: reader.data.now_s, time.monotonic)
    build = build_of(version("nhip"), Path(dashboards.__path__[0]))
    intake = _intake(settings, to_kafka, place)
    registry = registry_of(server_samples(reader, backlog.lag, intake, lambda: app.open, wall_clock_us))
    routers = [
        intake_router(intake),
        alert_router(_alert_pages(settings, reader, place)),
        health_router(lambda: reader.up, registry),
    ]
    app = CountedStreams(create_server(reader, series, place, targets, access, build, wall_clock_us, routers))
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
        http=BoundedProtocol,
        limit_concurrency=MOST_CONNECTIONS,
        server_header=False,
        date_header=False,
    )
    # What is there by now stays for good: the collector need not walk through it again and again. Measured: an
    # event in an array of 100 took the intake 36 µs of CPU without this, and 28 with it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        if left := intake.close(CLOSE_S):
            say(f"{left} events wait in the intake's spool; they are sent when `nhip serve` runs again")


def _intake(settings: Settings, to_kafka: KafkaAccess, place: Place) -> Intake:
    """Make the intake; what a former process left in the spool goes on its way at once."""
    spool = Path(settings.intake_spool or "intake-spool.db")
    tokens = IntakeTokenFile(Path(settings.intake_tokens_file))
    intake = Intake(
        TokenWatch(tokens),
        place.below,
        lambda: Producer(
            settings.kafka,
            access=to_kafka,
            client_id="nhip-intake",
            spool=spool,
            spool_bytes=settings.intake_spool_mb * MIB,
        ),
        IntakeLimits(settings.intake_request_mb * MIB, settings.intake_rate),
        wall_clock_us,
    )
    if spool.exists() or tokens.read():
        intake.open()
    return intake


def _alert_pages(settings: Settings, reader: Reader, place: Place) -> AlertPages:
    """Return the pages behind signed links; the store is opened when the first one is asked for."""

    def now_us() -> int:
        # History that is replayed has a clock of its own, by which mutes end.
        return wall_clock_us() if settings.clock == "wall" else reader.data.now_s * US_PER_S

    return AlertPages(
        desk=cache(lambda: open_alert_store(settings, reading=True)),
        check=lambda link: check_link(settings, link),
        name=place.name,
        title=lambda rule: reader.data.titles.get(rule),  # noqa: PLW0108 - the reader replaces its data
        figure=lambda key: reader.data.rates.get(key),  # noqa: PLW0108 - likewise
        now_us=now_us,
        host=urlsplit(alerts_url(settings)).netloc,
        limit=Limit(LINK_USES, 60.0, time.monotonic),
    )


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
