"""Words of the page behind a signed link and of alerts on the wall; others stand in ``contract``."""

from typing import Final

from contract.text import Text
from sinks.outbox import DeliveryState

__all__ = ["DELIVERY_WORDS", "SEVERITY_STATES", "STATUS_WORDS", "A"]

SEVERITY_STATES: Final = {"critical": "bad", "warning": "watch", "info": "none"}
"""The state whose glyph and colour a severity borrows; the word of the severity always stands beside it."""

STATUS_WORDS: Final[dict[str, Text]] = {
    "pending": Text("Đang chờ xác nhận", "Pending"),
    "firing": Text("Đang báo động", "Firing"),
    "recovered": Text("Đã trở lại bình thường", "Recovered"),
    "cleared": Text("Đã hết trước khi báo", "Over before it fired"),
}
"""Where an alert stands, by ``AlertState``'s values."""

DELIVERY_WORDS: Final[dict[DeliveryState, Text]] = {
    DeliveryState.DECIDED: Text("đang gửi", "under way"),
    DeliveryState.SENDING: Text("đang gửi", "under way"),
    DeliveryState.RETRYING: Text("đang gửi lại", "trying again"),
    DeliveryState.SENT: Text("đã gửi", "sent"),
    DeliveryState.FAILED: Text("không gửi được", "not sent"),
    DeliveryState.FOLDED: Text("đã gộp", "folded into another"),
}
"""What became of a message."""

A: Final[dict[str, Text]] = {
    "brand": Text("Nhịp dịch vụ công", "The pulse of public services"),
    "severity": Text("Mức độ", "Severity"),
    "what": Text("Chỉ số", "Indicator"),
    "figure": Text("Số liệu", "Figure"),
    "end": Text("Đến", "Until"),
    "figure_then": Text("Số liệu khi báo", "Figure when it fired"),
    "limit": Text("Ngưỡng", "Threshold"),
    "window": Text("Kỳ tính", "Window"),
    "since": Text("Bắt đầu", "Since"),
    "ended": Text("Kết thúc", "Ended"),
    "rule": Text("Quy tắc", "Rule"),
    "acknowledged": Text("Đã nhận", "Acknowledged"),
    "nobody": Text("Chưa ai nhận", "Nobody yet"),
    "acked_at": Text("đã nhận {at}, {by}", "acknowledged {at}, {by}"),
    "muted": Text("Tạm dừng tin", "Muted"),
    "muted_until": Text("tạm dừng đến {at}", "muted until {at}"),
    "pending": Text("chưa đủ lâu", "not yet long enough"),
    "until": Text("đến {at}", "until {at}"),
    "mute_reason": Text("Lý do tạm dừng", "Why muted"),
    "details": Text("Chi tiết", "Details"),
    "told": Text("Tin đã gửi", "Messages"),
    "told_none": Text("Chưa gửi tin nào.", "No message yet."),
    "you_are": Text("Đường dẫn này gửi cho: {name}", "This link was sent to: {name}"),
    "ack": Text("Tôi đã nhận và xử lý", "I have seen it and act on it"),
    "ack_hint": Text(
        "Người nhận khác thấy ai đã nhận. Không gửi nhắc lại, không báo lên cấp trên.",
        "Others see who has it. No reminders, no escalation.",
    ),
    "mute": Text("Tạm dừng tin nhắn", "Mute messages"),
    "mute_hint": Text(
        "Chỉ cho quy tắc này ở nơi này; áp dụng cho mọi người nhận.",
        "For this rule in this place only; holds for everybody.",
    ),
    "mute_for": Text("Trong", "For"),
    "reason": Text("Lý do (bắt buộc)", "Reason (required)"),
    "unmute": Text("Gửi tin trở lại", "Send messages again"),
    "recovered_hint": Text(
        "Cảnh báo này đã hết, không cần nhận nữa.", "This alert is over; there is nothing to acknowledge."
    ),
    "pending_hint": Text("Vượt ngưỡng nhưng chưa đủ lâu để báo.", "Beyond the threshold, not yet for long enough."),
    "done_ack": Text("Đã ghi: bạn đã nhận cảnh báo này.", "Recorded: you have acknowledged this alert."),
    "done_mute": Text("Đã ghi: tin nhắn tạm dừng.", "Recorded: messages are muted."),
    "done_unmute": Text("Đã ghi: tin nhắn được gửi trở lại.", "Recorded: messages are sent again."),
    "forged": Text(
        "Đường dẫn không đúng hoặc đã bị sửa. Mở lại nguyên vẹn đường dẫn trong tin; nếu vẫn lỗi, báo người trực.",
        "This link is wrong or was changed. Open the message's whole link; if it fails again, tell the operator.",
    ),
    "expired": Text(
        "Đường dẫn đã hết hạn. Dùng đường dẫn trong tin nhắn mới nhất, hoặc nhờ người trực ghi nhận.",
        "This link has expired. Use the link of the newest message, or ask the operator to record it.",
    ),
    "absent": Text(
        "Không còn cảnh báo này trong kho số liệu. Xem tin nhắn mới nhất, hoặc hỏi người trực.",
        "This alert is no longer in the store. See the newest message, or ask the operator.",
    ),
    "foreign": Text(
        "Yêu cầu đến từ trang khác nên không được ghi. Mở đường dẫn trong tin nhắn và bấm lại.",
        "The request came from another site and was not recorded. Open the link from the message and try again.",
    ),
    "too_often": Text(
        "Quá nhiều yêu cầu cho đường dẫn này. Thử lại sau một phút.",
        "Too many requests for this link. Try again in a minute.",
    ),
    "over": Text(
        "Cảnh báo này đã hết trước khi bạn bấm: không cần nhận nữa.",
        "This alert was over before you pressed: there is nothing to acknowledge any more.",
    ),
    "no_reason": Text(
        "Cần ghi lý do, tối đa {n} ký tự, để người khác hiểu. Quay lại và điền.",
        "A reason of at most {n} characters is needed, so that others understand. Go back and enter it.",
    ),
    "no_choice": Text(
        "Yêu cầu thiếu thông tin. Mở lại đường dẫn trong tin nhắn.",
        "The request is incomplete. Open the link from the message again.",
    ),
    "refused": Text("Không thực hiện được", "Not done"),
}
"""All other words, by key."""
