"""What every handler of the read API checks of a question, and says of its answers in OpenAPI."""

from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter, SkipValidation

from contract.words import Text
from dashboards.access import Viewer
from dashboards.answers import Refusal
from dashboards.pictures import UNIT
from dashboards.services import Services

__all__ = ["HttpRequest", "Shared", "Unit", "rows_of", "seen_unit", "units_below"]

HttpRequest = Request[Any, Any, Any]
Shared = NamedDependency[SkipValidation[Services]]
Unit = Annotated[list[str] | None, QueryParameter(name="unit", description="code of a unit; may be repeated")]


def rows_of(kind: type[msgspec.Struct], words: str) -> dict[int, ResponseSpec]:
    """Return the answers of a handler that gives rows."""
    return {
        200: ResponseSpec(list[kind], description=f"{words}; CSV with ?format=csv or Accept: text/csv"),  # type: ignore[valid-type]
        304: ResponseSpec(None, description="unchanged since the ETag in If-None-Match"),
        403: ResponseSpec(dict[str, Any], description="a unit that the token may not see"),
        404: ResponseSpec(dict[str, Any], description="an unknown unit, indicator or window"),
        503: ResponseSpec(dict[str, Any], description="the store is down; see Retry-After"),
    }


def seen_unit(services: Services, viewer: Viewer, code: str) -> None:
    """Refuse a unit that the viewer may not see (403), or that there is not (404)."""
    if not services.access.allows(viewer, code):
        raise Refusal(
            403, Text(f"mã truy cập này không xem được đơn vị {code}", f"this token may not see unit {code}")
        )
    if not services.pictures.known(UNIT, code):
        raise Refusal(
            404, Text(f"không có đơn vị {code!r}; xem /api/units", f"unknown unit {code!r}; see /api/units")
        )


def units_below(services: Services, viewer: Viewer, units: list[str] | None) -> frozenset[str]:
    """Return these units and all below them; none for no question. Raises as :func:`seen_unit`."""
    for code in units or ():
        seen_unit(services, viewer, code)
    return frozenset(below for code in units or () for below in services.place.below(code))
