"""Text that looks like a person's number, phone, e-mail or account, where only codes belong. Pure.

What is refused wrongly harms an office as much as what is let through harms a person. So only forms are recognised
that codes do not have: an isolated run of exactly twelve digits that is a citizen number by its province, century
and year; of exactly ten that begins like a mobile number; shorter or freer runs only behind a word such as CMND.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["MASK", "find_personal", "mask", "mask_record", "surely_codes"]

MASK: Final = "█"
"""Stands for each sign of a masked value. An event that holds one is refused: what was masked is no code."""

# The 63 codes of provinces in citizen numbers: numbers given before the mergers of 2025 stay valid.
_PROVINCES = (
    "0(?:0[12468]|1[0124579]|2[024567]|3[01345678]|4[024568]|5[12468]|49|6[024678]|7[024579]|8[0234679]|9[1-6])"
)
# Sex and century: 0, 1 born 1910 to 1999; 2, 3 born 2000 to 2049.
_CITIZEN = rf"{_PROVINCES}(?:[01][1-9]|[23][0-4])[0-9]{{7}}"
_MOBILE = r"(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-9])"
_START, _END = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"

# Behind such a word, freer runs count too. TK alone is a customs declaration, "account" and "mobile" are systems.
_PHONE_WORDS = r"(?:s[dđ]t|tel|phone|zalo|[dđ]i[eệ]n tho[aạ]i)[\W_]{1,4}"
_CARD_WORDS = r"(?:cmnd|cmtnd|cmt|ch[uứ]ng minh(?: nh[aâ]n d[aâ]n)?)[\W_]{1,4}"
_ACCOUNT_WORDS = r"(?:stk|iban|t[aà]i kho[aả]n|bank account)[\W_]{1,4}"

_FORMS: Final = tuple(
    (what, re.compile(pattern, re.IGNORECASE))
    for what, pattern in (
        ("an e-mail address", r"[\w.%+-]{1,64}@(?:[\w-]{1,63}\.)+[a-z]{2,63}(?!\w)"),
        ("a citizen number", rf"{_START}{_CITIZEN}{_END}"),
        ("a citizen number", rf"{_START}{_PROVINCES} (?:[01][1-9]|[23][0-4])[0-9] [0-9]{{6}}{_END}"),
        ("a phone number", rf"{_START}(?:(?:\+|00)84[ .-]?|\(\+84\) ?|0){_MOBILE}[0-9]{{7}}{_END}"),
        (
            "a phone number",
            rf"{_START}(?:\+84 ?|0){_MOBILE}(?:[0-9] [0-9]{{3}} [0-9]{{3}}| [0-9]{{3}} [0-9]{{4}}){_END}",
        ),
        ("a phone number", rf"{_START}{_PHONE_WORDS}(?:84|0)[1-9][0-9]{{8,9}}{_END}"),
        ("an identity card number", rf"{_START}{_CARD_WORDS}[0-3][0-9]{{8}}{_END}"),
        ("a bank account", rf"{_START}{_ACCOUNT_WORDS}[0-9]{{9,15}}{_END}"),
    )
)
_SIGNS: Final = re.compile(
    rf"[@{MASK}]|[0-9] [0-9]|{_START}0[0-9]{{9}}|84[ .)-]{{0,2}}[0-9]{{9}}"
    rf"|(?:{_PHONE_WORDS}|{_CARD_WORDS}|{_ACCOUNT_WORDS})[0-9]{{9}}",
    re.IGNORECASE,
)
"""Every form has one of these: one pass instead of many."""

# National code of a dossier with a number of at most eleven digits, and UUIDs, whose last part may be all digits.
_DOSSIER = re.compile(
    r"(?<![0-9A-Za-z.])(?:[A-Z][0-9]{2}|000\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2})(?:\.[A-Z0-9]{1,8})*"
    r"-(?:20)?[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])-[0-9]{4,11}(?![0-9A-Za-z])"
)
_UUID = re.compile(r"(?i)(?<![0-9a-z])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9a-z])")
_TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_TAX_OFFICES = ("050", "070", "080", "090")
"""Tax codes of organisations may begin so, and mobile numbers too."""


def find_personal(text: str) -> str | None:
    """Return what a text looks like, in words such as "a phone number", or None for a code."""
    if _SIGNS.search(text) is None:
        return None
    if MASK in text:
        return "a masked value"
    return next((what for what, _, _ in _found(text)), None)


def mask(text: str) -> str:
    """Return the text, of the same length, with all that looks personal made unreadable."""
    if _SIGNS.search(text) is None:
        return text
    signs = list(text)
    for _, start, end in _found(text):
        signs[start:end] = MASK * (end - start)
    return "".join(signs)


def mask_record(value: bytes) -> bytes:
    """Return a record's bytes with personal text masked in every string, whatever the record is.

    Bytes without any are returned as they are. JSON stays JSON; its escapes are read, so that they hide nothing.
    """
    text = value.decode("utf-8", "backslashreplace")
    try:
        tree = json.loads(text)
        masked = _masked(tree, "")
        text = json.dumps(masked, ensure_ascii=False) if masked != tree else text
    except (ValueError, RecursionError):
        pass
    # Once more as one text: of a name that occurs twice, JSON tells the last value only.
    hidden = mask(text)
    return value if hidden == value.decode("utf-8", "backslashreplace") else hidden.encode("utf-8", "replace")


def _masked(node: Any, name: str) -> Any:
    """Mask a JSON tree; a value is read together with its name, which may be what tells its meaning."""
    if isinstance(node, dict):
        return {mask(key): _masked(value, key) for key, value in node.items()}
    if isinstance(node, list):
        return [_masked(value, name) for value in node]
    if isinstance(node, bool) or not isinstance(node, (str, int)):
        return node
    text = str(node)
    hidden = mask(f"{name}: {text}")[len(name) + 2 :]
    return node if hidden == text else hidden


def _found(text: str) -> Iterable[tuple[str, int, int]]:
    """Yield what is found, with its place; known codes are blanked first."""
    for known in (_DOSSIER, _UUID):
        text = known.sub(lambda found: "x" * len(found[0]), text)
    for what, form in _FORMS:
        for found in form.finditer(text):
            if not _code_after_all(found[0]):
                yield what, found.start(), found.end()


def _code_after_all(found: str) -> bool:
    """Whether a match is told from a person's number by its check digit."""
    if len(found) == len(_TAX_WEIGHTS) + 1 and found.startswith(_TAX_OFFICES):
        return int(found[-1]) == 10 - sum(w * int(d) for w, d in zip(_TAX_WEIGHTS, found, strict=False)) % 11
    return False


# Digits (0 and 8 apart, with which numbers of people begin), letters, and what lies between them; of the first 128
# signs, the others are letters here.
_CLASSES = b"".join(
    bytes([sign]) if sign in b"08" else b"1" if chr(sign).isdigit() else b"a" if chr(sign).isalnum() else b" "
    for sign in range(256)
)
_NUMBER = re.compile(rb" [08][018]{8,14} ")
_FOREIGN = re.compile(rb"81 {1,2}[018]{9} ")
_BEHIND_A_WORD = re.compile(rb"a {1,4}[018]{9,15} ")
_WORDS = ("dt", "tel", "phone", "zalo", "tho", "cmnd", "cmtnd", "cmt", "minh", "dan", "stk", "iban", "kho", "account")


def surely_codes(joined: str) -> bool:
    """Whether no line of this text can be personal; False: look at each. For many lines at once, each whole.

    Every form has an @, a space, 9 to 15 digits without neighbours that begin with 0 or 8 (or follow 84), or as many
    behind a word such as CMND. Versions within ids have 16, seconds since 1970 begin with 1.
    """
    if "@" in joined or " " in joined or not joined.isascii():
        return False
    classes = f"\n{joined}\n".encode().translate(_CLASSES)
    if _NUMBER.search(classes) or _FOREIGN.search(classes):
        return False
    if _BEHIND_A_WORD.search(classes) is None:
        return True
    lowered = joined.lower()
    return not any(word in lowered for word in _WORDS)
