"""Words of alerts that more than one room says: severities, kinds of message, and the lines of a message."""

from typing import Final

from contract.text import Text

__all__ = ["MESSAGE_WORDS", "NOTICE_WORDS", "SEVERITY_WORDS"]

SEVERITY_WORDS: Final[dict[str, Text]] = {
    "critical": Text("Nghiêm trọng", "Critical"),
    "warning": Text("Cảnh báo", "Warning"),
    "info": Text("Thông báo", "Notice"),
}
"""How bad an alert is, by its severity."""

NOTICE_WORDS: Final[dict[str, Text]] = {
    "fired": Text("Báo động", "Fired"),
    "recovered": Text("Báo bình thường", "Recovered"),
    "reminder": Text("Nhắc lại", "Reminder"),
    "escalated": Text("Báo lên cấp trên", "Escalated"),
    "digest": Text("Tổng hợp ngày", "Daily digest"),
    "overflow": Text("Gộp tin", "Folded messages"),
    "test": Text("Thử", "Test"),
}
"""What a message is about, by its kind."""

MESSAGE_WORDS: Final[dict[str, Text]] = {
    "heading": Text("[{tag}] {title}: {place}, {figure}", "[{tag}] {title}: {place}, {figure}"),
    "heading_lines": Text("[{tag}] {title} ({n})", "[{tag}] {title} ({n})"),
    "what": Text("{place}\n{indicator}, {window}: {figure}", "{place}\n{indicator}, {window}: {figure}"),
    "limit": Text("Ngưỡng: {limit}", "Threshold: {limit}"),
    "limit_over": Text("quá {duration}", "longer than {duration}"),
    "usual": Text("Thường lệ vào lúc này: {usual}", "Usual at this time: {usual}"),
    "since": Text("Từ {since} ({age})", "Since {since} ({age})"),
    "as_of": Text("Số liệu lúc {at} ({age} trước)", "Figures of {at} ({age} ago)"),
    "number": Text("Tin thứ {n} về việc này", "Message {n} about this"),
    "children": Text("Trong đó:", "Caused by:"),
    "more": Text("… và {n} nơi khác", "… and {n} more"),
    "none": Text("Không có trường hợp nào.", "There are none."),
    "recovered": Text("Đã trở lại bình thường.", "It is good again."),
    "escalated": Text("Chưa ai nhận cảnh báo này trong thời hạn.", "Nobody acknowledged this alert in time."),
    "test": Text("Đây là tin thử: không cần làm gì.", "This is a test: there is nothing to do."),
    "wall": Text("Màn hình: {url}", "Screen: {url}"),
    "act": Text("Nhận hoặc tạm dừng tin: {url}", "Acknowledge or mute: {url}"),
    "id": Text("Mã tin · Message: {id}", "Message: {id}"),
    "field": Text("Lĩnh vực {name}", "Field {name}"),
    "source": Text("Nguồn {name}", "Source {name}"),
    "system": Text("Hệ thống", "The system"),
    "overflow_title": Text("{n} tin vượt giới hạn mỗi giờ", "{n} messages over the hourly limit"),
    "overflow_text": Text(
        "Các tin này vượt giới hạn mỗi giờ nên được gộp lại:", "These messages were over the hourly limit:"
    ),
}
"""The lines of a message, by key; ``{…}`` is filled in where it is written."""
