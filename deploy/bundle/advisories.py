"""Known vulnerabilities of parts, from an offline copy of the OSV database. Pure: entries and parts come in."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from deploy.bundle.parts import Part

__all__ = ["ECOSYSTEMS", "Finding", "findings"]

ECOSYSTEMS = {"pypi": "PyPI", "maven": "Maven"}
"""Kinds of parts that the database knows, and what it calls them."""

Entry = Mapping[str, Any]
"""One advisory as the OSV schema describes it."""


class Finding(NamedTuple):
    """A part with a known vulnerability. ``ids``: the advisory's, its aliases last; ``fixed``: first good ones."""

    part: Part
    ids: tuple[str, ...]
    summary: str
    fixed: tuple[str, ...]


def findings(parts: Iterable[Part], entries: Iterable[Entry]) -> Iterator[Finding]:
    """Yield what the database knows about these versions. Withdrawn advisories do not count."""
    wanted: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        if ecosystem := ECOSYSTEMS.get(part.kind):
            wanted.setdefault((ecosystem, _name(part)), []).append(part)
    for entry in entries:
        if entry.get("withdrawn"):
            continue
        for affected in entry.get("affected", ()):
            package = affected.get("package", {})
            ecosystem, name = package.get("ecosystem", ""), package.get("name", "")
            key = (ecosystem, canonicalize_name(name) if ecosystem == "PyPI" else name)
            for part in wanted.get(key, ()):
                if _hit(part, affected):
                    ids = (entry["id"], *entry.get("aliases", ()))
                    yield Finding(part, ids, entry.get("summary", ""), tuple(_fixed(affected)))


def _name(part: Part) -> str:
    return part.name if part.group is None else f"{part.group}:{part.name}"


def _hit(part: Part, affected: Entry) -> bool:
    """Whether a version is listed, or inside a range. Versions of Maven have an order of their own: lists decide."""
    if part.version in affected.get("versions", ()):
        return True
    if part.kind != "pypi":
        return False
    try:
        version = Version(part.version)
        return any(_inside(version, r["events"]) for r in affected.get("ranges", ()) if r.get("type") == "ECOSYSTEM")
    except InvalidVersion:
        return False


def _inside(version: Version, events: Iterable[Mapping[str, str]]) -> bool:
    """Walk through the events of a range in the order of their versions; the last one that holds decides."""
    inside = False
    for what, at in sorted(((what, at) for event in events for what, at in event.items()), key=_order):
        bound = Version("0") if at == "0" else Version(at)
        if what == "introduced" and version >= bound:
            inside = True
        elif (what in ("fixed", "limit") and version >= bound) or (what == "last_affected" and version > bound):
            inside = False
    return inside


def _order(event: tuple[str, str]) -> tuple[Version, bool]:
    what, at = event
    return Version(at), what != "introduced"


def _fixed(affected: Entry) -> Iterator[str]:
    for found in affected.get("ranges", ()):
        for event in found.get("events", ()):
            if "fixed" in event:
                yield event["fixed"]
