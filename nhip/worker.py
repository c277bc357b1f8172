"""One worker process: everything the stream needs, wired together, until it is stopped or fails."""

import faulthandler
import gc
import os
import socket
import time
from typing import NoReturn

import faust
import structlog

from contract.fingerprint import fingerprint
from contract.registry import KINDS
from nhip.alarm import make_alarm
from nhip.health import HealthPortError, serve_health
from nhip.kafka_access import kafka_access
from nhip.logs import configure_logs
from nhip.metrics import registry_of
from nhip.selfcheck import SelfCheck, compare_aside
from nhip.settings import Settings, load_tree
from nhip.store import open_store
from nhip.watchdog import Watchdog
from nhip.worker_health import WorkerParts
from producers.administration import require_rights
from producers.rights import least
from producers.topics import partition_counts
from sinks.migrate import ensure_schema
from streams.app import AppSettings, create_app
from streams.clock import ClockMode, wall_clock_us
from streams.folder import Folder, FolderSettings
from streams.partitioner import owner_of
from streams.patience import Patience
from streams.progress import Stall
from streams.roll import ROLL_PARTITION, Roll
from streams.rows import Partition

__all__ = ["run_worker"]

EXIT_FAILED = 70
"""Exit code of a worker that ended by an error (EX_SOFTWARE); its supervisor starts it again."""

GC_THRESHOLD = 200_000
"""Objects made between two collections. A flush makes that many, none of them in cycles; at Python's 700 the
collector took 2.3 of the fold's 5.3 µs per event (2 cores, Python 3.11)."""

log = structlog.get_logger()


def run_worker(settings: Settings) -> NoReturn:
    """Run until SIGTERM (exit 0) or an error (exit 70). Nothing that was not stored is acknowledged."""
    configure_logs(settings.log_level)
    gc.set_threshold(GC_THRESHOLD, 20, 100)
    store = open_store(settings)
    ensure_schema(store.client)
    access = kafka_access(settings)
    rights = least("worker", [kind.topic for kind in KINDS], settings.group) if access.tls else []
    if rights:
        # Without one the stream would only wait: said here, with the remedy.
        require_rights(settings.kafka, rights, access)
    counts = partition_counts(settings.kafka, access)
    store.ensure_partitions(counts)
    store.ensure_definitions(fingerprint(KINDS))
    mode = ClockMode(settings.clock)
    patience = Patience(settings.store_patience_s)
    tree = load_tree(settings)
    folder = Folder(
        store,
        tree,
        wall_clock_us,
        mode,
        patience,
        f"{socket.gethostname()}:{os.getpid()}",
        owner_of(counts),
        FolderSettings(flush_interval_s=settings.flush_interval_s),
    )
    roll = Roll(
        store, wall_clock_us, mode, patience, lambda: folder.epoch_of(ROLL_PARTITION), time.monotonic, folder.rest
    )
    alarm, deliverer = make_alarm(settings, store, tree, counts, folder, roll, patience) or (None, None)
    check = SelfCheck(
        store,
        [Partition(topic, number) for topic, count in counts.items() for number in range(count)],
        compare_aside(settings),
        lambda: folder.epoch_of(ROLL_PARTITION) is not None,
        patience,
        settings.check_interval_s,
    )
    client_id = client_name(settings)
    watchdog = Watchdog(
        settings.kafka,
        settings.group,
        settings.instance or client_id,
        folder,
        patience,
        settings.stall_s,
        _stalled,
        _fail,
        access,
        rights,
    )
    parts = WorkerParts(folder, roll, alarm, deliverer, watchdog, check, patience, settings.stall_s, wall_clock_us)
    if settings.health_port:
        try:
            serve_health(
                settings.health_host, settings.health_port, parts.live, parts.ready, registry_of(parts.samples)
            )
        except HealthPortError as error:
            log.error("no health and metrics here", error=str(error))  # noqa: TRY400 - to count is worth more
    app = create_app(
        AppSettings(
            settings.kafka,
            settings.group,
            settings.instance,
            settings.session_timeout_s,
            client_id=client_id,
            access=access,
        ),
        folder,
        [
            roll.run,
            watchdog.pulse,
            *(part.run for part in (alarm, deliverer) if part is not None),
            *([check.run] if settings.check_interval_s else []),
        ],
        _fail,
    )
    watchdog.start()
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, quiet=True).execute_from_commandline()
    raise SystemExit(0)


def client_name(settings: Settings) -> str:
    """Return what a worker calls itself to Kafka, which tells `nhip status`: its process, and where to ask it."""
    at = f"@{settings.health_host}:{settings.health_port}" if settings.health_port else ""
    return f"nhip-worker-{socket.gethostname()}-{os.getpid()}{at}"


def _stalled(stall: Stall) -> NoReturn:
    """End at once, and say where each thread stood: whatever holds it up would hold up a stop in order too."""
    log.critical("worker stalled; ending, so that its supervisor starts it again", stall=str(stall))
    faulthandler.dump_traceback()
    os._exit(EXIT_FAILED)


def _fail(error: BaseException) -> NoReturn:
    """End at once: a stop in order would wait for the very parts that failed, and has nothing left to save."""
    log.error("worker failed", error=f"{type(error).__name__}: {error}", exc_info=error)
    os._exit(EXIT_FAILED)
