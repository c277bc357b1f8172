"""Bringing everything to a Grafana. What is there already is left alone: a second push writes nothing."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from dashboards.grafana.adapter import Grafana, path
from dashboards.grafana.boards import SUM_TAG
from dashboards.grafana.errors import GrafanaError, GrafanaRefusedError, NotFoundError
from dashboards.grafana.names import DATASOURCE, FOLDER, FOLDER_TITLE

__all__ = ["Outcome", "push"]

# Without it Grafana marks what it gets as provisioned, and nobody can mend it in the browser.
_EDITABLE: Final = {"X-Disable-Provenance": "true"}
_PLAYLIST_GROUP: Final = "playlist.grafana.app"
_PLAYLIST_VERSIONS: Final = ("v1", "v0alpha1")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Outcome(NamedTuple):
    """What was done with one object."""

    what: str
    done: Literal["created", "updated", "unchanged"]


def push(grafana: Grafana, files: Mapping[str, str]) -> list[Outcome]:
    """Create or update folder, dashboards, alert rules and playlists; ``files`` as ``render.files`` gives them.

    Checks version and data source before the first write. Raises GrafanaError; what was written before stays,
    and the next push goes on from there.
    """
    grafana.version()
    _require_source(grafana)
    found = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    outcomes = [_folder(grafana)]
    outcomes += [_dashboard(grafana, body) for name, body in found.items() if name.startswith("dashboards/")]
    outcomes += [_rules(grafana, body) for name, body in found.items() if name.startswith("alerts/")]
    specs = {name.split("/")[1].removesuffix(".json"): body for name, body in found.items() if "playlists/" in name}
    return outcomes + _playlists(grafana, specs)


def _require_source(grafana: Grafana) -> None:
    try:
        grafana.get(f"/datasources{path('uid', DATASOURCE)}")
    except NotFoundError:
        raise GrafanaError(
            f"{grafana.url} has no data source with uid {DATASOURCE}: provision it with the file "
            "provisioning/datasources/nhip.yaml, or create it by hand with this uid, then push again"
        ) from None
    except GrafanaRefusedError as error:
        if error.status == 401:  # noqa: PLR2004 - unauthorized; 403 is an editor, who may push without seeing it
            raise


def _folder(grafana: Grafana) -> Outcome:
    name = f"folder {FOLDER}"
    there = grafana.find(path("folders", FOLDER))
    if there is None:
        grafana.post("/folders", {"uid": FOLDER, "title": FOLDER_TITLE})
        return Outcome(name, "created")
    if there.get("title") == FOLDER_TITLE:
        return Outcome(name, "unchanged")
    grafana.put(path("folders", FOLDER), {"title": FOLDER_TITLE, "version": there.get("version")})
    return Outcome(name, "updated")


def _dashboard(grafana: Grafana, wanted: dict[str, Any]) -> Outcome:
    uid = str(wanted["uid"])
    name = f"dashboard {uid}"
    there = grafana.find(path("dashboards", "uid", uid))
    body = {**wanted, "id": None}
    if there is not None:
        meta, stored = there.get("meta") or {}, there.get("dashboard") or {}
        if meta.get("folderUid") == FOLDER and _essence(stored) == _essence(wanted):
            return Outcome(name, "unchanged")
        if meta.get("provisioned"):
            raise GrafanaError(
                f"{name} comes from a file on the server and differs: replace that file "
                f"({meta.get('provisionedExternalId') or 'see its provisioning folder'}), do not push"
            )
        # Not overwrite: whoever saved after our look gets 412, and so is not overwritten unseen.
        body["version"] = stored.get("version")
    grafana.post(
        "/dashboards/db",
        {"dashboard": body, "folderUid": FOLDER, "overwrite": False, "message": "nhip dashboards push"},
    )
    return Outcome(name, "created" if there is None else "updated")


def _essence(board: Mapping[str, Any]) -> object:
    """Return what must agree: the digest says what was rendered, titles and SQL what somebody changed since."""
    panels = [
        (panel.get("id"), panel.get("title"), [target.get("rawSql") for target in panel.get("targets") or []])
        for panel in board.get("panels") or []
    ]
    return board.get("title"), [tag for tag in board.get("tags") or [] if tag.startswith(SUM_TAG)], panels


def _rules(grafana: Grafana, wanted: dict[str, Any]) -> Outcome:
    where = path("v1", "provisioning", "folder", FOLDER, "rule-groups", str(wanted["title"]))
    name = f"alert rules {wanted['title']}"
    there = grafana.find(where)
    if there is not None and _rules_essence(there) == _rules_essence(wanted):
        return Outcome(name, "unchanged")
    grafana.put(where, wanted, _EDITABLE)
    return Outcome(name, "created" if there is None else "updated")


def _rules_essence(group: Mapping[str, Any]) -> object:
    """Return what must agree: all that we set; Grafana adds ids and times, and writes durations its own way."""
    rules = sorted(
        (
            str(rule.get("uid")),
            rule.get("title"),
            rule.get("condition"),
            _seconds(rule.get("for")),
            rule.get("noDataState"),
            rule.get("execErrState"),
            sorted((rule.get("labels") or {}).items()),
            sorted((rule.get("annotations") or {}).items()),
            [_query_essence(query) for query in rule.get("data") or []],
        )
        for rule in group.get("rules") or []
    )
    return _seconds(group.get("interval")), rules


def _query_essence(query: Mapping[str, Any]) -> object:
    model = query.get("model") or {}
    kept = {key: model.get(key) for key in ("rawSql", "format", "expression", "reducer", "type")}
    limits = [condition.get("evaluator") for condition in model.get("conditions") or []]
    return query.get("refId"), query.get("datasourceUid"), json.dumps([kept, limits], sort_keys=True)


def _seconds(value: object) -> object:
    """Read 120, "120s", "2m" and "2m0s" as the same."""
    if not isinstance(value, str):
        return value
    total, digits = 0, ""
    for sign in value:
        if sign.isdigit():
            digits += sign
        elif sign in _UNITS and digits:
            total, digits = total + int(digits) * _UNITS[sign], ""
        else:
            return value
    return total + int(digits or 0)


def _playlists(grafana: Grafana, specs: Mapping[str, dict[str, Any]]) -> list[Outcome]:
    group = grafana.get(grafana.group_path(_PLAYLIST_GROUP))
    offered = {found.get("version") for found in (group or {}).get("versions") or []}
    version = next((wanted for wanted in _PLAYLIST_VERSIONS if wanted in offered), None)
    if version is None:
        raise GrafanaError(f"{grafana.url} offers playlists as {sorted(map(str, offered))}: none is known here")
    organisation = int((grafana.get("/org") or {}).get("id") or 1)
    namespace = "default" if organisation == 1 else f"org-{organisation}"
    base = (_PLAYLIST_GROUP, version, "namespaces", namespace, "playlists")
    return [_playlist(grafana, base, version, name, spec) for name, spec in specs.items()]


def _playlist(grafana: Grafana, base: tuple[str, ...], version: str, name: str, spec: dict[str, Any]) -> Outcome:
    what = f"playlist {name}"
    there = grafana.find(grafana.group_path(*base, name))
    if there is not None and {key: (there.get("spec") or {}).get(key) for key in spec} == spec:
        return Outcome(what, "unchanged")
    body: dict[str, Any] = {
        "apiVersion": f"{_PLAYLIST_GROUP}/{version}",
        "kind": "Playlist",
        "metadata": {"name": name},
        "spec": spec,
    }
    if there is None:
        grafana.post(grafana.group_path(*base), body)
        return Outcome(what, "created")
    # With the version that was seen: a change meanwhile gives 409.
    body["metadata"]["resourceVersion"] = (there.get("metadata") or {}).get("resourceVersion")
    grafana.put(grafana.group_path(*base, name), body)
    return Outcome(what, "updated")
