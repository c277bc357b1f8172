"""A channel of a recipient: an Apprise address in which every secret is a reference, and the secrets' place."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from apprise import Apprise, AppriseAsset, NotifyBase
from apprise.plugins import N_MGR

from sinks.quiet import quiet

__all__ = ["MAIL", "WEBHOOKS", "Channel", "ChannelError", "open_channel", "parse_channel"]

MAIL: Final = frozenset({"mailto", "mailtos"})
WEBHOOKS: Final = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})

_REFERENCE = re.compile(r"\$\{(env|file):([^${}]+)\}")
_STAND_IN = "nhipreference"
"""Stands where a secret will stand while an address is checked."""
_MAIL_PARAMETERS = frozenset({"from", "name", "to", "smtp", "mode", "reply", "user", "pass", "verify"})
_SECRET_NAME = re.compile(r"pass|secret|token|key|auth|cookie|credential|signature", re.IGNORECASE)
_DECODABLE = re.compile(r"%[0-9A-Fa-f]{2}")
_MOST_UNQUOTED = 5
"""Apprise decodes some parts twice; a line break must not appear however often."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9]*)://")


class ChannelError(ValueError):
    """A channel that cannot be used; the text says why and what to do, and never holds the address."""


@dataclass(frozen=True)
class Channel:
    """One way to a recipient. ``label`` (scheme and place in the list) may stand in logs and tables.

    ``address`` is as written, with references in place of secrets; it is never printed.
    """

    label: str
    address: str = field(repr=False)

    @property
    def scheme(self) -> str:
        """The service, such as ``mailto``, ``zalo`` or ``json``."""
        return self.label.partition("#")[0]


def parse_channel(text: str, number: int) -> Channel:
    """Check an address as it stands in the file; ``number`` is its place in the list, from 1. Raises ChannelError."""
    _refuse_control(text)
    bare = _REFERENCE.sub(_STAND_IN, text)
    if "${" in bare:
        raise ChannelError("holds a ${…} that is no reference: write ${env:NAME} or ${file:/path}")
    found = _SCHEME.match(bare)
    scheme = found.group(1).lower() if found else ""
    if scheme not in N_MGR or _STAND_IN in scheme:
        known = "mailto://, mailtos://, zalo://, tgram://, workflows:// (Teams), json://, jsons://"
        raise ChannelError(f"has the unknown scheme {scheme!r}: use one of Apprise's, such as {known}")
    _refuse_plain_secrets(scheme, bare)
    # Services with tokens check their form, which a stand-in does not have; those are seen at the first sending.
    if bare == text or scheme in MAIL | WEBHOOKS:
        service = _instantiate(bare)
        if bare == text:
            _refuse_nobody(service)
    return Channel(f"{scheme}#{number}", text)


def open_channel(channel: Channel, environ: Mapping[str, str], extra: str = "") -> NotifyBase:
    """Put the secrets into the address and return Apprise's service for it; ``extra`` is appended as parameters.

    Raises ChannelError: a reference that leads nowhere, or what Apprise does not take.
    """
    before, mark, parameters = channel.address.partition("?")
    address = _REFERENCE.sub(lambda found: _quoted(found, environ), before)
    if mark:
        address += mark + _REFERENCE.sub(lambda found: _quoted(found, environ, parameter=True), parameters)
    if extra:
        address += ("&" if mark else "?") + extra
    service = _instantiate(address)
    _refuse_nobody(service)
    return service


def _quoted(found: re.Match[str], environ: Mapping[str, str], *, parameter: bool = False) -> str:
    kind, name = found.groups()
    value = _secret(kind, name, environ)
    # Apprise decodes the values of parameters more than once: "%41" would arrive as "A".
    if parameter and _DECODABLE.search(value):
        raise ChannelError(
            f"takes from {kind}:{name} a secret with a percent sign and two digits: choose another secret"
        )
    return quote(value, safe="")


def _secret(kind: str, name: str, environ: Mapping[str, str]) -> str:
    if kind == "env":
        value = environ.get(name, "")
        if not value:
            raise ChannelError(f"needs the environment variable {name}, which is not set: set it where workers start")
    else:
        try:
            value = Path(name).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ChannelError(
                f"needs the file {name}, which cannot be read: make it readable for the worker"
            ) from None
        if not value:
            raise ChannelError(f"needs the file {name}, which is empty: put the secret into it")
    _refuse_control(value)
    return value


def _instantiate(address: str) -> NotifyBase:
    asset = AppriseAsset(app_id="Nhip", secure_logging=True, http_redirects=False, async_mode=False)
    with quiet():
        service = Apprise.instantiate(address, asset=asset)
    if not isinstance(service, NotifyBase):
        raise ChannelError("is not a complete address for this service: see https://appriseit.com/services/")
    if len(service) > 1:
        raise ChannelError(
            f"leads to {len(service)} places: give each a channel of its own, or a repeated sending tells some twice"
        )
    return service


def _refuse_nobody(service: NotifyBase) -> None:
    # Apprise leaves out receivers that it does not understand.
    if getattr(service, "targets", None) == []:
        raise ChannelError("has no receiver that this service understands: correct it")


def _refuse_control(text: str) -> None:
    for _ in range(_MOST_UNQUOTED):
        if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") for sign in text):
            raise ChannelError("holds a line break or another control character: write it on one line without any")
        text = unquote(text)


def _refuse_plain_secrets(scheme: str, bare: str) -> None:
    try:
        parts = urlsplit(bare)
    except ValueError:
        raise ChannelError("is no address: see https://appriseit.com/services/") from None
    user_info = parts.netloc.rpartition("@")[0]
    if _plain(user_info.partition(":")[2]):
        raise ChannelError("has its password in plain: write ${env:NAME} or ${file:/path} instead")
    for coded, value in parse_qsl(parts.query):
        name = coded.strip()
        if scheme in MAIL and name.lower() not in _MAIL_PARAMETERS:
            raise ChannelError(
                f"has the parameter {name!r}: e-mail takes {', '.join(sorted(_MAIL_PARAMETERS))}, and one address"
            )
        if _SECRET_NAME.search(name) and _plain(value):
            raise ChannelError(f"has {name!r} in plain: write ${{env:NAME}} or ${{file:/path}} instead")
    tokens = N_MGR[scheme].template_tokens
    if any(token.get("private") and token.get("required") for token in tokens.values()) and _STAND_IN not in bare:
        raise ChannelError("has its token in plain: write ${env:NAME} or ${file:/path} instead")


def _plain(value: str) -> bool:
    return bool(value.replace(_STAND_IN, ""))
