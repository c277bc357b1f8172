"""What a back-up says of itself, and every way in which its files can belie it; no engine is needed."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sinks.backup.errors import BackupDamagedError
from sinks.backup.manifest import FORMAT, MANIFEST, SUMS, Manifest, TableFile, read_manifest, verify

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def make(folder: Path, *, said: int = 3) -> Manifest:
    """Write a back-up of one table of three rows, of which the manifest says that there are so many."""
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table({"id": ["a", "b", "c"]}), folder / "dossiers.parquet")
    manifest = Manifest(
        format=FORMAT,
        program="0.0.0",
        began_at=NOW,
        ended_at=NOW,
        migrations=[],
        fingerprint="",
        positions={"nhip.dossiers": {0: 2}},
        tables=[TableFile("dossiers", "dossiers.parquet", said, {"id": "String"})],
    )
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    sign(folder)
    return manifest


def sign(folder: Path) -> None:
    """Write the digests of what is there."""
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in folder.iterdir() if p.name != SUMS]
    (folder / SUMS).write_text("".join(lines))


def ignored(*_: int) -> None:
    """Show nothing."""


def test_a_sound_backup_is_what_it_says(tmp_path: Path) -> None:
    """It is read as it was written, and every byte is looked at."""
    made, shown = make(tmp_path / "b"), list[tuple[int, int]]()

    rv = read_manifest(tmp_path / "b")
    verify(tmp_path / "b", rv, lambda *bytes_read: shown.append(bytes_read))

    assert rv == made
    assert rv.rows == 3
    total = sum(p.stat().st_size for p in (tmp_path / "b").iterdir() if p.name != SUMS)
    assert shown[-1] == (total, total)


def lost_line(folder: Path) -> None:
    """A table without a digest."""
    lines = (folder / SUMS).read_text().splitlines(keepends=True)
    (folder / SUMS).write_text("".join(line for line in lines if MANIFEST in line))


def torn_line(folder: Path) -> None:
    """A digest that lost a digit."""
    (folder / SUMS).write_text((folder / SUMS).read_text()[1:])


def path_outside(folder: Path) -> None:
    """A line that names a file elsewhere."""
    with (folder / SUMS).open("a") as file:
        file.write(f"{'0' * 64}  ../dossiers.parquet\n")


def no_text(folder: Path) -> None:
    """Digests that are no text."""
    (folder / SUMS).write_bytes(b"\xff\xfe\x00")


def no_table(folder: Path) -> None:
    """A file of another kind under a table's name, with a digest that is right."""
    (folder / "dossiers.parquet").write_text("id\na\nb\nc\n")
    sign(folder)


def no_manifest(folder: Path) -> None:
    """A manifest that says a number, and nothing else that is expected of it."""
    (folder / MANIFEST).write_text('{"format": 1}')


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lost_line, "has no line for dossiers.parquet"),
        (torn_line, "is damaged"),
        (path_outside, "is damaged"),
        (no_text, "is no whole back-up"),
        (no_table, "is incomplete or cannot be read"),
        (no_manifest, "is damaged"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_damaged_is_named(tmp_path: Path, damage: Callable[[Path], None], said: str) -> None:
    """Each fault has its own sentence with the file in it."""
    make(tmp_path / "b")
    damage(tmp_path / "b")

    with pytest.raises(BackupDamagedError, match=f"{tmp_path}.* {said}"):
        verify(tmp_path / "b", read_manifest(tmp_path / "b"), ignored)


def test_a_table_of_another_length_is_refused_though_its_digest_is_right(tmp_path: Path) -> None:
    """Somebody put another back-up's file there, and wrote the digests anew."""
    manifest = make(tmp_path / "b", said=4)

    with pytest.raises(BackupDamagedError, match=r"dossiers\.parquet has 3 rows, the manifest says 4"):
        verify(tmp_path / "b", manifest, ignored)
