"""Known vulnerabilities: what the offline database says about a version, and what silence means."""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from deploy.bundle import audit
from deploy.bundle.advisories import findings
from deploy.bundle.lock import read_lock
from deploy.bundle.parts import Part

HASH = f"    --hash=sha256:{'0' * 64}\n"


def package(version: str, name: str = "some-package") -> Part:
    """A package of Python."""
    return Part("pypi", None, name, version, None, None)


def advisory(*events: dict[str, str], versions: tuple[str, ...] = (), **more: object) -> dict[str, Any]:
    """One entry of the database about ``Some_Package``."""
    about = {"ecosystem": "PyPI", "name": "Some_Package"}
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}, {"type": "GIT", "events": [{"introduced": "0"}]}]
    affected = {"package": about, "ranges": ranges, "versions": list(versions)}
    return {"id": "GHSA-1", "aliases": ["CVE-1"], "summary": "bad", "affected": [affected], **more}


@pytest.mark.parametrize(
    ("events", "hit"),
    [
        ([{"introduced": "0"}, {"fixed": "1.10"}], ["1.2", "1.9.9", "1.10rc1"]),
        ([{"introduced": "1.9.9"}], ["1.9.9", "1.10rc1", "1.10", "2.0"]),
        ([{"introduced": "0"}, {"last_affected": "1.9.9"}], ["1.2", "1.9.9"]),
        ([{"introduced": "2.0"}, {"introduced": "0"}, {"fixed": "1.9.9"}], ["1.2", "2.0"]),
        ([{"introduced": "0"}, {"fixed": "1.9.9"}, {"introduced": "1.10"}], ["1.2", "1.10", "2.0"]),
    ],
)
def test_ranges_are_compared_as_versions(events: list[dict[str, str]], hit: list[str]) -> None:
    """1.10 is newer than 1.9.9, a pre-release older than its release; several ranges, in any order."""
    every = ["1.2", "1.9.9", "1.10rc1", "1.10", "2.0"]

    rv = list(findings(map(package, every), [advisory(*events)]))

    assert [found.part.version for found in rv] == hit
    assert all(found.ids == ("GHSA-1", "CVE-1") for found in rv)


def test_a_listed_version_counts_and_a_withdrawn_advisory_does_not() -> None:
    """Names are compared as the index does; other packages and ecosystems are left alone."""
    listed = advisory(versions=("1.2",))
    maven = json.loads(json.dumps(listed).replace("PyPI", "Maven"))

    assert len(list(findings([package("1.2")], [listed]))) == 1
    assert list(findings([package("1.3"), package("1.2", "other")], [listed])) == []
    assert list(findings([package("1.2")], [advisory(versions=("1.2",), withdrawn="2026-01-01T00:00:00Z")])) == []
    assert list(findings([package("1.2")], [maven])) == []


def test_jars_are_found_by_group_and_artifact() -> None:
    """By the versions that the database lists."""
    jar = Part("maven", "org.lz4", "lz4-java", "1.8.0", None, None)
    affected = {"package": {"ecosystem": "Maven", "name": "org.lz4:lz4-java"}, "versions": ["1.7.1", "1.8.0"]}
    fixed = {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.8.1"}]}]}

    (rv,) = findings([jar], [{"id": "CVE-2025-12183", "affected": [affected | fixed]}])

    assert (rv.part, rv.ids, rv.fixed) == (jar, ("CVE-2025-12183",), ("1.8.1",))


def run(capsys: pytest.CaptureFixture[str], osv: Path | None) -> tuple[int, str]:
    """Run the command; return its exit code and what it said."""
    with pytest.raises(SystemExit) as ended:
        audit.main(osv)
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out + said.err


def database(folder: Path, entries: list[dict[str, Any]]) -> Path:
    """Write an offline database."""
    for ecosystem in ("PyPI", "Maven"):
        with zipfile.ZipFile(folder / f"{ecosystem}.zip", "w") as archive:
            for number, entry in enumerate(entries):
                archive.writestr(f"{number}.json", json.dumps(entry))
    return folder


def test_the_command_looks_up_the_lock_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All packages and jars offline: 0 without a finding, 1 with one that names package, advisory and remedy."""
    about = {"ecosystem": "PyPI", "name": "AIOHTTP"}
    events = [{"introduced": "0"}, {"fixed": "9999"}]
    bad = {"id": "GHSA-2", "affected": [{"package": about, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]}

    clean = run(capsys, database(tmp_path, [advisory({"introduced": "0"})]))
    found = run(capsys, database(tmp_path, [bad]))

    assert clean[0] == 0
    assert "0 known vulnerabilities" in clean[1]
    assert found[0] == 1
    assert "aiohttp" in found[1]
    assert "GHSA-2  fixed in 9999" in found[1]


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_database_that_cannot_be_read_is_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    """Exit code 69 and where to get one."""
    if damage == "damaged":
        (tmp_path / "PyPI.zip").write_text("no zip")

    code, said = run(capsys, tmp_path)

    assert code == 69
    assert "make audit OSV=FOLDER" in said.replace("\n", " ")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            '{"dependencies": [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "?"}]}',
            "1 of 2",
        ),
        ('{"dependencies": []}', "2 of 2"),
        ("", "cannot be asked"),
    ],
)
def test_packages_that_the_index_does_not_know_are_no_good_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, says: str
) -> None:
    """pip-audit itself ends with 0 when it could look nothing up; here that is an error."""
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\necho '{answer}'\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    lock = read_lock(f"a==1 \\\n{HASH}b==1 \\\n{HASH}")

    with pytest.raises(audit.DatabaseError, match=says):
        audit.asked_online(lock, (package("1", "a"), package("1", "b")))


def test_what_the_index_knows_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer becomes findings."""
    fault = '{"id": "PYSEC-1", "aliases": ["CVE-2"], "description": "d", "fix_versions": ["2"]}'
    fake = tmp_path / "python"
    fake.write_text(
        f"""#!/bin/sh\necho '{{"dependencies": [{{"name": "a", "version": "1", "vulns": [{fault}]}}]}}'\n"""
    )
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))

    (rv,) = audit.asked_online(read_lock(f"a==1 \\\n{HASH}"), (package("1", "a"),))

    assert (rv.part.name, rv.ids, rv.fixed) == ("a", ("PYSEC-1", "CVE-2"), ("2",))
