"""A list in JSON over HTTP as a source, page by page."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime

import httpx
import msgspec
import xxhash

from producers.poll.credentials import Credential
from producers.poll.errors import SourceAnswerError
from producers.poll.http import Answer, Http
from producers.poll.listing import listed, numbered, parsed
from producers.poll.page import Page, check_columns
from producers.poll.paging import Place, first_place, next_place
from producers.poll.tables import Basic, RestTable
from producers.refusal import Refusal

__all__ = ["RestSource"]


class _Kept(msgspec.Struct):
    """What is remembered of a page: its ETag, its rows and where the list went on, if it did."""

    etag: str
    rows: int
    url: str | None
    at: int


class RestSource:
    """Reads a list. ``wanted``: columns that the mapping ``mapping`` names; ``sleep`` waits seconds."""

    incremental = True

    def __init__(
        self,
        table: RestTable,
        credential: Credential | None,
        wanted: Collection[str],
        mapping: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = table.url
        self._table = table
        self._wanted = wanted
        self._mapping = mapping
        self._http = Http(table, _auth(table, credential), sleep)

    def pages(self, memo: Mapping[str, str], *, full: bool, began: datetime) -> Iterator[Page]:  # noqa: ARG002
        """Yield the rows of all pages, of unchanged ones none; see Source."""
        first = httpx.URL(self._table.url)
        place: Place | None = first_place(self._table.paging, first)
        addresses: set[str] = set()
        digests: set[bytes] = set()
        number = 0
        while place is not None:
            self._check_place(place, addresses)
            key = str(place.url)
            kept = msgspec.json.decode(memo[key], type=_Kept) if not full and key in memo else None
            answer = self._http.get(place.url, kept.etag if kept else None)
            if answer.unchanged and kept is not None:
                yield Page((), None, {key: memo[key]})
                number += kept.rows
                place = None if kept.url is None else Place(httpx.URL(kept.url), kept.at)
                continue
            found = parsed(key, answer.body)
            items = listed(key, found, self._table.list)
            self._check_repeated(key, items, answer.body, digests)
            after = self._next(place, len(items), found, answer)
            rows = list(numbered(items, number))
            yield Page(rows, self._columns(key, rows), _memo(key, answer.etag, len(items), after))
            number += len(items)
            place = after

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _columns(self, where: str, rows: list[tuple[int, dict[str, str]] | Refusal]) -> dict[str, None] | None:
        columns = dict.fromkeys(c for row in rows if not isinstance(row, Refusal) for c in row[1])
        if not columns:
            return None
        wanted = [c for c in self._wanted if c not in self._table.optional]
        remedy = "adapt the mapping; if the source leaves out what is empty name it in rest.optional"
        check_columns(where, wanted, columns, self._mapping, remedy)
        return columns

    def _check_place(self, place: Place, addresses: set[str]) -> None:
        """Refuse to read an address twice in a round, and to read for ever."""
        key = str(place.url)
        if key in addresses:
            raise SourceAnswerError(f"{key}: the list leads back to this page: a loop; mend rest.paging")
        addresses.add(key)
        if len(addresses) > self._table.max_pages:
            raise SourceAnswerError(
                f"{self.name}: has more than {self._table.max_pages} pages: ask for larger ones, or raise max_pages"
            )

    def _check_repeated(self, where: str, items: list[object], body: bytes, digests: set[bytes]) -> None:
        """Refuse the same page under another address: the server does not understand the parameter."""
        digest = xxhash.xxh3_128_digest(body)
        if items and digest in digests:
            raise SourceAnswerError(
                f"{where}: is the same page as an earlier one: the source ignores the parameter; mend rest.paging"
            )
        digests.add(digest)

    def _next(self, place: Place, rows: int, found: object, answer: Answer) -> Place | None:
        try:
            after = next_place(self._table.paging, httpx.URL(self._table.url), place, rows, found, answer.link)
        except httpx.InvalidURL as error:
            raise SourceAnswerError(f"{place.url}: the next page has no address: {error}") from None
        if after is not None:
            self._http.checked(after.url, "the next page is at")
        return after


def _memo(key: str, etag: str | None, rows: int, after: Place | None) -> dict[str, str]:
    if etag is None:
        return {}
    kept = _Kept(etag, rows, None if after is None else str(after.url), 0 if after is None else after.at)
    return {key: msgspec.json.encode(kept).decode()}


def _auth(table: RestTable, credential: Credential | None) -> httpx.Auth | None:
    if table.auth is None or credential is None:
        return None
    if isinstance(table.auth, Basic):
        return httpx.BasicAuth(table.auth.user, credential.reveal())
    return _BearerAuth(credential)


class _BearerAuth(httpx.Auth):
    """Puts the token into each request."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["Authorization"] = f"Bearer {self._credential.reveal()}"
        yield request
