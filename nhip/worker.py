"""One worker process: everything the stream needs, wired together, until it is stopped or fails."""

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
from nhip.logs import configure_logs
from nhip.settings import Settings, load_tree
from nhip.store import open_store
from producers.topics import partition_counts
from streams.app import AppSettings, create_app
from streams.clock import ClockMode, wall_clock_us
from streams.folder import Folder, FolderSettings
from streams.partitioner import owner_of
from streams.patience import Patience
from streams.roll import ROLL_PARTITION, Roll

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
    counts = partition_counts(settings.kafka)
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
    roll = Roll(store, wall_clock_us, mode, patience, lambda: folder.epoch_of(ROLL_PARTITION), time.monotonic)
    alarm, deliverer = make_alarm(settings, store, tree, counts, folder, roll, patience)
    app = create_app(
        AppSettings(settings.kafka, settings.group, settings.instance, settings.session_timeout_s),
        folder,
        [roll.run, alarm.run, deliverer.run],
        _fail,
    )
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, quiet=True).execute_from_commandline()
    raise SystemExit(0)


def _fail(error: BaseException) -> NoReturn:
    """End at once: a stop in order would wait for the very parts that failed, and has nothing left to save."""
    log.error("worker failed", error=f"{type(error).__name__}: {error}", exc_info=error)
    os._exit(EXIT_FAILED)
