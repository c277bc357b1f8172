"""Playlists: all screens one after the other, one playlist in each language.

Grafana has no file provisioning for playlists, and a playlist carries no variables: the language is in the uid.
"""

import json
from typing import Any, Final

from grafana_foundation_sdk.builders import playlistv1

from dashboards.grafana.boards import encode
from dashboards.grafana.names import LANGS, Lang, dashboard_uid
from dashboards.grafana.sql_parts import said
from dashboards.grafana.words import G
from dashboards.screens import SCREENS

__all__ = ["INTERVAL", "playlist_name", "playlists"]

INTERVAL: Final = "30s"


def playlist_name(lang: Lang) -> str:
    """Name of the playlist in one language; it stands in its address."""
    return f"nhip-wall-{lang}"


def playlists() -> dict[str, dict[str, Any]]:
    """Return the specification of every playlist by its name."""
    return {playlist_name(lang): _spec(lang) for lang in LANGS}


def _spec(lang: Lang) -> dict[str, Any]:
    # The SDK's Item takes no value; PlaylistItem is the same thing and works, which its types do not know.
    made = playlistv1.Playlist(said(G["wall"], lang)).interval(INTERVAL)
    found: dict[str, Any] = json.loads(encode(made.build()))
    found["items"] = [{"type": "dashboard_by_uid", "value": dashboard_uid(screen.key, lang)} for screen in SCREENS]
    return found
