"""The application: API, events and pages on one address, with access and security headers."""

import asyncio
import hashlib
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import structlog
from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Reference, SecurityScheme
from litestar.response import Redirect
from litestar.types import Message, Scope

from contract.words import Text
from dashboards.access import Access, Mode, is_loopback
from dashboards.alerts.api import alerts
from dashboards.answers import HEADERS, Refusal, failed, refused
from dashboards.api import HANDLERS
from dashboards.pictures import Pictures
from dashboards.reader import Reader
from dashboards.series import Series
from dashboards.services import ADMITS_ITSELF, Services, store_down
from dashboards.targets import Targets
from dashboards.view import Place
from dashboards.wall.pages import wall_router
from producers.guesses import Guesses
from streams.clock import Now
from streams.store import StoreUnavailableError

__all__ = ["build_of", "create_server"]

COOKIE = "nhip_wall"
COOKIE_S = 400 * 86_400
"""Browsers keep no cookie for longer; a wall that was set up once stays logged in."""

HSTS_S = 365 * 86_400
"""So long a browser that came by TLS comes by nothing else."""

_SCHEMES: dict[str, SecurityScheme | Reference] = {
    "intakeToken": SecurityScheme(
        type="http", scheme="bearer", description="a producer's token, of `nhip intake-token create`"
    ),
}

log = structlog.get_logger()


def create_server(
    reader: Reader,
    series: Series,
    place: Place,
    targets: Targets,
    access: Access,
    build: str,
    wall_us: Now,
    routers: Sequence[Router] = (),
) -> Litestar:
    """Put the application together; the reader runs as long as it does. ``routers``: what else it answers."""
    pictures = Pictures(reader, place, targets, wall_us, build)
    services = Services(reader, pictures, series, place, targets, access, wall_us)

    @asynccontextmanager
    async def reading(_: Litestar) -> AsyncIterator[None]:
        task = asyncio.create_task(reader.run(), name="reader")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return Litestar(
        route_handlers=[home, *HANDLERS, alerts, wall_router(pictures), *routers],
        dependencies={"services": Provide(lambda: services, sync_to_thread=False)},
        before_request=_admitted(services),
        before_send=[_dressed],
        exception_handlers={HTTPException: refused, StoreUnavailableError: _store_down, Exception: _failed},
        lifespan=[reading],
        openapi_config=OpenAPIConfig(
            title="Nhịp dịch vụ công",
            version=build,
            description="Figures of public services. Rates are shares from 0 to 1, null without any case; "
            "times are microseconds since 1970. Events of producers are taken at /v1/events.",
            components=Components(security_schemes=_SCHEMES),
            path="/api/openapi.json",
            render_plugins=[JsonRenderPlugin(path="/")],
        ),
    )


@get("/", sync_to_thread=False)
def home(request: Request[Any, Any, Any]) -> Redirect:
    """Lead to the first screen; a viewer limited to units to the first of them."""
    units = request.state.viewer.units
    query = f"?{request.url.query}" if request.url.query else ""
    return Redirect(f"/wall/unit/{units[0]}{query}" if units else f"/wall/overview{query}", status_code=302)


def build_of(version: str, folder: Path) -> str:
    """Return a name of the running program that changes with any of its files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return f"{version}-{digest.hexdigest()[:8]}"


def _admitted(services: Services) -> Callable[[Request[Any, Any, Any]], Response[Any] | None]:
    """Return what runs before every handler: find out who asks, and refuse who may not."""
    guesses = Guesses(time.monotonic)

    def admit(request: Request[Any, Any, Any]) -> Response[Any] | None:
        if request.route_handler.opt.get(ADMITS_ITSELF):
            return None
        if services.access.mode is Mode.LOOPBACK and not _local(request):
            raise Refusal(421, _OTHER_HOST)
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        asked = request.query_params.get("token")
        secret = bearer.strip() if scheme.lower() == "bearer" else asked or request.cookies.get(COOKIE)
        viewer = services.access.viewer(secret)
        if viewer is None:
            wait_s = 0.0 if secret is None else guesses.wrong("" if request.client is None else request.client.host)
            if wait_s > 0:
                raise Refusal(429, _TOO_MANY, {"Retry-After": str(math.ceil(wait_s))})
            raise Refusal(401, _NO_TOKEN if secret is None else _WRONG_TOKEN, {"WWW-Authenticate": "Bearer"})
        request.state.viewer = viewer
        path = request.url.path
        if path.startswith("/wall/") and viewer.units is not None and not path.startswith("/wall/static/"):
            unit = path.removeprefix("/wall/unit/")
            if unit == path or not services.access.allows(viewer, unit):
                own = ", ".join(f"/wall/unit/{code}" for code in viewer.units)
                raise Refusal(403, Text(f"mã truy cập này chỉ xem được {own}", f"this token may only see {own}"))
        if asked is None or viewer.sha256 is None:
            return None
        # The token leaves the address: it must not stay in histories, on screens or in copied links.
        request.state.token = asked
        if path.startswith("/api"):
            return None
        left = urlencode([pair for pair in request.query_params.multi_items() if pair[0] != "token"])
        return Redirect(f"{path}?{left}" if left else path, status_code=303, cookies=[_cookie(request, asked)])

    return admit


def _local(request: Request[Any, Any, Any]) -> bool:
    """Whether the address asked for is this machine's: no page elsewhere may use a name that leads here."""
    host = request.headers.get("host", "")
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    return is_loopback(name)


def _cookie(request: Request[Any, Any, Any], secret: str) -> Cookie:
    secure = request.url.scheme == "https"
    return Cookie(COOKIE, value=secret, path="/", httponly=True, samesite="lax", max_age=COOKIE_S, secure=secure)


async def _dressed(message: Message, scope: Scope) -> None:
    """Complete the headers of every answer, refusals of every door included."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if scope["scheme"] == "https":
        # Only said where it is true: behind a proxy the scheme is what that proxy, on this machine, says it is.
        headers.setdefault("Strict-Transport-Security", f"max-age={HSTS_S}")


def _store_down(request: Request[Any, Any, Any], _: StoreUnavailableError) -> Response[bytes]:
    return refused(request, store_down())


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log.error("a request failed", path=request.url.path, exc_info=error)
    return failed(request, error)


_NO_TOKEN = Text(
    "Cần mã truy cập: mở địa chỉ với ?token=… (tạo bằng `nhip wall-token create`)",
    "A token is needed: open the address with ?token=… (made by `nhip wall-token create`)",
)
_OTHER_HOST = Text(
    "Máy chủ này chỉ phục vụ tại chỗ: mở http://127.0.0.1",
    "This server serves its own machine alone: open http://127.0.0.1",
)
_WRONG_TOKEN = Text("Mã truy cập sai, hết hạn hoặc đã bị thu hồi", "The token is wrong, expired or was revoked")
_TOO_MANY = Text("Quá nhiều mã truy cập sai: hãy chờ", "Too many wrong tokens: wait")
