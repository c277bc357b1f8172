"""Tells a container engine whether a process is ready, by its answer: 200, or anything else."""

# ruff: noqa: INP001
# A script on its own, copied into the image.

import sys
import urllib.request

TIMEOUT_S = 3


def main(url: str) -> int:
    """Return 0 when the address answers that all is well, 1 when not, or when nobody answers."""
    try:
        urllib.request.urlopen(url, timeout=TIMEOUT_S).close()  # noqa: S310 - the address is our own
    except OSError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
