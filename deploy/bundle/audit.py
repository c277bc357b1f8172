"""The command ``python -m deploy.bundle.audit``: known vulnerabilities of all that an installation consists of.

Without a folder pip-audit asks the index about the packages. It says "none" also when the index has no such answers:
what it could not look up counts as an answer that is missing. With a folder of OSV's own files packages and jars are
looked up offline.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.bundle.advisories import ECOSYSTEMS, Finding, findings
from deploy.bundle.lock import Locked, needed, read_lock, selected
from deploy.bundle.parts import Part, jar_parts
from nhip.console import OUT, say
from nhip.local.jars import locked_jars

__all__ = ["asked_online", "entries", "main"]

ROOT = Path(__file__).resolve().parents[2]
EXIT_FOUND, EXIT_UNREACHABLE = 1, 69
SHOWN = 60
REMEDY = (
    "fetch https://storage.googleapis.com/osv-vulnerabilities/PyPI/all.zip as PyPI.zip and the same of Maven as "
    "Maven.zip on a machine with internet, put them into a folder, and say: make audit OSV=FOLDER"
)


class DatabaseError(Exception):
    """Nobody answered, or not about every package; the text says what to do."""


def main(
    osv: Annotated[
        Path | None, typer.Option(help="Folder with PyPI.zip and Maven.zip of OSV; else ask the index.")
    ] = None,
) -> None:
    """List known vulnerabilities. Exit codes: 0 none, 1 some, 69 the database cannot be asked."""
    names = needed("nhip[local]", lambda name: distribution(name).requires or ())
    lock = selected(read_lock((ROOT / "requirements.lock").read_text("utf-8")), names, "nhip")
    packages = tuple(Part("pypi", None, entry.name, entry.version, None, None) for entry in lock)
    jars = jar_parts(locked_jars())
    try:
        if osv is None:
            found, asked = (
                asked_online(lock, packages),
                f"{len(packages)} packages; the {len(jars)} jars need OSV=FOLDER",
            )
        else:
            found, asked = (
                tuple(findings((*packages, *jars), entries(osv))),
                f"{len(packages)} packages, {len(jars)} jars",
            )
    except DatabaseError as error:
        say(f"audit: {error}")
        sys.exit(EXIT_UNREACHABLE)
    for hit in found:
        fixed = f"fixed in {', '.join(hit.fixed)}" if hit.fixed else "not fixed"
        OUT.print(
            f"{hit.part.name} {hit.part.version}  {' '.join(hit.ids)}  {fixed}  {hit.summary[:SHOWN]}", markup=False
        )
    say(f"audit: {len(found)} known vulnerabilities; asked about {asked}")
    sys.exit(EXIT_FOUND if found else 0)


def asked_online(lock: tuple[Locked, ...], packages: tuple[Part, ...]) -> tuple[Finding, ...]:
    """Let pip-audit ask the index. Raises DatabaseError when it has no answer, also only about some packages."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "requirements.txt"
        file.write_text("".join(entry.lines for entry in lock), "utf-8")
        options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
        command = [sys.executable, "-m", "pip_audit", *options, "--requirement", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    try:
        answers: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise DatabaseError(f"the database cannot be asked ({last[:200]}): {REMEDY}") from None
    known = {part.name: part for part in packages}
    silent = known.keys() - {answer["name"] for answer in answers if "vulns" in answer}
    if silent:
        raise DatabaseError(f"the index knows nothing about {len(silent)} of {len(known)} packages: {REMEDY}")
    return tuple(
        Finding(known[a["name"]], (v["id"], *v["aliases"]), v["description"], tuple(v["fix_versions"]))
        for a in answers
        for v in a["vulns"]
        if a["name"] in known
    )


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield all advisories of OSV's files in a folder. Raises DatabaseError when one is missing or damaged."""
    for ecosystem in ECOSYSTEMS.values():
        file = folder / f"{ecosystem}.zip"
        try:
            with zipfile.ZipFile(file) as archive:
                for name in archive.namelist():
                    yield json.loads(archive.read(name))
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise DatabaseError(f"{file} cannot be read ({error}): {REMEDY}") from error


if __name__ == "__main__":
    typer.run(main)
