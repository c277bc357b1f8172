"""Recipients by name: their channels, groups of them, and who stands for which unit (config/recipients.toml)."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from sinks.channels import Channel, ChannelError, parse_channel

__all__ = ["Language", "Recipient", "Recipients", "RecipientsError", "load_recipients", "parse_recipients"]

Language = Literal["both", "vi", "en"]
"""``both``: Vietnamese first, English below."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_RESERVED: Final = {"unit", "owner"}


class RecipientsError(ValueError):
    """The file of recipients cannot be used: names file and key and says what to do; it never shows an address."""


class Recipient(msgspec.Struct, frozen=True):
    """Who gets messages under a name; at most ``per_hour`` a sliding hour, the rest is folded into one."""

    name: str
    channels: tuple[Channel, ...] = ()
    language: Language = "both"
    per_hour: int = 20


class Recipients(msgspec.Struct, frozen=True):
    """All recipients by name, groups of them, and those of units; members are already resolved to recipients."""

    recipients: Mapping[str, Recipient]
    groups: Mapping[str, tuple[str, ...]]
    units: Mapping[str, tuple[str, ...]]

    def resolve(
        self, target: str, scope: str, above: Callable[[str], Sequence[str]], owner: Callable[[str], str | None]
    ) -> tuple[str, ...]:
        """Return the names behind a target of a rule; none when nobody stands for it.

        ``unit``: who stands for the unit of the scope, or for the nearest one above it (``above`` gives those, the
        nearest first). ``owner``: the group that ``owner`` names for the scope's source. Else a group or recipient.
        """
        kind, _, name = scope.partition(":")
        if target == "unit":
            chain = (name, *above(name)) if kind == "unit" else ()
            return next((self.units[code] for code in chain if code in self.units), ())
        group = (owner(name) if kind == "source" else None) if target == "owner" else target
        if group is None:
            return ()
        return self.groups.get(group) or ((group,) if group in self.recipients else ())

    def knows(self, target: str) -> bool:
        """Tell whether a rule may name this target."""
        return target in _RESERVED or target in self.groups or target in self.recipients


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    channels: tuple[str, ...] = ()
    language: Language = "both"
    per_hour: Annotated[int, Meta(ge=1, le=1_000)] = 20


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    recipients: dict[str, _Entry] = {}
    groups: dict[str, tuple[str, ...]] = {}
    units: dict[str, tuple[str, ...]] = {}


def load_recipients(
    path: Path, known_unit: Callable[[str], bool] | None = None
) -> tuple[Recipients, tuple[str, ...]]:
    """Read the file; also returns warnings. Raises RecipientsError."""
    try:
        mode, text = path.stat().st_mode, path.read_text("utf-8")
    except OSError as error:
        raise RecipientsError(f"{path}: the recipients cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise RecipientsError(f"{path}: the recipients cannot be read: save the file as UTF-8") from None
    found = parse_recipients(text, str(path), known_unit)
    open_to_all = mode & 0o077 and any(recipient.channels for recipient in found.recipients.values())
    return found, (f"{path}: others can read the addresses: run chmod 600 {path}",) if open_to_all else ()


def parse_recipients(text: str, origin: str, known_unit: Callable[[str], bool] | None = None) -> Recipients:
    """Read recipients from text; ``origin`` names it in errors. Raises RecipientsError.

    ``known_unit`` tells which unit codes exist; without it they are not checked.
    """
    try:
        found = msgspec.convert(tomllib.loads(text), _File)
    except tomllib.TOMLDecodeError as error:
        raise RecipientsError(f"{origin}: {error}: correct this line") from None
    except msgspec.ValidationError as error:
        raise RecipientsError(f"{origin}: {error}: correct this key") from None
    for key in (*found.recipients, *found.groups):
        if not _NAME.fullmatch(key) or key in _RESERVED:
            raise RecipientsError(f"{origin}: {key!r} is no name: use a-z, 0-9, - and _, and not unit or owner")
    if both := sorted(found.recipients.keys() & found.groups.keys()):
        raise RecipientsError(f"{origin}: {both[0]} is a recipient and a group: rename one of them")
    recipients = {name: _recipient(name, entry, origin) for name, entry in found.recipients.items()}
    groups: dict[str, tuple[str, ...]] = {}
    for name, members in found.groups.items():
        groups[name] = _members(f"{origin}: groups.{name}", members, {key: (key,) for key in recipients})
    names = {key: (key,) for key in recipients} | groups
    units: dict[str, tuple[str, ...]] = {}
    for code, members in found.units.items():
        if known_unit is not None and not known_unit(code):
            raise RecipientsError(
                f"{origin}: units.{code} is not in the list of units: correct the code or remove it"
            )
        units[code] = _members(f"{origin}: units.{code}", members, names)
    return Recipients(recipients, groups, units)


def _recipient(name: str, entry: _Entry, origin: str) -> Recipient:
    channels = []
    for number, text in enumerate(entry.channels, start=1):
        try:
            channels.append(parse_channel(text, number))
        except ChannelError as error:
            raise RecipientsError(f"{origin}: recipients.{name}: channel {number} {error}") from None
    return Recipient(name, tuple(channels), entry.language, entry.per_hour)


def _members(where: str, members: Sequence[str], known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    for member in members:
        if member not in known:
            raise RecipientsError(f"{where} names {member!r}, which is unknown: known are {', '.join(sorted(known))}")
    return tuple(dict.fromkeys(name for member in members for name in known[member]))
