"""Somebody who comes to the store by HTTP with a user and a password, as Grafana's plugin or curl do."""

from collections.abc import Mapping
from typing import NamedTuple

import httpx

__all__ = ["Account", "Answer"]


# One for all: to make one loads the certificates of the machine.
_HTTP = httpx.Client(timeout=60, trust_env=False)


class Answer(NamedTuple):
    """What the store said; ``code``: ClickHouse's, 0 when it did what was asked."""

    status: int
    code: int
    text: str


class Account(NamedTuple):
    """An account of a store; ``database`` is where names without one are looked up."""

    url: str
    user: str
    password: str
    database: str = "nhip"

    def ask(self, sql: str, data: bytes = b"", parameters: Mapping[str, str] | None = None) -> Answer:
        """Send one statement; ``parameters`` as they stand in the address."""
        said = _HTTP.post(
            self.url,
            params={"query": sql, "database": self.database, **(parameters or {})},
            content=data,
            headers={"X-ClickHouse-User": self.user, "X-ClickHouse-Key": self.password},
        )
        return Answer(said.status_code, int(said.headers.get("X-ClickHouse-Exception-Code", "0")), said.text)
