"""Tells a container engine whether a server answers: any answer below 500 counts, also "no token"."""

# ruff: noqa: INP001
# A script on its own, copied into the image.

import sys
import urllib.error
import urllib.request

TIMEOUT_S = 3
SERVER_ERROR = 500


def main(url: str) -> int:
    """Return 0 when the server at the address answers, 1 when it does not."""
    try:
        urllib.request.urlopen(url, timeout=TIMEOUT_S).close()  # noqa: S310 - the address is our own
    except urllib.error.HTTPError as error:
        return int(error.code >= SERVER_ERROR)
    except OSError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
