"""The part of requirements.lock that an installation needs: development's packages stay out."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

__all__ = ["LockError", "Locked", "needed", "read_lock", "selected"]

_HEAD = re.compile(r"([A-Za-z0-9._-]+)==(\S+)(?: ; ([^\\]+?))? \\")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")

Requires = Callable[[str], Sequence[str]]
"""What an installed distribution says that it requires, as in its metadata."""


class LockError(Exception):
    """The lock does not hold what is needed, or cannot be read; the text says which and what to do."""


class Locked(NamedTuple):
    """One package of the lock: its name, version, marker, the SHA-256 of each of its files, and its own lines."""

    name: NormalizedName
    version: str
    marker: str | None
    hashes: tuple[str, ...]
    lines: str

    @property
    def here(self) -> bool:
        """Whether it is for this interpreter and machine."""
        return self.marker is None or Marker(self.marker).evaluate()


def read_lock(text: str) -> tuple[Locked, ...]:
    """Return all packages of a lock. Raises LockError for a line without digest, or one that names no version."""
    found = []
    for block in re.split(r"\n(?=\S)", text.strip()):
        head = _HEAD.match(block)
        hashes = tuple(_HASH.findall(block))
        if head is None or not hashes:
            raise LockError(
                f"requirements.lock: {block.splitlines()[0]!r} has no version or no digest: run `make lock`"
            )
        found.append(Locked(canonicalize_name(head[1]), head[2], head[3], hashes, block + "\n"))
    return tuple(found)


def needed(root: str, requires: Requires) -> frozenset[NormalizedName]:
    """Return the packages that a requirement such as ``nhip[local]`` leads to here, itself included."""
    seen: set[tuple[NormalizedName, str]] = set()
    waiting = [Requirement(root)]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            asked = (Requirement(text) for text in requires(name))
            waiting += [r for r in asked if r.marker is None or r.marker.evaluate({"extra": extra})]
    return frozenset(name for name, _ in seen)


def selected(lock: Iterable[Locked], names: frozenset[NormalizedName], own: str) -> tuple[Locked, ...]:
    """Return the locked packages of these names that are for this machine. Raises LockError when one is missing."""
    found = tuple(entry for entry in lock if entry.name in names and entry.here)
    if missing := names - {entry.name for entry in found} - {canonicalize_name(own)}:
        raise LockError(f"requirements.lock lacks {', '.join(sorted(missing))}: run `make lock`, then `make setup`")
    return found
