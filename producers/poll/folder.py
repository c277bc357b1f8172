"""A folder of files as a source: each file is read when it is new or has changed, and whole."""

import time
from collections.abc import Callable, Collection, Iterator
from collections.abc import Mapping as Remembered
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from producers.files import ReplayError, read_rows
from producers.mapping_tables import Mapping
from producers.poll.errors import SourceAnswerError, SourceUnreachableError
from producers.poll.page import Page, check_columns
from producers.poll.tables import FolderTable
from producers.refusal import Refusal

__all__ = ["FolderSource"]


class _File(NamedTuple):
    path: Path
    size: int
    changed_ns: int

    @property
    def sign(self) -> str:
        """What differs when the file does."""
        return f"{self.size}/{self.changed_ns}"


class FolderSource:
    """Reads the files of a folder, the one changed last at the end, so that its rows win.

    ``folder``: where a relative path begins; ``clock`` gives seconds since 1970, ``sleep`` waits seconds.
    """

    incremental = True

    def __init__(
        self,
        table: FolderTable,
        folder: Path,
        mapping: Mapping,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = table
        self._path = folder / table.path
        self.name = str(self._path / table.pattern)
        self._mapping = mapping
        self._wanted = mapping.columns()
        self._clock = clock
        self._sleep = sleep

    def pages(self, memo: Remembered[str, str], *, full: bool, began: datetime) -> Iterator[Page]:  # noqa: ARG002
        """Yield the rows of files that changed; see Source."""
        for file in self._settled():
            key = file.path.name
            kept = {key: file.sign}
            if not full and memo.get(key) == file.sign:
                yield Page((), None, kept)
                continue
            yield from self._read(file.path)
            after = _looked_at(file.path)
            # A file that was written on while it was read is read again; what it said so far counts till then.
            yield Page((), None, kept if after == file else {})

    def close(self) -> None:
        """Nothing is held open."""

    def _settled(self) -> list[_File]:
        """Return the files that nobody is writing, oldest first."""
        files = self._files()
        settled_ns = (self._clock() - self._table.settle_s) * 1e9
        if any(f.changed_ns > settled_ns for f in files):
            self._sleep(self._table.settle_s)
            files = [f for f in files if _looked_at(f.path) == f]
        return sorted(files, key=lambda f: (f.changed_ns, f.path.name))

    def _files(self) -> list[_File]:
        if not self._path.is_dir():
            raise SourceUnreachableError(f"{self._path}: is no folder, or cannot be seen: check folder.path")
        try:
            found = [_looked_at(p) for p in self._path.glob(self._table.pattern) if p.is_file()]
        except OSError as error:
            raise SourceUnreachableError(f"{self._path}: cannot be read: {error.strerror or error}") from error
        return [f for f in found if f is not None]

    def _read(self, path: Path) -> Iterator[Page]:
        columns: dict[str, None] = {}
        as_csv = False

        def check(present: Collection[str]) -> None:
            nonlocal as_csv
            as_csv = True
            check_columns(str(path), self._wanted, present, self._mapping.name, "mend the file or adapt the mapping")
            columns.update(dict.fromkeys(present))

        rows = read_rows(path, check, self._mapping.encoding, self._mapping.delimiter)
        try:
            while batch := list(islice(rows, self._table.batch_rows)):
                if not as_csv:
                    columns.update(dict.fromkeys(c for row in batch if not isinstance(row, Refusal) for c in row[1]))
                yield Page(batch, columns or None, {})
        except ReplayError as error:
            hint = ", or set the mapping's encoding, often to windows-1258" if "is not UTF-8" in str(error) else ""
            raise SourceAnswerError(f"{error}{hint}; nothing of the folder counts until it is mended") from None
        if not as_csv:  # JSON lines: a row may leave out what is empty, a file may not
            check(columns)


def _looked_at(path: Path) -> _File | None:
    try:
        found = path.stat()
    except OSError:
        return None  # it was there a moment ago: moved or deleted
    return _File(path, found.st_size, found.st_mtime_ns)
