"""A folder as a .tar.gz with a manifest of SHA-256 sums, made while the folder is read."""

from __future__ import annotations

import hashlib
import tarfile
import time
import zlib
from functools import cache
from pathlib import Path

from .atomic import Aside, remove_leftovers

__all__ = ["MANIFEST", "Backup"]

MANIFEST = "SHA256SUMS"
"""Inside the folder in the archive, for `sha256sum --check`."""

_BLOCK = 512
_PADDING = [bytes(-size % _BLOCK) for size in range(_BLOCK)]
_END = bytes(2 * _BLOCK)

# An entry of a regular file without what differs: name, size, time and sum of the header.
_BEFORE_SIZE = b"0000600\0" + b"0000000\0" * 2
_AFTER_SUM = b"0" + bytes(100) + b"ustar\x0000" + bytes(247)
_CONSTANT_SUM = sum(_BEFORE_SIZE) + sum(_AFTER_SUM) + 8 * ord(" ")
_LARGEST_SIZE = 8**11

_sha256 = hashlib.sha256


class Backup:
    """The archive of one folder. It is there when `finish()` returns, or not at all.

    Args:
        name: The folder in the archive.
        destination: The folder that the archive is made in.
    """

    def __init__(self, name: str, destination: Path) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        self.path = destination / f"{name}-{stamp}.tar.gz"
        self._name = name
        self._prefix = f"{name}/"
        self._aside: Aside | None = None
        self._compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
        self._parts: list[bytes] = []
        self._size = 0
        self._sums: list[tuple[str, str]] = []

    def add(self, name: str, content: bytes, mtime_ns: int) -> None:
        """Take a file in. A manifest from an earlier restored backup is made anew."""
        if name == MANIFEST:
            return
        self._sums.append((_sha256(content).hexdigest(), name))
        self._put(name, content, mtime_ns)

    def finish(self) -> Path:
        """Write what is left and put the archive in its place."""
        manifest = "".join(_manifest_line(digest, name) for digest, name in self._sums)
        self._put(MANIFEST, manifest.encode("utf-8", "surrogateescape"), time.time_ns())
        self._parts.append(_END)
        self._flush(last=True)
        assert self._aside is not None
        number = 1
        while self.path.exists():  # of the same second
            number += 1
            self.path = self.path.with_name(f"{self.path.name.split('.tar')[0]}-{number}.tar.gz")
        self._aside.target = self.path
        self._aside.finish()
        return self.path

    def discard(self) -> None:
        """Give up, unless it is finished."""
        if self._aside is not None:
            self._aside.discard()

    def _put(self, name: str, content: bytes, mtime_ns: int) -> None:
        size = len(content)
        self._parts += _header(self._prefix + name, size, max(mtime_ns // 10**9, 0))
        self._parts += (content, _PADDING[size % _BLOCK])
        self._size += _BLOCK + size
        if self._size >= 1 << 20:
            self._flush()

    def _flush(self, *, last: bool = False) -> None:
        if self._aside is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _tidy(self.path.parent)
            self._aside = Aside(self.path)
        data = self._compressor.compress(b"".join(self._parts))
        if last:
            data += self._compressor.flush()
        self._parts, self._size = [], 0
        with open(self._aside.fd, "wb", closefd=False) as file:
            file.write(data)


@cache
def _tidy(destination: Path) -> None:
    """Once per process: there may be the archives of thousands of accounts."""
    remove_leftovers(destination, "*.tar.gz.")


def _header(name: str, size: int, mtime: int) -> tuple[bytes, ...]:
    """The parts of an entry before its content."""
    path = name.encode("utf-8", "surrogateescape")
    if len(path) > 100 or not path.isascii() or size >= _LARGEST_SIZE:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, mtime, 0o600
        return (info.tobuf(tarfile.PAX_FORMAT),)
    numbers = b"%011o\0%011o\0" % (size, mtime)
    # The lower half of an Adler-32 is one more than the sum of so few bytes, and fast.
    checksum = b"%06o\0 " % (_CONSTANT_SUM - 1 + (zlib.adler32(path + numbers) & 0xFFFF))
    return path, bytes(100 - len(path)), _BEFORE_SIZE, numbers, checksum, _AFTER_SUM


def _manifest_line(digest: str, name: str) -> str:
    """As sha256sum writes it: with a backslash in front where the name is escaped."""
    if "\\" not in name and "\n" not in name and "\r" not in name:
        return f"{digest}  {name}\n"
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"\\{digest}  {escaped}\n"
