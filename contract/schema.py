"""JSON Schema and AsyncAPI of the events, made from the structs: ``python -m contract.schema FOLDER`` writes them."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from contract import asyncapi
from contract.registry import KINDS

__all__ = ["FILE_NAME", "documents", "render"]

FILE_NAME = "{kind}.v1.schema.json"


def documents() -> dict[str, dict[str, Any]]:
    """File name → JSON Schema 2020-12 of each kind's event, and the AsyncAPI document of all topics."""
    made = {asyncapi.FILE_NAME: asyncapi.document()}
    for kind in KINDS:
        (reference,), components = msgspec.json.schema_components([kind.event], ref_template="#/$defs/{name}")
        made[FILE_NAME.format(kind=kind.key)] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"{kind.name_en}: one snapshot as a CloudEvents 1.0 structured JSON object",
            **reference,
            "$defs": components,
        }
    return made


def render(document: dict[str, Any]) -> str:
    """Return the committed form: indented, keys in a fixed order, one newline at the end."""
    return msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=2).decode() + "\n"


def main(folder: Path) -> None:
    """Write all schemas into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents().items():
        (folder / name).write_text(render(document), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
