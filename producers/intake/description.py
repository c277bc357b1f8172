"""What OpenAPI says of the intake: bodies and answers, made from the contract."""

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from contract.registry import KINDS
from producers.examples import examples
from producers.intake.bodies import BATCH, JSON, NDJSON, STRUCTURED
from producers.intake.judge import Result

__all__ = ["RESPONSES", "Answer", "EventsOperation", "Problem"]


class Answer(msgspec.Struct, frozen=True):
    """How many events were accepted and refused, and what became of each, in the order sent."""

    accepted: int
    refused: int
    results: list[Result]


class Problem(msgspec.Struct, frozen=True):
    """Why the request was refused as a whole."""

    status_code: int
    detail: str


_NOW = datetime.fromisoformat("2026-11-21T17:00:00+07:00")
_LINES = "".join(
    msgspec.json.encode(event).decode() + "\n" for event in examples(KINDS[0], 2, random.Random(1), _NOW)
)

RESPONSES = {
    200: ResponseSpec(Answer, description="all events are accepted: stored in Kafka or on the intake's disk"),
    207: ResponseSpec(Answer, description="some events are accepted, some refused: see the results"),
    422: ResponseSpec(Answer, description="every event is refused: see the results"),
    400: ResponseSpec(Problem, description="the body is not JSON, not gzip, empty, or a ce- header is wrong"),
    401: ResponseSpec(Problem, description="no token, or one that is wrong, revoked or expired"),
    413: ResponseSpec(Problem, description="the body is too large, as sent or when unpacked"),
    415: ResponseSpec(Problem, description="Content-Type, charset or Content-Encoding is not read"),
    429: ResponseSpec(
        Problem, description="too many events a second for this token, or too many wrong tokens; see Retry-After"
    ),
    503: ResponseSpec(Problem, description="neither Kafka nor the spool can take more; see Retry-After"),
}


@dataclass
class EventsOperation(Operation):
    """The operation with its body, which the handler reads as bytes and Litestar thus does not know."""

    def __post_init__(self) -> None:
        one: dict[str, Any] = {"oneOf": [_inlined(kind.event) for kind in KINDS]}
        many = {"type": "array", "items": one, "minItems": 1}
        self.request_body = RequestBody(
            description="One event, an array or lines of events (CloudEvents 1.0, structured; binary mode: "
            "attributes in ce- headers, the snapshot as application/json). Content-Encoding: gzip is read.",
            required=True,
            content={
                JSON: _media({"oneOf": [one, many]}),
                STRUCTURED: _media(one),
                BATCH: _media(many),
                NDJSON: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING), example=_LINES),
            },
        )
        self.security = [{"intakeToken": []}]


def _media(schema: dict[str, Any]) -> OpenAPIMediaType:
    # A schema is any JSON here: Litestar passes on what it did not make itself.
    return OpenAPIMediaType(schema=schema)  # type: ignore[arg-type]


def _inlined(struct: type) -> dict[str, Any]:
    """Return the JSON Schema of a struct without references, which would lead out of this document."""
    (reference,), components = msgspec.json.schema_components([struct], ref_template="{name}")

    def resolved(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolved(components[node["$ref"]])
            return {key: resolved(value) for key, value in node.items() if key != "default"}
        return [resolved(value) for value in node] if isinstance(node, list) else node

    made: dict[str, Any] = resolved(reference)
    return made
