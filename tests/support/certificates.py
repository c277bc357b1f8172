"""Certificates for tests: an authority and what it signs, made by openssl in a folder."""

import subprocess
from pathlib import Path

__all__ = ["Authority"]


class Authority:
    """A certificate authority of its own; ``file`` is its certificate."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._key = folder / f"{name}.key"
        self.file = folder / f"{name}.pem"
        _openssl(
            "req", "-x509", *_NEW_KEY, "-keyout", str(self._key), "-out", str(self.file), "-days", "2",
            "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign",
        )  # fmt: skip

    def issue(self, name: str, alternative: str, *, days: int = 2) -> tuple[Path, Path]:
        """Return the files of a certificate and of its key; ``alternative``: such as ``IP:127.0.0.1``.

        ``days``: how long it is good; below 0 it has expired.
        """
        key, request, made = (self._folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extension = self._folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={alternative}\n")
        _openssl("req", "-new", *_NEW_KEY, "-keyout", str(key), "-out", str(request), "-subj", f"/CN={name}")
        _openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.file), "-CAkey", str(self._key), "-days", str(days),
            "-extfile", str(extension), "-out", str(made), "-CAcreateserial",
        )  # fmt: skip
        key.chmod(0o600)
        return made, key


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)  # noqa: S607 - wherever it is installed
