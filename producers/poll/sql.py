"""A table or view as a source: any database that SQLAlchemy reaches, read as a stream and never written."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from producers.poll.credentials import Credential
from producers.poll.errors import PollConfigError, SourceAnswerError, SourceChangedError, SourceUnreachableError
from producers.poll.page import Page, check_columns
from producers.poll.tables import SqlTable
from producers.poll.watermark import Watermark

__all__ = ["SqlSource"]

_MEMO = "watermark"
_LOCKED = "database is locked"


class SqlSource:
    """Reads a query. ``wanted``: columns that the mapping ``mapping`` names; ``zone``: of times without offset.

    Raises PollConfigError when the URL's driver is not installed.
    """

    def __init__(
        self, table: SqlTable, credential: Credential | None, wanted: Collection[str], mapping: str, zone: ZoneInfo
    ) -> None:
        url = make_url(table.url)
        self.name = url.render_as_string(hide_password=True)
        self.incremental = table.watermark is not None
        self._table = table
        self._credential = credential
        self._wanted = wanted
        self._mapping = mapping
        self._watermark = Watermark(table.watermark, zone) if table.watermark else None
        self._engine = _engine(url if credential is None else url.set(password=credential.reveal()), self.name)

    def pages(self, memo: Mapping[str, str], *, full: bool, began: datetime) -> Iterator[Page]:
        """Yield the rows of the query; see Source."""
        remembered = None if full else memo.get(_MEMO)
        given: dict[str, object] = {}
        if self._watermark is not None:
            given["watermark"] = self._watermark.start(remembered)
        with self._running(given) as result:
            columns = tuple(result.keys())
            self._check(columns)
            newest: object = None
            place = columns.index(self._table.watermark.column) if self._table.watermark else 0
            number = 0
            for rows in result.partitions(self._table.batch_rows):
                if self._watermark is not None:
                    for row in rows:
                        newest = self._watermark.newer(newest, row[place])
                yield Page(_numbered(columns, rows, number), columns, {})
                number += len(rows)
        advanced = self._watermark.advanced(newest, began) if self._watermark else None
        # A round without a row leaves the watermark where it was.
        kept = memo.get(_MEMO) if advanced is None else advanced
        yield Page((), columns, {} if kept is None else {_MEMO: kept})

    def close(self) -> None:
        """Let go of connections."""
        self._engine.dispose()

    @contextmanager
    def _running(self, given: dict[str, object]) -> Iterator[sqlalchemy.CursorResult[Any]]:
        """Run the query in a transaction that is always rolled back."""
        try:
            connection = self._engine.connect()
        except SQLAlchemyError as error:
            text = self._said(error)
            raise SourceUnreachableError(
                f"{self.name}: no connection: {text}: check address, account and password"
            ) from None
        with connection:
            try:
                query = sqlalchemy.text(self._table.query)
                options = {"stream_results": True, "yield_per": self._table.batch_rows}
                with connection.execute(query, given, execution_options=options) as result:
                    yield result
            except SQLAlchemyError as error:
                text = self._said(error)
                if getattr(error, "connection_invalidated", False) or _LOCKED in text:
                    raise SourceUnreachableError(f"{self.name}: the query broke off: {text}") from None
                raise SourceChangedError(
                    f"{self.name}: the query fails: {text}: if the source has changed its tables or columns adapt "
                    "sql.query"
                ) from None
            finally:
                connection.rollback()

    def _check(self, columns: Sequence[str]) -> None:
        double = sorted({c for c in columns if columns.count(c) > 1})
        if double:
            raise SourceChangedError(f"{self.name}: the query returns {', '.join(double)} more than once: name them")
        check_columns(self.name, self._wanted, columns, self._mapping, "adapt sql.query or the mapping")
        if self._table.watermark and self._table.watermark.column not in columns:
            raise SourceChangedError(
                f"{self.name}: the query returns no watermark column {self._table.watermark.column!r}; it returns "
                f"{', '.join(map(repr, columns))}: add it to sql.query"
            )

    def _said(self, error: SQLAlchemyError) -> str:
        """Return the driver's own words, without the statement and without the password."""
        words = str(error.orig if isinstance(error, DBAPIError) and error.orig is not None else error)
        text = " ".join(words.split())
        return text if self._credential is None else self._credential.hidden(text)


def _engine(url: URL, name: str) -> sqlalchemy.Engine:
    try:
        return sqlalchemy.create_engine(url, poolclass=NullPool, hide_parameters=True)
    except NoSuchModuleError:
        raise PollConfigError(f"sql.url: {url.drivername} is no database that SQLAlchemy knows") from None
    except ArgumentError:
        raise PollConfigError(
            f"sql.url: {name} is not a URL as {url.drivername} wants it: sqlite:///file.db takes no account and no "
            "password, others want user@host/database"
        ) from None
    except ModuleNotFoundError as error:
        raise PollConfigError(
            f"sql.url: {name} needs the Python package of its driver ({error.name}): install it"
        ) from None


def _numbered(
    columns: Sequence[str], rows: Sequence[sqlalchemy.Row[Any]], before: int
) -> list[tuple[int, dict[str, str]]]:
    return [(number, dict(zip(columns, map(_text, row), strict=True))) for number, row in enumerate(rows, before + 1)]


def _text(cell: object) -> str:
    """Return the text that a CSV would have: numbers keep their digits, NULL is empty."""
    match cell:
        case None:
            return ""
        case str():
            return cell
        case bool():
            return "true" if cell else "false"
        case datetime() | date() | time():
            return cell.isoformat()
        case Decimal():
            return format(cell, "f")
        case bytes() | memoryview():
            raise SourceAnswerError("a column holds bytes: convert it in sql.query, for instance with CAST or hex()")
        case _:
            return str(cell)
