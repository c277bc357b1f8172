"""One table of the rules' file while it is checked: takes values out and gathers what is wrong with them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, TypeVar

from streams.toml_lines import Place

__all__ = ["Fault", "Table"]

T = TypeVar("T")


class Fault(NamedTuple):
    """One thing to correct: ``line`` counts from 1, 0 stands for the whole file; ``text`` ends with the remedy."""

    line: int
    text: str


class Table:
    """The values of one ``[defaults]`` or ``[[rule]]``."""

    def __init__(
        self, values: Mapping[str, Any], place: tuple[str, int], lines: Mapping[Place, int], faults: list[Fault]
    ) -> None:
        self._values = values
        self._place = place
        self._lines = lines
        self._faults = faults
        table, number = place
        self._name = f"rule {values.get('id', number + 1)!r}" if table == "rule" else table

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def line(self, key: str = "") -> int:
        """Return the line of a key, or of the table's head."""
        return self._lines.get((*self._place, key)) or self._lines.get(
            (*self._place, ""), self._lines.get(("", 0, self._place[0]), 0)
        )

    def fault(self, key: str, text: str) -> None:
        """Note what is wrong with a key ("": with the table)."""
        self._faults.append(Fault(self.line(key), f"{self._name}: {key + ': ' if key else ''}{text}"))

    def take(self, key: str, read: Callable[[object], T], missing: T) -> T:
        """Return the value of a key; ``missing`` when it is left out, and when it is wrong, which is noted."""
        if key not in self._values:
            return missing
        try:
            return read(self._values[key])
        except ValueError as error:
            self.fault(key, str(error))
            return missing

    def need(self, key: str, read: Callable[[object], T]) -> T | None:
        """Return the value of a key that every such table has; None when it is left out or wrong, which is noted."""
        if key not in self._values:
            self.fault("", f"{key} is missing: add it")
            return None
        return self.take(key, read, None)

    def only(self, known: Collection[str]) -> None:
        """Note the keys that nothing reads."""
        for key in self._values:
            if key not in known:
                self.fault(key, f"the key is unknown: write one of {', '.join(sorted(known))}, or remove it")

    def without(self, keys: Collection[str], reason: str) -> None:
        """Note the keys that have no effect here."""
        for key in keys:
            if key in self._values:
                self.fault(key, f"it has no effect {reason}: remove it")
