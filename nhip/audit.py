"""Who does what by command: noted in the store once it was done."""

import os
import pwd
import socket

from nhip.console import say
from nhip.settings import Settings, SettingsError
from nhip.store import open_client
from sinks.audit import Act, write_act
from streams.store import StoreUnavailableError

__all__ = ["account", "note"]


def note(settings: Settings, act: str, subject: str, detail: str = "") -> None:
    """Note an act that was done. A store that is away does not undo it: then the person is told so."""
    try:
        client = open_client(settings)
        write_act(client, Act(who=account(), host=socket.gethostname(), act=act, subject=subject, detail=detail))
        client.close()
    except (StoreUnavailableError, SettingsError) as error:
        say(f"done, but not noted in the audit trail, so note it by hand: {act}, {subject}. {error}")


def account() -> str:
    """Return the account that runs this process; its variables do not decide, anybody can set those."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"
