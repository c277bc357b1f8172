"""The tables of a poll configuration as typed values; their descriptions are the reference in docs/poll.md."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

__all__ = [
    "TABLES",
    "Basic",
    "Bearer",
    "Cursor",
    "FolderTable",
    "NextLink",
    "OffsetPaging",
    "PageNumber",
    "PollConfig",
    "RestTable",
    "SqlTable",
    "WatermarkTable",
    "WatermarkValue",
]

WatermarkValue = int | float | str | datetime | date
"""What a column that grows can hold."""

Text = Annotated[str, Meta(min_length=1)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the tables: an unknown key is a slip of the pen, never ignored."""


class WatermarkTable(_Table, frozen=True, kw_only=True):
    """``[sql.watermark]``: which rows are new since the last round."""

    column: Annotated[Text, Meta(description="column of the result that grows when a row changes")]
    start: Annotated[
        Any,  # msgspec cannot tell text from times in a union; load_config checks it
        Meta(description="a value before every row, of the column's own type; a full comparison begins there"),
    ]
    overlap_s: Annotated[
        int,
        Meta(ge=0, le=86_400, description="so far before the newest value a round begins: for rows committed late"),
    ] = 60
    unit: Annotated[
        Literal["s", "ms", "us"] | None,
        Meta(description="of a number since 1970; left out, a number is a serial one and has no overlap"),
    ] = None


class SqlTable(_Table, frozen=True, kw_only=True):
    """``[sql]``: a table or view that SQLAlchemy reaches."""

    url: Annotated[Text, Meta(description="SQLAlchemy URL, without password: `postgresql+psycopg://nhip@db/onestop`")]
    query: Annotated[
        Text,
        Meta(description="one SELECT, one row an entity; with a watermark it compares with `>= :watermark`"),
    ]
    password_env: Annotated[Text | None, Meta(description="environment variable that holds the password")] = None
    password_file: Annotated[Text | None, Meta(description="file that holds the password")] = None
    batch_rows: Annotated[
        int, Meta(ge=1, le=50_000, description="rows held in memory at a time; bounds memory, not the table")
    ] = 5000
    watermark: WatermarkTable | None = None


class PageNumber(_Table, frozen=True, kw_only=True, tag_field="style", tag="page"):
    """``[rest.paging]`` with ``style = "page"``: pages are numbered; the first empty one ends the list."""

    parameter: Annotated[Text, Meta(description="query parameter with the number of the page")] = "page"
    first: Annotated[int, Meta(ge=0, le=1, description="number of the first page")] = 1


class OffsetPaging(_Table, frozen=True, kw_only=True, tag_field="style", tag="offset"):
    """``[rest.paging]`` with ``style = "offset"``: a page begins after so many rows; the first empty one ends."""

    parameter: Annotated[Text, Meta(description="query parameter with the rows to pass over")] = "offset"


class NextLink(_Table, frozen=True, kw_only=True, tag_field="style", tag="link"):
    """``[rest.paging]`` with ``style = "link"``: each page names the address of the next."""

    next: Annotated[
        Text | None,
        Meta(description="path of the next address in the JSON, `links.next`; left out: the header `Link`"),
    ] = None


class Cursor(_Table, frozen=True, kw_only=True, tag_field="style", tag="cursor"):
    """``[rest.paging]`` with ``style = "cursor"``: each page gives a token for the next."""

    next: Annotated[Text, Meta(description="path of the token in the JSON, `meta.cursor`; none or empty ends")]
    parameter: Annotated[Text, Meta(description="query parameter that takes the token")] = "cursor"


class Bearer(_Table, frozen=True, kw_only=True, tag_field="kind", tag="bearer"):
    """``[rest.auth]`` with ``kind = "bearer"``."""

    token_env: Annotated[Text | None, Meta(description="environment variable that holds the token")] = None
    token_file: Annotated[Text | None, Meta(description="file that holds the token")] = None


class Basic(_Table, frozen=True, kw_only=True, tag_field="kind", tag="basic"):
    """``[rest.auth]`` with ``kind = "basic"``."""

    user: Annotated[Text, Meta(description="name of the account")]
    password_env: Annotated[Text | None, Meta(description="environment variable that holds the password")] = None
    password_file: Annotated[Text | None, Meta(description="file that holds the password")] = None


class RestTable(_Table, frozen=True, kw_only=True):
    """``[rest]``: a list in JSON over HTTP."""

    url: Annotated[
        str,
        Meta(
            pattern="^https?://[^/@]+(/.*)?$",
            description="address of the first page, with fixed parameters such as the size of a page",
        ),
    ]
    list: Annotated[str, Meta(description="path of the list in the JSON, `data.items`; empty: the whole is it")] = ""
    optional: Annotated[
        tuple[Text, ...],
        Meta(description="columns that a whole page may lack because the source leaves out what is empty"),
    ] = ()
    timeout_s: Annotated[float, Meta(gt=0, le=600, description="longest wait for the next bytes of an answer")] = 30.0
    attempts: Annotated[
        int, Meta(ge=1, le=10, description="how often a page is asked for after 429, 5xx or a broken connection")
    ] = 5
    max_response_bytes: Annotated[int, Meta(ge=1024, le=1_073_741_824, description="largest page that is read")] = (
        33_554_432
    )
    max_pages: Annotated[int, Meta(ge=1, le=1_000_000, description="most pages of one round")] = 10_000
    auth: Bearer | Basic | None = None
    paging: PageNumber | OffsetPaging | NextLink | Cursor | None = None


class FolderTable(_Table, frozen=True, kw_only=True):
    """``[folder]``: files that somebody or something puts there."""

    path: Annotated[Text, Meta(description="the folder")]
    pattern: Annotated[Text, Meta(description="which of its files, as a shell writes it")] = "*.csv"
    settle_s: Annotated[
        float, Meta(ge=0, le=600, description="a file changed less than so long ago is watched before it is read")
    ] = 2.0
    batch_rows: Annotated[int, Meta(ge=1, le=50_000, description="rows held in memory at a time")] = 5000


class PollConfig(_Table, frozen=True, kw_only=True):
    """The top of the file: exactly one of the tables ``[sql]``, ``[rest]`` and ``[folder]`` follows."""

    name: str
    mapping: Annotated[Text, Meta(description="name of a shipped mapping, or path of a `.toml` file")]
    state: Annotated[
        Text | None,
        Meta(description="file that remembers what was sent; default: the configuration's name with `.state`"),
    ] = None
    interval_s: Annotated[float, Meta(ge=1, le=86_400, description="from the start of a round to the next")] = 60.0
    full_comparison_s: Annotated[
        float, Meta(ge=1, le=2_678_400, description="how often everything is compared, whatever the watermark says")
    ] = 86_400.0
    vanished: Annotated[
        Literal["ignore", "void"],
        Meta(description="rows that a full comparison no longer finds: `ignore` (count them) or `void` (dossiers)"),
    ] = "ignore"
    max_void_share: Annotated[
        float,
        Meta(gt=0, le=1, description="if a larger share has vanished at once nothing is voided and the round fails"),
    ] = 0.2
    sql: SqlTable | None = None
    rest: RestTable | None = None
    folder: FolderTable | None = None


TABLES: dict[str, type[msgspec.Struct]] = {
    "top level": PollConfig,
    "[sql]": SqlTable,
    "[sql.watermark]": WatermarkTable,
    "[rest]": RestTable,
    '[rest.paging] style = "page"': PageNumber,
    '[rest.paging] style = "offset"': OffsetPaging,
    '[rest.paging] style = "link"': NextLink,
    '[rest.paging] style = "cursor"': Cursor,
    '[rest.auth] kind = "bearer"': Bearer,
    '[rest.auth] kind = "basic"': Basic,
    "[folder]": FolderTable,
}
"""Every table by its heading in docs/poll.md."""
