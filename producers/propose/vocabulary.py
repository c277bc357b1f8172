"""Words by which columns and cells are known, Vietnamese and English, with the national synchronisation's names.

All are written without accents, in lower case, words separated by one space: see :func:`plain`. A field that has
no entry here is known by its own name, so a new kind of event works without a line in this file.
"""

import re
import unicodedata
from typing import Final

__all__ = ["ACTIVITY", "CHANGED", "COLUMNS", "PERSONAL", "STARTED", "SUBJECTS", "WORDS", "plain"]

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")


def plain(text: str) -> str:
    """Write a name for comparison: ``NgayHenTra``, ``ngay_hen_tra`` and ``Ngày hẹn trả`` become ``ngay hen tra``."""
    spaced = _CAMEL.sub(" ", unicodedata.normalize("NFC", text))
    bare = unicodedata.normalize("NFD", spaced.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(sign for sign in bare if not unicodedata.combining(sign)).lower()
    return _OTHER.sub(" ", letters).strip()


SUBJECTS: Final[dict[str, tuple[str, ...]]] = {
    "dossier": ("ma ho so", "so ho so", "ma so ho so", "so bien nhan", "ma bien nhan", "dossier", "application id"),
    "payment": ("ma giao dich", "so giao dich", "ma thanh toan", "ma hoa don", "transaction id", "payment id"),
    "meeting": ("ma cuoc hop", "ma phien hop", "meeting id"),
    "document": ("so ky hieu", "ma van ban", "so van ban", "document id", "document no"),
    "": ("case concept name", "case id", "ma", "code", "id", "key"),
}
"""Names of the column with the entity's code, by kind; the empty kind stands for all."""

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "unit": (
        "don vi", "ma don vi", "don vi xu ly", "don vi giai quyet", "don vi thuc hien", "don vi thu", "co quan",
        "ma co quan", "co quan giai quyet", "co quan xu ly", "co quan ban hanh", "department", "case department",
        "office", "agency", "unit",
    ),
    "receiving_unit": ("noi tiep nhan", "don vi tiep nhan", "co quan tiep nhan", "receiving office"),
    "channel": (
        "kenh thuc hien", "kenh", "kenh nop", "hinh thuc nop", "hinh thuc tiep nhan", "hinh thuc thanh toan",
        "kenh thanh toan", "phuong thuc thanh toan", "cach nop", "case channel", "payment method", "how", "channel",
    ),
    "status": (
        "trang thai", "trang thai ho so", "trang thai thanh toan", "tinh trang", "tinh trang ho so", "state",
        "status",
    ),
    "received_at": (
        "ngay tiep nhan", "thoi gian tiep nhan", "thoi diem tiep nhan", "ngay nhan", "ngay nhan ho so",
        "case startdate", "start date", "startdate", "date received", "received", "received on",
    ),
    "submitted_at": ("ngay nop", "ngay nop ho so", "thoi gian nop", "submitted", "filed", "filed on"),
    "due_at": (
        "ngay hen tra", "hen tra", "ngay hen tra ket qua", "han xu ly", "han giai quyet", "han tra", "ngay den han",
        "han thanh toan", "han nop", "case deadline", "deadline", "due", "due date",
    ),
    "finished_at": (
        "ngay ket thuc xu ly", "ngay ket thuc", "ngay hoan thanh", "ngay xu ly xong", "ngay giai quyet xong",
        "case enddate", "end date", "enddate", "completed", "closed", "finished", "resolved",
    ),
    "returned_at": ("ngay tra", "ngay tra ket qua", "returned", "delivered"),
    "procedure": (
        "ma tthc", "ma thu tuc", "ma thu tuc hanh chinh", "thu tuc", "procedure", "procedure code", "service code",
    ),
    "field": ("linh vuc", "ma linh vuc", "ten linh vuc", "sector", "domain", "field"),
    "service_level": ("muc do", "muc do dich vu", "muc do dvc", "service level"),
    "fee_vnd": ("le phi", "phi le phi", "tong le phi", "fee"),
    "supplements": ("so lan bo sung", "so lan yeu cau bo sung", "supplements"),
    "components": ("so thanh phan", "so thanh phan ho so", "components"),
    "components_digitised": ("so thanh phan so hoa", "thanh phan so hoa"),
    "components_reused": ("so thanh phan tai su dung", "thanh phan tai su dung"),
    "result_digital": ("ket qua dien tu", "tra ket qua dien tu"),
    "amount_vnd": ("so tien", "tong tien", "thanh tien", "gia tri", "so tien phai nop", "amount", "sum"),
    "paid_at": (
        "ngay thanh toan", "thoi gian thanh toan", "thoi diem thanh toan", "ngay nop tien", "paid", "payment date",
    ),
    "kind": ("loai van ban", "loai phi", "loai khoan thu", "khoan thu", "payment kind", "fee type"),
    "dossier": ("ma ho so", "so ho so", "ho so", "dossier"),
    "starts_at": ("thoi gian bat dau", "ngay hop", "gio bat dau", "bat dau", "start time", "starts"),
    "ended_at": ("thoi gian ket thuc", "gio ket thuc", "ket thuc", "end time", "ends"),
    "paperless": ("khong giay to", "hop khong giay", "hop khong giay to", "paperless"),
    "participants": ("so dai bieu", "so nguoi moi", "so thanh vien", "participants"),
    "attended": ("so nguoi du", "co mat", "so co mat", "attended"),
    "documents": ("so tai lieu", "tai lieu", "documents"),
    "documents_printed": ("tai lieu in", "so tai lieu in", "printed"),
    "issued_at": ("ngay ban hanh", "ngay phat hanh", "ngay ky", "issued", "date issued"),
    "digitally_signed": ("ky so", "da ky so", "chu ky so", "signed digitally"),
    "signatures": ("so chu ky so", "so chu ky"),
    "handled": ("hinh thuc xu ly", "cach xu ly"),
    "pages": ("so trang",),
}  # fmt: skip
"""Names of columns by the field of the contract that they fill."""

CHANGED: Final = (
    "time timestamp", "timestamp", "thoi diem", "thoi diem xu ly", "thoi gian xu ly", "ngay cap nhat", "cap nhat",
    "thoi gian cap nhat", "updated", "updated at", "last modified", "modified", "event time", "changed", "changed at",
)  # fmt: skip
"""Names of the column that says when a row happened."""

STARTED: Final = (
    "ngay tao", "ngay lap", "thoi gian tao", "created", "created at", "opened", "case startdate", "start date",
    "start",
)  # fmt: skip
"""Names of the column that says when a case began, where no field of the contract does."""

ACTIVITY: Final = (
    "concept name", "activity", "event", "action", "step", "buoc", "buoc xu ly", "cong viec", "hanh dong", "su kien",
)  # fmt: skip
"""Names of the column that says what happened in a row of a log."""

PERSONAL: Final = (
    "nguoi", "nguoi xu ly", "nguoi nop", "chu ho so", "ho ten", "ho va ten", "can bo", "so dien thoai", "dien thoai",
    "email", "cccd", "cmnd", "so dinh danh", "dia chi", "ngay sinh", "applicant", "customer", "full name", "phone",
    "address", "birth", "resource", "org resource", "responsible", "case responsible", "officer",
)  # fmt: skip
"""Names of columns about persons: never read. The contract has no field that could hold them."""

_ONLINE = ("truc tuyen", "online", "internet", "web", "dich vu cong", "cong dich vu cong", "2")
_COUNTER = ("truc tiep", "counter", "desk", "tai quay", "quay", "1")
WORDS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "dossier.channel": {
        "online": _ONLINE,
        "counter": _COUNTER,
        "post": ("post", "buu chinh", "bcci", "buu chinh cong ich", "3"),
        "other": ("other", "khac", "e mail", "email", "phone"),
    },
    "dossier.status": {
        "registered": ("1", "moi dang ky", "registered"),
        "accepted": ("2", "duoc tiep nhan", "da tiep nhan", "tiep nhan", "moi tiep nhan", "accepted", "received"),
        "rejected": ("3", "khong duoc tiep nhan", "khong tiep nhan", "tu choi", "tu choi tiep nhan", "rejected"),
        "processing": ("4", "dang xu ly", "dang giai quyet", "dang thu ly", "processing", "in progress", "open"),
        "supplement_asked": ("5", "yeu cau bo sung giay to", "yeu cau bo sung", "cho bo sung", "bo sung ho so"),
        "payment_due": ("6", "yeu cau thuc hien nghia vu tai chinh", "cho thanh toan", "nghia vu tai chinh"),
        "withdrawn": ("7", "cong dan yeu cau rut ho so", "rut ho so", "da rut", "withdrawn"),
        "stopped": ("8", "dung xu ly", "stopped"),
        "completed": ("9", "da xu ly xong", "da co ket qua", "hoan thanh", "cho tra ket qua", "completed", "closed"),
        "returned": ("10", "da tra ket qua", "da tra", "returned"),
    },
    "dossier.service_level": {"full": ("toan trinh", "4", "full"), "partial": ("mot phan", "3", "partial")},
    "payment.status": {
        "due": ("0", "chua thanh toan", "cho thanh toan", "due", "unpaid"),
        "paid": ("1", "da thanh toan", "thanh cong", "paid", "payment", "success"),
        "cancelled": ("da huy", "huy", "cancelled"),
        "refunded": ("hoan tien", "da hoan tien", "refunded"),
    },
    "payment.channel": {
        "national_portal": ("cong dvcqg", "dvcqg", "cong quoc gia", "payment platform"),
        "provincial_portal": ("cong tinh", "cong dvc tinh"),
        "gateway": ("vi dien tu", "vnpay", "momo", "qr", "qr code", "gateway"),
        "transfer": ("chuyen khoan", "transfer", "bank transfer"),
        "counter": ("tien mat", "truc tiep", "tai quay", "cash", "counter"),
    },
    "payment.kind": {
        "fee": ("phi", "le phi", "phi le phi", "fee"),
        "land_obligation": ("dat dai", "nghia vu tai chinh dat dai", "thue dat", "tien su dung dat"),
        "fine": ("phat", "phat vi pham", "fine"),
        "other": ("khac", "other"),
    },
    "document.status": {
        "draft": ("du thao", "nhap"),
        "signed": ("da ky",),
        "issued": ("da ban hanh", "ban hanh"),
        "sent": ("da gui", "da phat hanh"),
        "revoked": ("thu hoi", "da thu hoi"),
    },
    "document.handled": {"online": ("truc tuyen", "dien tu"), "paper": ("giay", "ban giay", "van ban giay")},
    "meeting.status": {
        "draft": ("du thao", "nhap", "draft"),
        "invited": ("da moi", "moi hop", "sap dien ra", "invited", "scheduled"),
        "live": ("dang hop", "dang dien ra", "live"),
        "finished": ("da hop", "da ket thuc", "ket thuc", "finished", "done"),
        "cancelled": ("da huy", "huy", "hoan", "cancelled"),
    },
}
"""Cells by the word of the contract that they mean, per kind and field. Numbers are the national codes."""
