"""Routes of the page behind a signed link. GET shows and changes nothing: mail scanners follow links.

The signature is the authority: it stands in the form too, so a request forged from another site cannot have it,
and no session or wall token is needed. It opens one alert to one recipient until it expires.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from litestar import MediaType, Request, Response, Router, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Redirect

from contract.text import Text
from dashboards.alerts.choices import MOST_REASON, MUTES, reason_of
from dashboards.alerts.desk import Desk
from dashboards.alerts.limit import Limit
from dashboards.alerts.link import Link, LinkState
from dashboards.alerts.page import Pages
from dashboards.alerts.standing import Standing, standing
from dashboards.alerts.words import A
from dashboards.answers import HEADERS
from dashboards.services import ADMITS_ITSELF
from sinks.outbox import Pending
from sinks.wording import fill
from streams.alerts import Action, Alert, FigureKey
from streams.clock import Now

__all__ = ["AlertPages", "alert_router"]

HttpRequest = Request[Any, Any, Any]

MOST_BYTES = 16_000
"""A form is far smaller, even with a reason of characters of four bytes, each sent as twelve."""
MOST_MESSAGES = 8
_HEADERS = {
    **HEADERS,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    # With no-referrer, browsers name no origin when a form is sent; no other site learns of the address with this.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, slots=True)
class AlertPages:
    """What the routes need.

    ``desk`` opens the store, or hands out what it opened. ``check`` judges a link. ``figure`` gives the current
    figure, None where it is not known. ``title`` gives a rule's own title. ``now_us`` is the clock of the figures,
    by which mutes end. ``host``: host and port in the links, which differ from those of the request behind some
    proxies.
    """

    desk: Callable[[], Desk]
    check: Callable[[Link], LinkState]
    name: Callable[[str], Text]
    title: Callable[[str], Text | None]
    figure: Callable[[FigureKey], tuple[int, int] | None]
    now_us: Now
    host: str
    limit: Limit


class _RefusedError(Exception):
    def __init__(self, status: int, words: Text) -> None:
        super().__init__(words.en)
        self.status = status
        self.words = words


def alert_router(parts: AlertPages) -> Router:
    """Return the routes below ``/alerts``."""
    pages = Pages(parts.name)

    @get("/{alert:str}", include_in_schema=False)
    async def show(request: HttpRequest, alert: FromPath[str]) -> Response[str]:
        query = request.query_params
        link = _allowed(parts, Link(alert, query.get("r", ""), query.get("e", ""), query.get("s", "")))
        found, messages = await asyncio.to_thread(_read, parts, link)
        key = FigureKey(found.alert.scope, found.alert.indicator, found.alert.window)
        html = pages.page(found, parts.figure(key), messages, link, query.get("done"))
        return Response(html, media_type=MediaType.HTML, headers=_HEADERS)

    @post("/{alert:str}", include_in_schema=False, status_code=303, request_max_body_size=MOST_BYTES)
    async def act(request: HttpRequest, alert: FromPath[str]) -> Redirect:
        sent = {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
        link = Link(alert, sent.get("r", ""), sent.get("e", ""), sent.get("s", ""))
        _same_origin(request, parts.host)
        link = _allowed(parts, link)
        await asyncio.to_thread(_record, parts, link, sent)
        authority = {"r": link.recipient, "e": link.expires, "s": link.signature, "done": sent["do"]}
        return Redirect(f"/alerts/{alert}?{urlencode(authority)}", status_code=303, headers=_HEADERS)

    @get("/style/{version:str}", include_in_schema=False, sync_to_thread=False)
    def style(version: FromPath[str]) -> Response[bytes]:  # noqa: ARG001 - it stands in the address only
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(pages.css, media_type="text/css; charset=utf-8", headers=headers)

    def refused(_: HttpRequest, error: _RefusedError) -> Response[str]:
        return Response(
            pages.refused(error.words), status_code=error.status, media_type=MediaType.HTML, headers=_HEADERS
        )

    def unreadable(_: HttpRequest, error: HTTPException) -> Response[str]:
        return Response(
            pages.refused(A["no_choice"]), status_code=error.status_code, media_type=MediaType.HTML, headers=_HEADERS
        )

    return Router(
        "/alerts",
        route_handlers=[show, act, style],
        opt={ADMITS_ITSELF: True},
        exception_handlers={_RefusedError: refused, HTTPException: unreadable},
    )


def _allowed(parts: AlertPages, link: Link) -> Link:
    """Return the link if it is good. A forged one is not counted: it costs nothing and has no bounded number."""
    match parts.check(link):
        case "forged":
            raise _RefusedError(403, A["forged"])
        case "expired":
            raise _RefusedError(410, A["expired"])
    if not parts.limit.take((link.alert, link.recipient)):
        raise _RefusedError(429, A["too_often"])
    return link


def _same_origin(request: HttpRequest, host: str) -> None:
    """Refuse what another site sends. "null" is what browsers send that hide where they come from."""
    origin = request.headers.get("origin", "null")
    if origin != "null" and urlsplit(origin).netloc not in (request.headers.get("host", ""), host):
        raise _RefusedError(403, A["foreign"])


def _read(parts: AlertPages, link: Link) -> tuple[Standing, Sequence[Pending]]:
    desk = parts.desk()
    return _standing(parts, desk, link), desk.notices_of(link.alert, MOST_MESSAGES)


def _record(parts: AlertPages, link: Link, sent: Mapping[str, str]) -> None:
    desk = parts.desk()
    action = _action(sent, _standing(parts, desk, link), link.recipient, parts.now_us())
    if action is not None:
        desk.act(action)


def _standing(parts: AlertPages, desk: Desk, link: Link) -> Standing:
    alert = desk.alert(link.alert)
    if alert is None:
        raise _RefusedError(404, A["absent"])
    return standing(alert, desk.actions_of(alert), parts.now_us(), parts.title(alert.rule))


def _action(sent: Mapping[str, str], found: Standing, by: str, now_us: int) -> Action | None:
    """Return what the form asks to record; None when it holds already. Raises _RefusedError."""
    alert: Alert = found.alert
    match sent.get("do"):
        case "ack" if not found.firing:
            raise _RefusedError(409, A["over"])
        case "ack":
            if found.acknowledged is not None:
                return None
            return Action(alert=alert.id, rule=alert.rule, scope=alert.scope, action="ack", by=by, at_us=now_us)
        case "unmute":
            if found.muted is None:
                return None
            return Action(alert=alert.id, rule=alert.rule, scope=alert.scope, action="unmute", by=by, at_us=now_us)
        case "mute" if (choice := MUTES.get(sent.get("for", ""))) is not None:
            reason = reason_of(sent.get("reason", ""))
            if reason is None:
                raise _RefusedError(400, fill(A["no_reason"], n=str(MOST_REASON)))
            return Action(
                alert=alert.id,
                rule=alert.rule,
                scope=alert.scope,
                action="mute",
                until_us=choice.until_us(now_us),
                by=by,
                reason=reason,
                at_us=now_us,
            )
        case _:
            raise _RefusedError(400, A["no_choice"])
