"""Documentation that cannot drift: generated blocks, links, schemas, and the names that readers look for."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer.main

from contract.kind import Kind
from contract.registry import INDICATORS, KINDS
from contract.schema import documents, render
from nhip.cli import app
from nhip.docs import BLOCKS, filled
from nhip.settings import Settings
from sinks.migrate import load

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
READMES = sorted(ROOT.glob("README*.md"))
SCHEMAS = ROOT / "docs" / "schema"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
REMAKE = "run `python -m nhip.docs docs`"


def name(path: Path) -> str:
    """Path as a test's id and message show it."""
    return path.relative_to(ROOT).as_posix()


def read(path: str) -> str:
    """Text of a document."""
    return (ROOT / path).read_text("utf-8")


def prose(path: Path) -> str:
    """Text of a document without its code blocks."""
    return FENCE.sub("", path.read_text("utf-8"))


def anchors(path: Path) -> set[str]:
    """Anchors of a document's headings, as hosting sites make them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands() -> list[str]:
    """All commands as they are typed, without the program's name."""
    root: Any = typer.main.get_command(app)  # typer brings its own click, without public types
    found = []
    for key, command in root.commands.items():
        children: dict[str, Any] = getattr(command, "commands", {"": command})
        found += [f"{key} {child}".strip() for child in children]
    return found


def tables() -> list[str]:
    """All tables: those of the kinds, and what the migrations make."""
    made = (t for m in load() for t in re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", m.sql))
    return [*(kind.table for kind in KINDS), *made]


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_generated_blocks_are_current(path: Path) -> None:
    """Every generated block says what the code says now."""
    text = path.read_text("utf-8")

    rv = filled(text)

    assert rv == text, f"{name(path)} is out of date: {REMAKE}"


def test_every_block_stands_in_a_document() -> None:
    """What can be generated is read somewhere."""
    text = "".join(path.read_text("utf-8") for path in DOCS)

    rv = {block for block in BLOCKS if f"<!-- generated: {block} -->" not in text}

    assert rv == set()


@pytest.mark.parametrize("path", [*DOCS, *READMES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"], ids=name)
def test_relative_links_lead_somewhere(path: Path) -> None:
    """Every relative link names a file that exists, and a heading that it has."""
    links = [link for link in LINK.findall(prose(path)) if not re.match(r"[a-z]+:", link)]

    rv = []
    for link in links:
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            rv.append(link)

    assert rv == []


@pytest.mark.parametrize("field", [f.name for f in msgspec.structs.fields(Settings)])
def test_every_setting_is_documented(field: str) -> None:
    """A setting stands in the operator's document."""
    text = read("docs/operations.md")

    assert f"| `{field}` |" in text, REMAKE


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command: str) -> None:
    """A command stands in the operator's document."""
    text = read("docs/operations.md")

    assert f"| `nhip {command}` |" in text, REMAKE


@pytest.mark.parametrize("table", tables())
def test_every_table_is_documented(table: str) -> None:
    """A table stands in the operator's document."""
    text = read("docs/operations.md")

    assert f"| `{table}` |" in text, REMAKE


@pytest.mark.parametrize("key", list(INDICATORS))
def test_every_indicator_is_documented(key: str) -> None:
    """An indicator stands in the document on indicators."""
    text = read("docs/indicators.md")

    assert f"| `{key}` |" in text, REMAKE


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_every_kind_is_documented(kind: Kind) -> None:
    """A kind's type and topic stand in the document on events."""
    text = read("docs/events.md")

    assert f"`{kind.type}`" in text
    assert f"`{kind.topic}`" in text


def test_schemas_are_current() -> None:
    """The committed JSON Schemas are those of the structs, and there are no others."""
    made = {file: render(document) for file, document in documents().items()}

    rv = {path.name: path.read_text("utf-8") for path in SCHEMAS.iterdir()}

    assert rv == made, "run `python -m contract.schema docs/schema`"


@pytest.mark.parametrize("path", READMES, ids=name)
def test_readmes_name_the_two_commands(path: Path) -> None:
    """Who reads only the first page finds both commands, and the Makefile has them."""
    text = path.read_text("utf-8")
    makefile = read("Makefile")

    for target in ("demo", "test"):
        assert f"make {target}" in text
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
