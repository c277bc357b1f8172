"""The intake's address, ``POST /v1/events``: a door of its own, beside the wall's."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from litestar import MediaType, Request, Response, Router, post
from litestar.exceptions import HTTPException

from producers.intake.description import RESPONSES, Answer, EventsOperation, Problem
from producers.intake.service import Intake, IntakeError, Sent

__all__ = ["intake_router"]

_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

log = structlog.get_logger()

HttpRequest = Request[Any, Any, Any]


def intake_router(intake: Intake) -> Router:
    """Return the routes of an intake. Only its own tokens open them: their check takes the place of the wall's."""
    return Router(
        "/v1",
        route_handlers=[_events(intake)],
        before_request=_admitted(intake),
        exception_handlers={IntakeError: _problem, HTTPException: _refused, Exception: _failed},
        request_max_body_size=intake.limits.request_bytes,
        tags=["intake"],
    )


def _events(intake: Intake) -> Any:
    @post(
        "/events",
        name="intake",
        summary="Send events",
        description="Send one event or many. Each is accepted or refused by itself; the answer is given when what is "
        "accepted cannot be lost any more. The same event may be sent again: it counts once.",
        operation_id="sendEvents",
        operation_class=EventsOperation,
        responses=RESPONSES,
        status_code=200,
    )
    async def events(request: HttpRequest) -> Response[bytes]:
        headers = request.headers
        sent = Sent(
            headers.get("content-type", ""),
            headers.get("content-encoding", ""),
            [(name.lower(), value) for name, value in headers.multi_items()],
            await request.body(),
        )
        results = await intake.take(request.state.grant, sent)
        accepted = sum(result.status == "accepted" for result in results)
        refused = len(results) - accepted
        status = 200 if not refused else 207 if accepted else 422
        return _json(status, Answer(accepted, refused, results))

    return events


def _admitted(intake: Intake) -> Callable[[HttpRequest], Awaitable[None]]:
    async def admit(request: HttpRequest) -> None:
        # Before the body is read: who may not send cannot make the server read anything.
        address = "" if request.client is None else request.client.host
        request.state.grant = intake.admit(request.headers.get("authorization", ""), address)

    return admit


def _json(status: int, body: msgspec.Struct, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type=MediaType.JSON,
        headers={**_PRIVATE, **(headers or {})},
    )


def _problem(_: HttpRequest, error: IntakeError) -> Response[bytes]:
    return _json(error.status, Problem(error.status, str(error)), error.headers)


def _refused(_: HttpRequest, error: HTTPException) -> Response[bytes]:
    return _json(error.status_code, Problem(error.status_code, error.detail), dict(error.headers or {}))


def _failed(request: HttpRequest, error: Exception) -> Response[bytes]:
    log.error("a request failed", path=request.url.path, exc_info=error)
    return _json(500, Problem(500, "the server has failed; its log says more. Send again: duplicates are harmless"))
