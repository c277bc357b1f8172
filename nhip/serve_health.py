"""``/health/live``, ``/health/ready`` and ``/metrics`` of the wall's server.

Live and ready need no token and say no more than yes or no: supervisors and load balancers ask. The metrics are for
whoever may see the whole wall: a token that is not limited to units, or this machine, as the wall's own door decides.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from litestar import MediaType, Request, Response, Router, get
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest

from contract.words import Text
from dashboards.access import Viewer
from dashboards.answers import Refusal
from dashboards.reader import Reader
from dashboards.services import ADMITS_ITSELF
from nhip.health import LIVE, METRICS, READY
from nhip.metrics import Sample
from producers.intake import Intake
from streams.clock import US_PER_S, Now

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

__all__ = ["CountedStreams", "health_router", "server_samples"]

STREAM = "/api/events"


def health_router(ready: Callable[[], bool], registry: CollectorRegistry) -> Router:
    """Return the routes; ``ready``: whether what is shown is read now."""

    @get(LIVE, sync_to_thread=False, include_in_schema=False, opt={ADMITS_ITSELF: True})
    def live() -> Response[str]:
        return _plain("ok")

    @get(READY, sync_to_thread=False, include_in_schema=False, opt={ADMITS_ITSELF: True})
    def is_ready() -> Response[str]:
        return _plain("ok") if ready() else _plain("not ready", 503)

    @get(METRICS, sync_to_thread=False, include_in_schema=False)
    def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        viewer: Viewer = request.state.viewer
        if viewer.units is not None:
            raise Refusal(403, _LIMITED)
        return Response(
            generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"}
        )

    return Router("/", route_handlers=[live, is_ready, metrics])


def server_samples(
    reader: Reader, backlog: Callable[[], int | None], intake: Intake, screens: Callable[[], int], wall_us: Now
) -> Callable[[], Iterable[Sample]]:
    """Return what reads the numbers of a server."""

    def read() -> Iterator[Sample]:
        yield Sample("nhip_store_up", reader.up)
        if (beat := reader.data.beat) is not None:
            yield Sample("nhip_rates_age_seconds", max(0.0, (wall_us() - beat.written_us) / US_PER_S))
        if (waiting := backlog()) is not None:
            yield Sample("nhip_backlog_records", waiting)
        yield Sample("nhip_screens_connected", screens())
        yield Sample("nhip_intake_events_accepted_total", intake.accepted)
        yield Sample("nhip_intake_events_refused_total", intake.refused)
        if (done := intake.statistics()) is not None:
            yield Sample("nhip_intake_spool_records", done.spooled)
            yield Sample("nhip_intake_spool_bytes", done.spool_bytes)

    return read


class CountedStreams:
    """An application in which the streams of events that are open are counted; a screen holds one."""

    def __init__(self, application: "ASGIApp") -> None:
        self._application = application
        self.open = 0

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass everything on."""
        stream = scope.get("path") == STREAM
        self.open += stream
        try:
            await self._application(scope, receive, send)
        finally:
            self.open -= stream


def _plain(text: str, status: int = 200) -> Response[str]:
    return Response(f"{text}\n", status_code=status, media_type=MediaType.TEXT, headers={"Cache-Control": "no-store"})


_LIMITED = Text("mã truy cập này chỉ xem được một số đơn vị", "this token may only see some units")
