"""How tables are made: on one server or on replicas; what the schema and this program may disagree on."""

import re
from dataclasses import dataclass

__all__ = ["SchemaError", "SchemaSettings"]

_PLACE = re.compile(r"\{(engine:(?P<engine>\w*MergeTree)|(?P<cluster>on_cluster))\}")
_CLUSTER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_PREFIXES = ("", "Replicated")


class SchemaError(Exception):
    """The database and this program do not fit together; the text says what to do."""


@dataclass(frozen=True, slots=True)
class SchemaSettings:
    """How tables are made: one server (defaults) or replicas (``Replicated`` and the cluster's name).

    Raises ValueError for anything else, since both become part of SQL.
    """

    engine_prefix: str = ""
    cluster: str = ""

    def __post_init__(self) -> None:
        if self.engine_prefix not in _PREFIXES:
            raise ValueError(f"engine_prefix is {self.engine_prefix!r}; it may be empty or Replicated")
        if self.cluster and not _CLUSTER.fullmatch(self.cluster):
            raise ValueError(f"cluster is {self.cluster!r}; a name of letters, digits, _ and - is expected")

    def fill(self, sql: str) -> str:
        """Replace the placeholders ``{on_cluster}`` and ``{engine:…}`` of a statement."""
        cluster = f"ON CLUSTER `{self.cluster}`" if self.cluster else ""
        return _PLACE.sub(lambda m: f"{self.engine_prefix}{m['engine']}" if m["engine"] else cluster, sql)
