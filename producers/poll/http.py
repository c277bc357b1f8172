"""One page over HTTP: bounded, repeated with patience, and never taken for something that it is not."""

import re
from collections.abc import Callable, Mapping
from html import unescape
from typing import NamedTuple

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from producers.poll.errors import SourceAnswerError, SourceUnreachableError
from producers.poll.tables import RestTable

__all__ = ["Answer", "Http"]

MAX_REDIRECTS = 5
LONGEST_PAUSE_S = 60.0
"""Between two attempts, also when the server asks for a longer one."""

_NOT_MODIFIED, _TOO_MANY, _FORBIDDEN = 304, 429, (401, 403)
_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
_backoff = wait_random_exponential(multiplier=0.5, max=LONGEST_PAUSE_S)


class Answer(NamedTuple):
    """A page as bytes; ``unchanged``: it is the one with the ETag that was sent. ``link``: rel=next, if any."""

    body: bytes
    etag: str | None
    link: str | None
    unchanged: bool


class _TryAgainError(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, text: str, pause_s: float | None = None) -> None:
        super().__init__(text)
        self.pause_s = pause_s


class Http:
    """Fetches pages from one origin; ``sleep`` waits seconds between attempts.

    Certificates are checked. Credentials never leave the origin: redirects and links elsewhere are errors.
    """

    def __init__(self, table: RestTable, auth: httpx.Auth | None, sleep: Callable[[float], None]) -> None:
        self._table = table
        self._origin = _origin(httpx.URL(table.url))
        self._client = httpx.Client(
            timeout=table.timeout_s,
            follow_redirects=False,
            auth=auth,
            headers={"Accept": "application/json", "User-Agent": "nhip-poll"},
        )
        self._retrying = Retrying(
            stop=stop_after_attempt(table.attempts),
            wait=_pause_s,
            retry=retry_if_exception_type(_TryAgainError),
            sleep=sleep,
            reraise=True,
        )

    def get(self, url: httpx.URL, etag: str | None) -> Answer:
        """Fetch one page. Raises SourceUnreachableError after all attempts, SourceAnswerError at once."""
        try:
            return self._retrying(self._attempt, url, etag)
        except _TryAgainError as error:
            raise SourceUnreachableError(
                f"{url}: {error} ({self._table.attempts} attempts): the next round asks again"
            ) from None

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def checked(self, url: httpx.URL, why: str) -> httpx.URL:
        """Return an address of the own origin. Raises SourceAnswerError for another."""
        if _origin(url) != self._origin:
            raise SourceAnswerError(
                f"{self._table.url}: {why} {url.scheme}://{url.netloc.decode()}, which is not the configured host (a "
                "login page?): check rest.url and rest.auth; credentials are not sent there"
            )
        return url

    def _attempt(self, url: httpx.URL, etag: str | None) -> Answer:
        headers = {} if etag is None else {"If-None-Match": etag}
        try:
            for _ in range(MAX_REDIRECTS):
                with self._client.stream("GET", url, headers=headers) as response:
                    if response.has_redirect_location:
                        url = self.checked(response.url.join(response.headers["location"]), "redirects to")
                        continue
                    return self._answer(response, asked=etag is not None)
        except httpx.TransportError as error:
            raise _TryAgainError(f"no whole answer: {str(error) or type(error).__name__}") from None
        except httpx.InvalidURL as error:
            raise SourceAnswerError(f"{url}: redirects to no address: {error}") from None
        except httpx.DecodingError as error:
            raise SourceAnswerError(f"{url}: the compressed answer is damaged: {error}") from None
        raise SourceAnswerError(f"{url}: redirects more than {MAX_REDIRECTS} times: check rest.url and rest.auth")

    def _answer(self, response: httpx.Response, *, asked: bool) -> Answer:
        status, url = response.status_code, response.url
        if status == _NOT_MODIFIED and asked:
            return Answer(b"", None, None, unchanged=True)
        if status == _TOO_MANY or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise _TryAgainError(f"answers {status} {response.reason_phrase}", _asked_pause_s(response.headers))
        if status in _FORBIDDEN:
            raise SourceAnswerError(f"{url}: answers {status} {response.reason_phrase}: check rest.auth")
        if status != httpx.codes.OK:
            raise SourceAnswerError(f"{url}: answers {status} {response.reason_phrase}: check rest.url")
        body = self._body(response)
        if "html" in response.headers.get("content-type", "").lower() or body.lstrip()[:1] == b"<":
            raise SourceAnswerError(_not_json(url, body))
        link = response.links.get("next", {}).get("url")
        return Answer(body, response.headers.get("etag"), link, unchanged=False)

    def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > self._table.max_response_bytes:
                raise SourceAnswerError(
                    f"{response.url}: the page has more than {self._table.max_response_bytes} bytes: ask for smaller "
                    "pages or raise rest.max_response_bytes"
                )
        return bytes(body)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _not_json(url: httpx.URL, body: bytes) -> str:
    found = _TITLE.search(body[:65_536].decode("utf-8", "replace"))
    title = f" with the title {unescape(found[1])!r}" if found else ""
    return f"{url}: answers an HTML page{title} instead of JSON, probably a login page: check rest.auth and rest.url"


def _asked_pause_s(headers: Mapping[str, str]) -> float | None:
    """Return what Retry-After asks for in seconds; None for none, and for a date, which the backoff covers."""
    text = headers.get("retry-after", "")
    return min(float(text), LONGEST_PAUSE_S) if text.isascii() and text.isdigit() else None


def _pause_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.pause_s if isinstance(error, _TryAgainError) else None
    return _backoff(state) if asked is None else asked
