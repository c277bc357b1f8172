"""Words on the screens, Vietnamese and English: the one catalogue of what no other room names."""

from contract.text import Text, same
from contract.windows import WINDOW_NAMES_VI

__all__ = ["STATE_WORDS", "WINDOW_WORDS", "WORDS", "Text", "same"]


_WINDOW_NAMES_EN = {
    "15m": "15 minutes",
    "1h": "1 hour",
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
    "today": "today",
    "month": "this month",
    "year": "this year",
    "all": "all time",
    "now": "now",
}

WINDOW_WORDS: dict[str, Text] = {key: Text(vi, _WINDOW_NAMES_EN[key]) for key, vi in WINDOW_NAMES_VI.items()}
"""Names of the windows, by key."""

STATE_WORDS: dict[str, Text] = {
    "ok": Text("Đạt", "Met"),
    "watch": Text("Cần theo dõi", "Watch"),
    "bad": Text("Không đạt", "Missed"),
    "none": Text("Chưa có dữ liệu", "No data"),
}
"""The word that always stands beside a state's colour and glyph."""

WORDS: dict[str, Text] = {
    "yesterday": Text("hôm qua", "yesterday"),
    "last_week": Text("tuần trước", "last week"),
    "too_few": Text("ít hơn {n} trường hợp: chưa đánh giá", "fewer than {n} cases: not judged"),
    "overdue": Text("quá hạn", "overdue"),
    "due_day": Text("dưới 24 giờ", "within 24 hours"),
    "due_days": Text("còn 1–5 ngày", "1–5 days left"),
    "due_later": Text("còn trên 5 ngày", "over 5 days left"),
    "code": Text("Mã hồ sơ", "Dossier"),
    "unit": Text("Đơn vị", "Unit"),
    "days_overdue": Text("Quá hạn (ngày)", "Days overdue"),
    "reason": Text("Lý do", "Reason"),
    "source": Text("Nguồn", "Source"),
    "count": Text("Số lượng", "Count"),
    "silent": Text("Nguồn không gửi dữ liệu", "The source sends nothing"),
    "every": Text("thường {duration} một lần", "usually every {duration}"),
    "silent_for": Text("im lặng {duration}", "silent for {duration}"),
    "below": Text("dưới {value}", "below {value}"),
    "above": Text("trên {value}", "above {value}"),
    "due_soon_title": Text("Sắp đến hạn", "Due soon"),
    "due_soon_text": Text("{n} hồ sơ đến hạn trong 24 giờ", "{n} dossiers due within 24 hours"),
    "figures_age": Text("Tuổi số liệu", "Age of the figures"),
    "last_event": Text("Bản tin mới nhất", "Newest event"),
    "lag": Text("Bản tin chờ xử lý", "Events waiting"),
    "dead_letters": Text("Bản tin bị từ chối", "Dead letters"),
    "events": Text("Bản tin đã nhận", "Events received"),
    "ignored": Text("Bản tin cũ bỏ qua", "Old events ignored"),
    "partitions": Text("Phân vùng sẵn sàng", "Partitions ready"),
    "partitions_waiting": Text("Phân vùng chưa sẵn sàng", "Partitions not ready"),
    "seconds": Text("giây", "s"),
    "pieces": Text("bản tin", "events"),
    "none": Text("", ""),
    "unknown_unit": Text("chưa có trong danh mục", "not in the list of units"),
}
"""All other words, by key; ``{…}`` is filled in by the picture."""
