"""Where the browser for tests is, and how it is started on a machine without a screen."""

import os
import shutil

__all__ = ["FLAGS", "chromium"]

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def chromium() -> str | None:
    """Path of Chromium, or None."""
    named = os.environ.get("NHIP_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
