"""Files and folders that are there whole or not at all: written aside, then renamed.

What is written aside is locked while its writer lives. What a killed one left behind is found by
its name and removed by the next.
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows: leftovers stay there
    fcntl = None  # type: ignore[assignment]

__all__ = ["Aside", "remove_leftovers", "sync_folder", "write_file"]


class Aside:
    """A path beside `target`, locked until it has taken its place, or has gone.

    Args:
        target: What it becomes.
        folder: Make a folder and not a file.
    """

    def __init__(self, target: Path, *, folder: bool = False) -> None:
        self.target = target
        while not self._make(folder):
            pass  # somebody who tidies up took it for a leftover, before it was locked

    def _make(self, folder: bool) -> bool:
        """Make and lock it; false if it is gone by then."""
        self.path = self.target.with_name(f".{self.target.name}.{secrets.token_hex(4)}.tmp")
        if folder:
            self.path.mkdir(mode=0o700)
            try:
                self.fd = os.open(self.path, os.O_RDONLY)
            except FileNotFoundError:
                return False
        else:
            self.fd = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        if fcntl is not None:
            fcntl.flock(self.fd, fcntl.LOCK_EX)
        if self.path.exists():
            return True
        self._close()
        return False

    def finish(self) -> None:
        """Put it, with all that is in it, where it belongs, to outlive a power failure."""
        os.fsync(self.fd)
        self.path.rename(self.target)
        self._close()
        sync_folder(self.target.parent)

    def discard(self) -> None:
        """Remove it, unless it has taken its place."""
        if self.fd >= 0:
            _remove(self.path)
            self._close()

    def _close(self) -> None:
        os.close(self.fd)
        self.fd = -1


def remove_leftovers(parent: Path, pattern: str = "*.") -> None:
    """Remove what killed processes left aside in `parent`, of targets that `pattern` fits."""
    if fcntl is None:
        return
    for path in parent.glob(f".{pattern}????????.tmp"):
        with suppress(OSError):
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(path)
            finally:
                os.close(fd)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Let names that were made or changed in a folder outlive a power failure."""
    if fcntl is None:
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_file(path: Path, content: bytes, mtime_ns: int | None = None) -> None:
    """Make or replace a file; whoever reads it sees the old content or the new."""
    aside = Aside(path)
    try:
        with open(aside.fd, "wb", closefd=False) as file:
            file.write(content)
        if mtime_ns is not None:
            os.utime(aside.path, ns=(mtime_ns, mtime_ns))
        aside.finish()
    finally:
        aside.discard()
