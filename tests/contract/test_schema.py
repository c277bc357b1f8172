"""The published schemas: what is committed is what the structs make, holds together and judges like the decoder."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from contract import asyncapi, schema
from contract.dossier import DOSSIER
from contract.registry import KINDS

COMMITTED = Path(__file__).parents[2] / "docs" / "schema"


def references(node: Any) -> list[str]:
    """All references of a document."""
    if isinstance(node, list):
        return [found for child in node for found in references(child)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for child in node.values() for found in references(child)]


def test_the_committed_files_are_what_the_structs_make(tmp_path: Path) -> None:
    """Written anew, the same files with the same text; the folder is made where there is none."""
    folder = tmp_path / "new" / "schema"

    schema.main(folder)
    schema.main(folder)

    written = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert written == {path.name: path.read_text("utf-8") for path in COMMITTED.iterdir()}
    assert len(written) == len(KINDS) + 1


@pytest.mark.parametrize("name", [asyncapi.FILE_NAME, *(f"{k.key}.v1.schema.json" for k in KINDS)])
def test_every_reference_leads_somewhere(name: str) -> None:
    """Documents refer to nothing outside of themselves, and to nothing that is not there."""
    document = schema.documents()[name]

    for reference in references(document):
        node: Any = document
        root, *steps = reference.split("/")
        for step in steps:
            node = node[step]

        assert root == "#"
        assert isinstance(node, dict)


def test_each_topic_can_be_sent_to_and_read() -> None:
    """AsyncAPI names every topic once, both ways, with its message keyed by the subject."""
    rv = asyncapi.document()

    assert {channel["address"] for channel in rv["channels"].values()} == {k.topic for k in KINDS}
    acts = [(operation["action"], operation["channel"]["$ref"]) for operation in rv["operations"].values()]
    assert sorted(acts) == sorted((act, f"#/channels/{k.table}") for k in KINDS for act in ("send", "receive"))
    assert [message["name"] for message in rv["components"]["messages"].values()] == [k.type for k in KINDS]


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({}, True),
        ({"version": -1}, False),
        ({"subject": ""}, False),
        ({"extra": 1}, False),
        ({"type": "nhip.payment.v1"}, False),
        ({"data": {"unit": "H19.01", "channel": "online", "status": "done"}}, False),
    ],
)
def test_the_schema_judges_as_the_decoder_does(change: dict[str, Any], right: bool) -> None:
    """A validator of another make accepts and refuses the same events."""
    event = {
        "specversion": "1.0",
        "type": DOSSIER.type,
        "source": "test",
        "id": "1",
        "subject": "s",
        "time": "2026-02-01T09:15:03+07:00",
        "version": 1,
        "data": {"unit": "H19.01", "channel": "online", "status": "processing"},
        **change,
    }

    rv = Draft202012Validator(schema.documents()["dossier.v1.schema.json"]).is_valid(event)

    assert rv is right
    if right:
        msgspec.json.decode(json.dumps(event), type=DOSSIER.event)
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(json.dumps(event), type=DOSSIER.event)
