"""Words that only the Grafana dashboards need; all others stand in ``contract.words``."""

from typing import Final

from contract.words import Text

__all__ = ["GLYPHS", "G"]

GLYPHS: Final = {"ok": "●", "watch": "▲", "bad": "■", "none": "○"}
"""Stands before the word of a state, so that colour is never the only sign."""

G: Final[dict[str, Text]] = {
    "rate": Text("Tỷ lệ", "Rate"),
    "cases": Text("Số liệu", "Cases"),
    "state": Text("Trạng thái", "State"),
    "fresh": Text("số liệu {age} trước", "figures {age} old"),
    "stale": Text("dữ liệu cũ {age}", "data {age} old"),
    "never": Text("chưa có số liệu", "no figures yet"),
    "rank": Text("Hạng", "Rank"),
    "name": Text("Tên", "Name"),
    "hour": Text("Giờ", "Hour"),
    "points": Text("điểm so với", "points against"),
    "target": Text("mục tiêu", "target"),
    "source": Text("Nguồn", "Source"),
    "age": Text("Im lặng", "Silent for"),
    "expected": Text("Thường gửi mỗi", "Usually every"),
    "subject": Text("Nội dung", "Subject"),
    "detail": Text("Chi tiết", "Detail"),
    "calm": Text("Không có gì cần chú ý", "Nothing needs attention"),
    "newest": Text("Mới nhất", "Newest"),
    "limit": Text("Số liệu cũ hơn {age} thì không hiển thị.", "Figures older than {age} are not shown."),
    "other": Text("English", "Tiếng Việt"),
    "unit": Text("Đơn vị", "Unit"),
    "wall": Text("Nhịp dịch vụ công · tường", "Pulse of public services · wall"),
    "trend": Text("Diễn biến 24 giờ", "Last 24 hours"),
}
