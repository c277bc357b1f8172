"""AsyncAPI 3.0 of the topics: what may be sent to and read from Kafka, made from the registry."""

from typing import Any

import msgspec

from contract.fields import MAX_EVENT_BYTES
from contract.kind import Kind
from contract.registry import KINDS

__all__ = ["FILE_NAME", "document"]

FILE_NAME = "asyncapi.json"
_VERSION = "1"


def document() -> dict[str, Any]:
    """Return the document; it refers to nothing outside of itself."""
    _, schemas = msgspec.json.schema_components([k.event for k in KINDS], ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "nhip: snapshots of dossiers, payments and other entities of public services",
            "version": _VERSION,
            "description": "One record is one snapshot, a CloudEvents 1.0 object in structured JSON. Its key is the "
            f"subject, in UTF-8; its value has at most {MAX_EVENT_BYTES} bytes. The larger version wins.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {k.table: _channel(k) for k in KINDS},
        "operations": {f"{act}_{k.table}": _operation(k, act) for k in KINDS for act in ("send", "receive")},
        "components": {"messages": {k.key: _message(k) for k in KINDS}, "schemas": schemas},
    }


def _channel(kind: Kind) -> dict[str, Any]:
    return {
        "address": kind.topic,
        "title": f"{kind.name_en} · {kind.name_vi}",
        "messages": {kind.key: {"$ref": f"#/components/messages/{kind.key}"}},
        "bindings": {"kafka": {"topic": kind.topic, "bindingVersion": "0.5.0"}},
    }


def _operation(kind: Kind, act: str) -> dict[str, Any]:
    return {
        "action": act,
        "channel": {"$ref": f"#/channels/{kind.table}"},
        "messages": [{"$ref": f"#/channels/{kind.table}/messages/{kind.key}"}],
    }


def _message(kind: Kind) -> dict[str, Any]:
    return {
        "name": kind.type,
        "title": f"{kind.name_en}: one snapshot",
        "payload": {"$ref": f"#/components/schemas/{kind.event.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "the subject; partitioned by murmur2", "maxLength": 64},
                "bindingVersion": "0.5.0",
            }
        },
    }
