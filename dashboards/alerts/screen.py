"""The screen of alerts."""

from contract.text import Text
from dashboards.panel import Content, Form, Grid, Panel, ScopeKind, Screen

__all__ = ["ALERTS_SCREEN", "unit_alerts"]


def _panel(key: str, content: Content, names: Text, grid: Grid, rows: int, scope: ScopeKind) -> Panel:
    return Panel(key=key, form=Form.ATTENTION, content=content, names=names, grid=grid, rows=rows, scope=scope)


_FIRING = Text("Đang báo động", "Firing")

ALERTS_SCREEN = Screen(
    "alerts",
    Text("Cảnh báo", "Alerts"),
    (
        _panel("firing", Content.ALERTS, _FIRING, Grid(0, 0, 7, 10), 11, ScopeKind.PROVINCE),
        _panel("pending", Content.PENDING, Text("Chờ xác nhận", "Pending"), Grid(7, 0, 5, 5), 5, ScopeKind.PROVINCE),
        _panel("muted", Content.MUTED, Text("Tạm dừng tin", "Muted"), Grid(7, 5, 5, 5), 5, ScopeKind.PROVINCE),
    ),
)


def unit_alerts(grid: Grid, rows: int) -> Panel:
    """Return the panel of one unit's firing alerts."""
    return _panel("alerts", Content.ALERTS, Text("Cảnh báo", "Alerts"), grid, rows, ScopeKind.UNIT)
