"""One thin adapter on grafana-api 1.0.3: the only file that knows that client.

Of the client only the raw calls are used, for what it wraps by name is partly gone from Grafana. Its faults are
met in one place, a hook on its HTTP session that sees every answer before the client does:

- it parses every answer as JSON, so an empty body of a success raises: the hook puts ``null`` there;
- an error page that is not JSON raises TypeError or loses its status: the hook raises our own errors;
- it follows redirects, and a POST becomes a GET on the way: the hook refuses them;
- it quotes nothing in paths: :func:`path` does.
"""

import json
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests
from grafana_api.grafana_face import GrafanaFace  # type: ignore[import-untyped] # it ships no types

from dashboards.grafana.errors import (
    GrafanaAnswerError,
    GrafanaConflictError,
    GrafanaError,
    GrafanaRefusedError,
    GrafanaTooOldError,
    GrafanaUnreachableError,
    NotFoundError,
)
from dashboards.grafana.names import MIN_GRAFANA

__all__ = ["Grafana", "path"]

TIMEOUT_S: Final = 30.0
_FIRST_ERROR: Final = 400
_SHOWN: Final = 200
"""Of an error page at most so many characters are shown."""
_STATUS_ERRORS: Final[dict[int, type[GrafanaAnswerError]]] = {
    401: GrafanaRefusedError,
    403: GrafanaRefusedError,
    404: NotFoundError,
    409: GrafanaConflictError,
    412: GrafanaConflictError,
}
_REMEDIES: Final[dict[type[GrafanaAnswerError], str]] = {
    GrafanaRefusedError: "give the token of a service account that may write dashboards, alert rules and playlists",
    GrafanaConflictError: "somebody saved it meanwhile; look at it, then push again",
    NotFoundError: "it does not exist there",
    GrafanaAnswerError: "read Grafana's own log",
}


def path(*parts: str) -> str:
    """Join parts to a path; whatever a name holds, it stays one part."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


class Grafana:
    """A Grafana server, reached with a service account's token.

    ``url``: ``https://grafana.example``, with the path if it lies under one. Every method raises GrafanaError.
    """

    def __init__(self, url: str, token: str, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
            raise GrafanaUnreachableError(f"{url!r} is no address of a Grafana: write https://host")
        self.url = url
        self._token = token
        prefix = parts.path.strip("/")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        face = GrafanaFace(
            auth=token,
            host=host,
            port=port,
            protocol=parts.scheme,
            url_path_prefix=f"{prefix}/" if prefix else "",
            timeout=timeout_s,
        )
        self._api = face.api
        self._api.s.hooks["response"].append(self._examine)

    def version(self) -> str:
        """Return the server's version. Raises GrafanaTooOldError below 12 and when it does not tell."""
        found = (self.get("/health") or {}).get("version")
        if not found:  # hidden from those who have not signed in
            found = ((self.get("/frontend/settings") or {}).get("buildInfo") or {}).get("version")
        major = str(found or "").split(".", maxsplit=1)[0]
        if not major.isdigit():
            raise GrafanaTooOldError(
                f"{self.url} does not tell its version ({found!r}): Grafana {MIN_GRAFANA} or newer is needed"
            )
        if int(major) < MIN_GRAFANA:
            raise GrafanaTooOldError(
                f"{self.url} is Grafana {found}; {MIN_GRAFANA} or newer is needed: upgrade it, or use nhip's own wall"
            )
        return str(found)

    def get(self, where: str) -> Any:
        """Return what is at a path below ``/api``."""
        return self._call("GET", where, None, None)

    def find(self, where: str) -> Any:
        """Return what is at a path, None where nothing is."""
        try:
            return self.get(where)
        except NotFoundError:
            return None

    def post(self, where: str, body: object, headers: dict[str, str] | None = None) -> Any:
        """Create."""
        return self._call("POST", where, body, headers)

    def put(self, where: str, body: object, headers: dict[str, str] | None = None) -> Any:
        """Replace."""
        return self._call("PUT", where, body, headers)

    def group_path(self, *parts: str) -> str:
        """Return the path of Grafana's newer interface, ``/apis/…``, for the other methods.

        The client's base address ends in ``/api``, and it adds paths without looking: "s/…" makes ``/apis/…``.
        """
        return "s" + path(*parts)

    def _call(self, method: str, where: str, body: object, headers: dict[str, str] | None) -> Any:
        try:
            return getattr(self._api, method)(where, json=body, headers=headers)
        except GrafanaError:
            raise
        except (requests.ConnectionError, requests.Timeout) as error:
            raise GrafanaUnreachableError(
                f"Grafana at {self.url} does not answer ({type(error).__name__}): check the address and that it runs"
            ) from error
        except requests.RequestException as error:
            raise GrafanaUnreachableError(f"Grafana at {self.url}: {error}") from error

    def _examine(self, answer: requests.Response, *_: object, **__: object) -> None:
        """See every answer before the client does; what the client would stumble over never reaches it."""
        asked = f"{answer.request.method} {urlsplit(answer.url).path}"
        status = answer.status_code
        if answer.is_redirect:
            where = answer.headers.get("location", "")
            raise GrafanaAnswerError(f"{asked}: redirected to {where}: give that address instead", status)
        if status >= _FIRST_ERROR:
            kind = _STATUS_ERRORS.get(status, GrafanaAnswerError)
            # Some proxies repeat what they refuse.
            said = _said(answer).replace(self._token, "***")
            raise kind(f"{asked}: {status} {said}: {_REMEDIES[kind]}", status)
        if not answer.content.strip():
            answer._content = b"null"  # noqa: SLF001 - requests has no other way to mend a body
            return
        try:
            json.loads(answer.content)
        except ValueError:
            raise GrafanaAnswerError(
                f"{asked}: a page that is not JSON; a login page or a proxy answers in place of Grafana: "
                "check the address",
                status,
            ) from None


def _said(answer: requests.Response) -> str:
    """Return what an error answer says, in one line."""
    try:
        body = json.loads(answer.content)
    except ValueError:
        return " ".join(answer.text.split())[:_SHOWN]
    if isinstance(body, dict) and (message := body.get("message")):
        return str(message)
    return str(body)[:_SHOWN]
