"""The one error of this room."""

from importlib.util import find_spec

__all__ = ["LocalServiceError", "require_package"]


class LocalServiceError(Exception):
    """A local service cannot be started, reached or stopped.

    The message says what failed, where, and what to do; it may be shown to a person as it is.
    """


def require_package(name: str) -> None:
    """Raise LocalServiceError when an optional package is not installed."""
    if find_spec(name) is None:
        raise LocalServiceError(f"the package {name} is not installed: run pip install 'nhip[local]'")
