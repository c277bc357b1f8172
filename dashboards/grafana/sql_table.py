"""The frame of every table: its rows, then one row that says how old they are."""

from collections.abc import Sequence

from dashboards.grafana.names import Lang
from dashboards.grafana.sql_parts import prelude
from dashboards.screens import Panel

__all__ = ["table"]


def table(panel: Panel, lang: Lang, columns: Sequence[str], body: str, blanks: Sequence[str]) -> str:
    """Return the statement of a table.

    ``body`` selects ``nr``, which orders the rows, and then the columns; ``blanks`` are the columns' values in
    the last row, one of them ``age``. When the figures are older than the panel's limit, only that row is left.
    """
    last = ", ".join(f"{value} AS {name}" for value, name in zip(blanks, columns, strict=True))
    return f"""{prelude(lang, panel.limit_s)}SELECT {", ".join(columns)} FROM
(
SELECT * FROM
(
{body}
)
WHERE NOT stale
UNION ALL
SELECT toInt64(9223372036854775807) AS nr, {last}
)
ORDER BY nr"""  # noqa: S608 - see the callers
