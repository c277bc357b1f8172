"""What one partition's fold remembers of its entities, so that the store is asked for few of them.

Three kinds of entities ask for three kinds of memory. What changed last is kept as it is. What is *open* will
change again: all of it is kept, packed, since a look-up among ten million rows costs more than the whole fold of an
event. Of everything else a Bloom filter knows whether it exists at all: a new entity need not be looked for.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from struct import Struct

from rbloom import Bloom

from contract.indicators import Reading
from contract.kind import Kind
from contract.marks import Mark
from streams.rows import Marks, Stored

__all__ = ["Memory"]

FALSE_ALARMS = 0.01
"""Share of new entities that are looked for in vain."""
ROOM = 2
"""The filter has room for so many times what is stored when it is made …"""
LEAST_ROOM = 1_000_000
"""… and for so many ids at least: 1.2 MB."""

_NO_MARK, _NOT_GOOD, _GOOD = range(3)


class Memory:
    """Newest known state of entities by id; an answer of None means: ask the store, unless it is surely new."""

    def __init__(self, kind: Kind) -> None:
        self._recent: dict[str, Stored] = {}
        self._open: dict[str, bytes] = {}
        self._ids: Bloom | None = None
        self._all_ids_known = False
        self._names: list[str | None] = [None]
        self._numbers: dict[str | None, int] = {None: 0}
        self._form = Struct("<QQqQII" + "qB" * len(kind.marked))
        # An entity with a mark of a state, such as overdue, is open: its next snapshot withdraws that mark.
        self._states = [n for n, indicator in enumerate(kind.marked) if indicator.reading is not Reading.RATE]

    @property
    def keeps_open(self) -> bool:
        """Whether this kind has open entities at all."""
        return bool(self._states)

    def __len__(self) -> int:
        return len(self._recent) + len(self._open)

    def get(self, subject: str) -> Stored | None:
        """Return what is known of an entity."""
        known = self._recent.get(subject)
        if known is None and (packed := self._open.get(subject)) is not None:
            return self._unpacked(packed)
        return known

    def put(self, subject: str, stored: Stored) -> None:
        """Remember the newest state; an entity that was touched last is forgotten last."""
        if self._recent.pop(subject, None) is None:
            self._open.pop(subject, None)
            if self._ids is not None:
                self._ids.add(subject)
        self._recent[subject] = stored

    def unknown(self, subjects: Iterable[str]) -> list[str]:
        """Return the entities of which this memory holds no state."""
        recent, open_ = self._recent, self._open
        return [subject for subject in subjects if subject not in recent and subject not in open_]

    def to_ask_for(self, subjects: Iterable[str]) -> list[str]:
        """Return the entities that the store may know more of than this memory."""
        unknown = self.unknown(subjects)
        if self._ids is None or not self._all_ids_known:
            return unknown
        ids = self._ids
        return [subject for subject in unknown if subject in ids]

    def evict(self, most: int) -> None:
        """Move what was touched longest ago out of the recent, until at most ``most`` stay; open ones stay known."""
        if (surplus := len(self._recent) - most) > 0:
            for subject in list(islice(self._recent, surplus)):
                stored = self._recent.pop(subject)
                if self.is_open(stored):
                    self._open[subject] = self._packed(stored)

    def is_open(self, stored: Stored) -> bool:
        """Whether the entity will change again."""
        return any(stored.marks[n] is not None for n in self._states)

    # -- filled from the store ------------------------------------------------------------------------

    def learn_open(self, rows: Iterable[tuple[str, Stored]]) -> None:
        """Take over open entities as the store holds them; what was touched meanwhile is known better."""
        for subject, stored in rows:
            if subject not in self._recent:
                self._open[subject] = self._packed(stored)

    def expect_ids(self, count: int) -> None:
        """Make the filter, for so many ids that are stored now; until :meth:`ids_complete` it answers nothing."""
        self._ids = Bloom(max(LEAST_ROOM, ROOM * count), FALSE_ALARMS)
        self._ids.update(self._recent)

    def learn_ids(self, ids: Iterable[str]) -> None:
        """Take over ids that the store holds."""
        if self._ids is not None:
            self._ids.update(ids)

    def ids_complete(self) -> None:
        """From here on an id that the filter does not know is new."""
        self._all_ids_known = True

    # -- 59 bytes instead of 430 for a dossier ---------------------------------------------------------

    def _packed(self, stored: Stored) -> bytes:
        return self._form.pack(
            stored.version,
            stored.content,
            stored.offset,
            stored.epoch,
            self._number(stored.unit),
            self._number(stored.field),
            *self._flat(stored.marks),
        )

    def _flat(self, marks: Marks) -> Iterator[int]:
        for mark in marks:
            yield 0 if mark is None else mark.at_s
            yield _NO_MARK if mark is None else _GOOD if mark.good else _NOT_GOOD

    def _unpacked(self, packed: bytes) -> Stored:
        version, content, offset, epoch, unit, field, *flat = self._form.unpack(packed)
        pairs = zip(flat[::2], flat[1::2], strict=True)
        marks = tuple(None if state == _NO_MARK else Mark(at_s, state == _GOOD) for at_s, state in pairs)
        return Stored(version, content, self._names[unit] or "", self._names[field], marks, offset, epoch)

    def _number(self, name: str | None) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._names)
            self._names.append(name)
        return number
