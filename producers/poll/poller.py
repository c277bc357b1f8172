"""The poller: a configuration put together, and its rounds one after the other."""

import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

import msgspec
import structlog
import xxhash

from contract.marks import EPOCH
from producers.errors import ProducerError
from producers.mapping import Mapping as RowMapping
from producers.plan import Plan
from producers.poll.config import load_poll_mapping, state_path
from producers.poll.credentials import Credential
from producers.poll.errors import PollConfigError, PollError, StateError
from producers.poll.folder import FolderSource
from producers.poll.page import Source
from producers.poll.report import RoundReport
from producers.poll.rest import RestSource
from producers.poll.round import OnProgress, RoundPlan, run_round
from producers.poll.sql import SqlSource
from producers.poll.state import PollState
from producers.poll.tables import Bearer, PollConfig
from producers.replay import Target

__all__ = ["Poller", "open_source"]

log = structlog.get_logger()


class Poller:
    """One source, its state and its target; a context manager.

    ``now`` is our clock; ``monotonic`` gives seconds that only grow, ``sleep`` waits seconds; ``environ``
    holds the secrets that the configuration names; ``state`` replaces the configured file. Raises
    PollConfigError, MappingError, StateError.
    """

    def __init__(
        self,
        config: PollConfig,
        target: Target,
        *,
        now: Callable[[], datetime],
        environ: Mapping[str, str] = os.environ,
        state: Path | None = None,
    ) -> None:
        mapping = load_poll_mapping(config)
        self._config = config
        self._target = target
        self._now = now
        self._plan = Plan(mapping)
        self._fingerprint = _fingerprint(config, mapping)
        self.source = open_source(config, mapping, environ)
        try:
            owner = f"{mapping.kind} {mapping.source}"
            self._state = PollState(state or state_path(config), owner, keep_events=config.vanished == "void")
        except StateError:
            self.source.close()
            raise

    def round(self, on_progress: OnProgress = lambda *_: None) -> RoundReport:
        """Do one round and log it. Raises PollError of source and state, and what the target raises."""
        began = self._now()
        full = self._is_full(began)
        todo = RoundPlan(
            self._plan, began, full, self._fingerprint, self._config.vanished == "void", self._config.max_void_share
        )
        try:
            report = run_round(self.source, self._state, self._target, todo, on_progress)
        except sqlite3.Error as error:
            raise StateError(f"{self._state.path}: cannot be used ({error}): is the disk full?") from error
        for refusal in report.first_refusals:
            log.warning("row refused", source=self.source.name, reason=refusal)
        for column in report.new_columns:
            log.warning("the source has a new column, which no mapping reads", source=self.source.name, column=column)
        counts = msgspec.to_builtins(report)
        del counts["first_refusals"], counts["new_columns"]
        log.info("round", source=self.source.name, took_s=(self._now() - began).total_seconds(), **counts)
        return report

    def run(
        self,
        on_round: Callable[[RoundReport | Exception], None],
        on_progress: OnProgress = lambda *_: None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Do rounds for ever, ``interval_s`` from start to start. A round that fails is told and repeated."""
        while True:
            began_s = monotonic()
            try:
                on_round(self.round(on_progress))
            except (PollError, ProducerError) as error:
                log.error("round failed", source=self.source.name, error=str(error))  # noqa: TRY400 - it explains itself
                on_round(error)
            sleep(max(0.0, began_s + self._config.interval_s - monotonic()))

    def _is_full(self, began: datetime) -> bool:
        """Whether everything is compared: first, when the configuration changed, and from time to time."""
        last = self._state.fact("full_us")
        if last is None or not self.source.incremental or self._state.fact("fingerprint") != self._fingerprint:
            return True
        age = began - (EPOCH + timedelta(microseconds=int(last)))
        # A clock that was set back must not put the comparison off.
        return not timedelta(0) <= age < timedelta(seconds=self._config.full_comparison_s)

    def close(self) -> None:
        """Let go of source and state; the target is the caller's."""
        self.source.close()
        self._state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_source(config: PollConfig, mapping: RowMapping, environ: Mapping[str, str]) -> Source:
    """Return the source of a configuration; nothing is asked yet. Raises PollConfigError."""
    folder = Path(config.name).parent
    wanted = mapping.columns()
    if config.sql is not None:
        table = config.sql
        where = f"{config.name}: sql.password"
        credential = Credential.named(where, table.password_env, table.password_file, environ, folder)
        try:
            return SqlSource(table, credential, wanted, mapping.name, ZoneInfo(mapping.timezone))
        except PollConfigError as error:
            raise PollConfigError(f"{config.name}: {error}") from None
    if config.folder is not None:
        return FolderSource(config.folder, folder, mapping)
    if config.rest is None:
        raise PollConfigError(f"{config.name}: give one of the tables [sql], [rest] and [folder]")
    return RestSource(config.rest, _rest_credential(config, environ, folder), wanted, mapping.name)


def _rest_credential(config: PollConfig, environ: Mapping[str, str], folder: Path) -> Credential | None:
    auth = config.rest.auth if config.rest else None
    if auth is None:
        return None
    where = f"{config.name}: rest.auth"
    if isinstance(auth, Bearer):
        found = Credential.named(where, auth.token_env, auth.token_file, environ, folder)
    else:
        found = Credential.named(where, auth.password_env, auth.password_file, environ, folder)
    if found is None:
        raise PollConfigError(f"{where}: names no secret: give it by environment (…_env) or by file (…_file)")
    return found


def _fingerprint(config: PollConfig, mapping: RowMapping) -> str:
    """Return what changes when rows could mean something else: then everything is compared once."""
    parts = (msgspec.structs.replace(mapping, name=""), config.sql, config.rest, config.folder, config.vanished)
    return xxhash.xxh3_128_hexdigest(msgspec.json.encode(parts))
