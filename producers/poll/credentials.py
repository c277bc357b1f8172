"""Passwords and tokens: named in a configuration, kept in the environment or a file, never shown."""

from collections.abc import Mapping
from pathlib import Path

from producers.poll.errors import PollConfigError

__all__ = ["Credential"]


class Credential:
    """A secret text. Neither ``repr`` nor ``str`` shows it; ``hidden`` takes it out of other texts."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    @classmethod
    def named(
        cls, where: str, variable: str | None, file: str | None, environ: Mapping[str, str], folder: Path
    ) -> "Credential | None":
        """Read what a configuration refers to; None if it refers to nothing. Raises PollConfigError.

        ``where`` is the place for messages, ``folder`` where relative paths begin.
        """
        if variable is not None and file is not None:
            raise PollConfigError(f"{where}: is given by environment and by file: keep one")
        if variable is not None:
            found = environ.get(variable, "")
            if not found:
                raise PollConfigError(f"{where}: the environment variable {variable} is not set: export it")
            return cls(found)
        if file is None:
            return None
        path = folder / file
        try:
            found = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise PollConfigError(f"{where}: {path} cannot be read: {error}") from None
        if not found:
            raise PollConfigError(f"{where}: {path} is empty: write the secret into it")
        return cls(found)

    def reveal(self) -> str:
        """Return the secret: for the driver or the header that needs it, and for nothing else."""
        return self._secret

    def hidden(self, text: str) -> str:
        """Return a message without the secret."""
        return text.replace(self._secret, "***")

    def __repr__(self) -> str:
        return "Credential(***)"
