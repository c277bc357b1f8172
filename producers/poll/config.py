"""Reading a poll configuration: checked whole before the source is asked anything."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import msgspec
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from producers.convert import CellError, field_types
from producers.mapping import Mapping, MappingError, load_mapping
from producers.poll.errors import PollConfigError
from producers.poll.tables import PollConfig, SqlTable, WatermarkValue

__all__ = ["WATERMARK", "load_config", "load_poll_mapping", "state_path"]

WATERMARK = re.compile(r"(?<![:\w]):watermark\b")
"""The parameter of a query; ``::watermark`` would be a cast."""

_READS = re.compile(r"\s*(?:--[^\n]*\n\s*)*(select|with)\b", re.IGNORECASE)
_SECRET_NAMES = frozenset({"password", "passwd", "pwd", "token", "access_token", "api_key", "apikey", "secret"})


def load_config(path: Path) -> PollConfig:
    """Read and check a configuration. Raises PollConfigError naming file, key and remedy."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PollConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PollConfigError(f"{path}: is not TOML: {error}") from error
    raw["name"] = str(path)
    try:
        config = msgspec.convert(raw, PollConfig)
    except msgspec.ValidationError as error:
        raise PollConfigError(f"{path}: {error}: docs/poll.md lists every key") from None
    for key, text in _faults(config):
        raise PollConfigError(f"{path}: {key}: {text}")
    return config


def load_poll_mapping(config: PollConfig) -> Mapping:
    """Read the mapping of a configuration. Raises MappingError, and PollConfigError if it cannot be polled."""
    own = config.mapping.endswith(".toml")
    try:
        mapping = load_mapping(Path(config.name).parent / config.mapping if own else config.mapping)
    except MappingError as error:
        raise MappingError(f"{config.name}: mapping: {error}") from None
    if mapping.layout == "log":
        raise PollConfigError(
            f"{config.name}: mapping: {mapping.name} has the layout log, whose rows are steps and no states: give "
            "one row an entity (layout cases or snapshots), or send the file with `nhip replay`"
        )
    if config.vanished == "void":
        try:
            field_types(mapping.declared.snapshot)["status"].checked("void")
        except CellError:
            raise PollConfigError(
                f'{config.name}: vanished: a {mapping.kind} has no status "void": set it to "ignore"'
            ) from None
    optional = config.rest.optional if config.rest else ()
    for column in optional:
        if column not in mapping.columns():
            raise PollConfigError(
                f"{config.name}: rest.optional: the mapping {mapping.name} reads no column {column!r}: remove it"
            )
    return mapping


def state_path(config: PollConfig) -> Path:
    """Return where the state of a configuration is kept."""
    path = Path(config.name)
    return path.parent / config.state if config.state else path.with_suffix(".state")


def _faults(config: PollConfig) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong and what to do)."""
    if sum(table is not None for table in (config.sql, config.rest, config.folder)) != 1:
        yield "source", "give exactly one of the tables [sql], [rest] and [folder]"
    if config.full_comparison_s < config.interval_s:
        yield "full_comparison_s", "is shorter than interval_s: make it at least as long"
    if config.sql is not None:
        yield from _sql_faults(config.sql)
    if config.rest is not None:
        if "#" in config.rest.url:
            yield "rest.url", "has a fragment (#), which is never sent: remove it"
        for name, _ in parse_qsl(urlsplit(config.rest.url).query):
            if name.lower() in _SECRET_NAMES:
                yield "rest.url", f"has the secret {name!r} in it: use [rest.auth] and a reference"


def _sql_faults(sql: SqlTable) -> Iterator[tuple[str, str]]:
    try:
        url = make_url(sql.url)
    except ArgumentError:
        yield "sql.url", "is no SQLAlchemy URL: postgresql+psycopg://user@host/database, sqlite:///file.db"
        return
    if url.password is not None or any(name.lower() in _SECRET_NAMES for name in url.query):
        yield "sql.url", "has a password in it: use sql.password_env or sql.password_file"
    if sql.password_env and sql.password_file:
        yield "sql.password_file", "is given beside sql.password_env: keep one"
    if _READS.match(sql.query) is None:
        yield "sql.query", "does not begin with SELECT or WITH: the poller only reads"
    start = sql.watermark.start if sql.watermark else 0
    if isinstance(start, bool) or not isinstance(start, WatermarkValue):
        yield "sql.watermark.start", "is neither text, number, date nor time: write a value before every row"
    named = WATERMARK.search(sql.query) is not None
    if named and sql.watermark is None:
        yield "sql.watermark", "is missing: the query names :watermark"
    if not named and sql.watermark is not None:
        yield "sql.query", f"does not name :watermark: add WHERE {sql.watermark.column} >= :watermark"
