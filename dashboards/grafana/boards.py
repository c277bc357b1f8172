"""Screens as dashboards, in both languages, the same bytes every time."""

# ruff: noqa: FBT003
# The SDK's builders take their switches by position.

import hashlib
import json
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from dashboards.grafana.names import LANGS, REFRESH_S, TIMEZONE, UNIT_VARIABLE, Lang, dashboard_uid
from dashboards.grafana.panels import panels
from dashboards.grafana.place import Office, Place
from dashboards.grafana.sql_parts import said
from dashboards.grafana.words import G
from dashboards.screens import SCREENS, UNIT_SCREEN, Screen

__all__ = ["SUM_TAG", "boards", "encode"]

SUM_TAG: Final = "sum:"
"""Tag with the digest of a dashboard as it was rendered: by it a push sees that nothing changed, whatever
Grafana adds to a dashboard that it stores."""
_HISTORY: Final = "now-24h"


def boards(office: Office) -> list[dict[str, Any]]:
    """Return every dashboard as classic JSON, ordered by uid."""
    made = [
        _board(screen, Place(office, lang), units=screen is UNIT_SCREEN)
        for lang in LANGS
        for screen in (*SCREENS, UNIT_SCREEN)
    ]
    return sorted(made, key=lambda board: str(board["uid"]))


def encode(value: object) -> str:
    """Return JSON as it is kept in files: sorted, indented, with readable letters."""
    return json.dumps(value, cls=JSONEncoder, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def _board(screen: Screen, place: Place, *, units: bool) -> dict[str, Any]:
    lang = place.lang
    other: Lang = "en" if lang == "vi" else "vi"
    made = (
        build.Dashboard(said(screen.names, lang))
        .uid(dashboard_uid(screen.key, lang))
        .refresh(f"{REFRESH_S}s")
        .time(_HISTORY, "now")
        .timezone(TIMEZONE)
        .week_start("monday")
        .readonly()
        .link(
            build.DashboardLink(said(G["other"], lang))
            .type(model.DashboardLinkType.LINK)
            .url(f"/d/{dashboard_uid(screen.key, other)}")
            .include_vars(True)
            .keep_time(True)
        )
    )
    if units:
        made = made.with_variable(_units(place))
    for number, panel in enumerate(screen.panels):
        for found in panels(number, panel, place):
            made = made.with_panel(found)
    tags = ["nhip", f"lang:{lang}"]
    found_json: dict[str, Any] = json.loads(encode(made.tags(tags).build()))
    digest = hashlib.blake2b(encode(found_json).encode(), digest_size=8).hexdigest()
    found_json["tags"] = [*tags, SUM_TAG + digest]
    return found_json


def _units(place: Place) -> build.CustomVariable:
    """Return the list of units to choose from, by name; the address takes the code: ``?var-unit=25195``."""
    names = {code: name for code, name in place.names().items() if code != place.office.province}
    choices = names or dict(place.names())
    options = [
        model.VariableOption(selected=n == 0, text=name, value=code) for n, (code, name) in enumerate(choices.items())
    ]
    text = ", ".join(f"{_escaped(name)} : {_escaped(code)}" for code, name in choices.items())
    return (
        build.CustomVariable(UNIT_VARIABLE)
        .label(said(G["unit"], place.lang))
        .values(text)
        .options(options)
        .current(options[0])
        .multi(False)
        .include_all(False)
        .allow_custom_value(True)
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,")
