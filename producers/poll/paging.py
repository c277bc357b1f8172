"""How a list over HTTP goes on: which address follows a page. Pure."""

from typing import Any, NamedTuple

import httpx

from producers.poll.listing import token_at
from producers.poll.tables import Cursor, NextLink, OffsetPaging, PageNumber

__all__ = ["Place", "first_place", "next_place"]

Paging = PageNumber | OffsetPaging | NextLink | Cursor | None


class Place(NamedTuple):
    """An address in a list; ``at`` is the number of the page or the rows before it."""

    url: httpx.URL
    at: int


def first_place(paging: Paging, url: httpx.URL) -> Place:
    """Return where a list begins."""
    match paging:
        case PageNumber(parameter=parameter, first=first):
            return Place(url.copy_set_param(parameter, str(first)), first)
        case OffsetPaging(parameter=parameter):
            return Place(url.copy_set_param(parameter, "0"), 0)
        case _:
            return Place(url, 0)


def next_place(
    paging: Paging, first: httpx.URL, place: Place, rows: int, found: Any, link: str | None
) -> Place | None:
    """Return where a list goes on after a page with ``rows`` rows; None at its end.

    Numbered pages end with the first empty one: a page with fewer rows than usual may be a partial one.
    Raises httpx.InvalidURL when the source names no address.
    """
    match paging:
        case PageNumber(parameter=parameter):
            return Place(first.copy_set_param(parameter, str(place.at + 1)), place.at + 1) if rows else None
        case OffsetPaging(parameter=parameter):
            at = place.at + rows
            return Place(first.copy_set_param(parameter, str(at)), at) if rows else None
        case Cursor(next=path, parameter=parameter):
            token = token_at(found, path)
            return Place(first.copy_set_param(parameter, token), place.at + 1) if token else None
        case NextLink(next=path):
            address = link if path is None else token_at(found, path)
            return Place(place.url.join(address), place.at + 1) if address else None
        case _:
            return None
