"""One archive of a folder, the same bytes from the same files: sorted, without owners, with one time for all."""

import gzip
import hashlib
import tarfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["SUMS", "sha256", "write_archive", "write_sums"]

SUMS = "SHA256SUMS"
FAST = 1
"""Compression: wheels and jars are packed already."""

Show = Callable[[int, int], None]


def sha256(path: Path) -> str:
    """Return the digest of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path) -> str:
    """Write SHA256SUMS of all files below a folder, as sha256sum checks it; return its own digest."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    lines = (f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
    (folder / SUMS).write_text("".join(lines), "utf-8")
    return sha256(folder / SUMS)


def write_archive(folder: Path, target: Path, epoch_s: int, show: Show) -> None:
    """Write ``target``, a .tar.gz of a folder under the folder's name; it appears when it is whole.

    ``show`` gets (bytes packed, all bytes). Programs keep their x bit, nothing else of the modes is kept.
    """
    paths = sorted(folder.rglob("*"))
    total = sum(path.stat().st_size for path in paths if path.is_file())
    done = 0

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = epoch_s
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    draft = target.with_name(f"{target.name}.partial")
    with (
        draft.open("wb") as raw,
        gzip.GzipFile("", "wb", FAST, raw, mtime=epoch_s) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        tar.add(folder, folder.name, recursive=False, filter=plain)
        for path in paths:
            tar.add(path, f"{folder.name}/{path.relative_to(folder).as_posix()}", recursive=False, filter=plain)
            done += path.stat().st_size if path.is_file() else 0
            show(done, total)
    draft.replace(target)
