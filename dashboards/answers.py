"""Answers of the read API: JSON or CSV with an ETag, and refusals with words."""

import csv
import hashlib
import io
from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from contract.words import Text

__all__ = [
    "CSV",
    "HEADERS",
    "RETRY_AFTER_S",
    "Refusal",
    "answer",
    "as_csv",
    "failed",
    "refused",
    "table",
    "wants_csv",
]

CSV = "text/csv; charset=utf-8"
RETRY_AFTER_S = 5
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
"""What every answer carries; nothing inline runs, and nothing is fetched from elsewhere."""
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take a cell for a formula."""


class Refusal(HTTPException):
    """An answer other than the one asked for, with words in both languages."""

    def __init__(self, status: int, words: Text, headers: dict[str, str] | None = None) -> None:
        super().__init__(status_code=status, detail=words.en, headers=headers)
        self.words = words


def table(
    request: Request[Any, Any, Any], rows: Sequence[msgspec.Struct], kind: type[msgspec.Struct]
) -> Response[bytes]:
    """Return rows of one struct as JSON or CSV, whichever was asked for."""
    if wants_csv(request):
        names = [field.encode_name for field in msgspec.structs.fields(kind)]
        return answer(request, as_csv(names, [msgspec.structs.astuple(row) for row in rows]), CSV)
    return answer(request, orjson.dumps([msgspec.to_builtins(row) for row in rows]), MediaType.JSON)


def wants_csv(request: Request[Any, Any, Any]) -> bool:
    """Whether the reader asked for CSV: ``?format=csv``, or Accept names it and not JSON. Raises Refusal."""
    wanted = request.query_params.get("format")
    if wanted not in (None, "json", "csv"):
        raise Refusal(
            400, Text(f"định dạng {wanted!r} không có: json hoặc csv", f"unknown format {wanted!r}: json or csv")
        )
    accept = request.headers.get("accept", "")
    return wanted == "csv" or (wanted is None and "text/csv" in accept and "application/json" not in accept)


def answer(request: Request[Any, Any, Any], body: bytes, media_type: str, etag: str | None = None) -> Response[bytes]:
    """Return a body with its ETag, or 304 when the reader has it."""
    tag = f'W/"{etag or hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept, Authorization, Cookie"}
    held = {part.strip() for part in request.headers.get("if-none-match", "").split(",")}
    if tag in held or "*" in held:
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def as_csv(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Write a table that spreadsheets read rightly: UTF-8 with its mark, no cell that could be a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip().startswith(_RISKY):
        return f"'{value}"
    return ("false", "true")[value] if isinstance(value, bool) else value


def refused(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Say why a request was refused: JSON for programs, a small page for people."""
    words = error.words if isinstance(error, Refusal) else _STANDARD.get(error.status_code)
    if words is None:
        words = Text(f"Yêu cầu không thực hiện được: {error.detail}", f"The request was refused: {error.detail}")
    headers = {**HEADERS, **(error.headers or {}), "Cache-Control": "no-store"}
    if request.url.path.startswith(("/api", "/v1")):
        body = orjson.dumps({"status_code": error.status_code, "detail": words.en, "error": words._asdict()})
        return Response(body, status_code=error.status_code, media_type=MediaType.JSON, headers=headers)
    page = _PAGE.format(vi=_escaped(words.vi), en=_escaped(words.en)).encode()
    return Response(page, status_code=error.status_code, media_type="text/html; charset=utf-8", headers=headers)


def failed(request: Request[Any, Any, Any], _: Exception) -> Response[bytes]:
    """Answer a fault of the program without its insides; the log has them."""
    return refused(request, HTTPException(status_code=500))


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_PAGE = """<!doctype html><html lang="vi"><meta charset="utf-8"><title>Nhịp dịch vụ công</title>
<h1>Nhịp dịch vụ công</h1><p>{vi}</p><p lang="en">{en}</p></html>"""

_STANDARD = {
    404: Text("Không có trang này. Danh sách: /api/screens", "There is no such page. A list: /api/screens"),
    405: Text("Chỉ đọc: dùng GET", "Read only: use GET"),
    500: Text("Máy chủ gặp lỗi; nhật ký ghi chi tiết", "The server has failed; its log says more"),
}
