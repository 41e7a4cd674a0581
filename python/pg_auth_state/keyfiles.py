"""Keyrings out of files, for the command."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from .errors import InvalidInput

if TYPE_CHECKING:
    from .encryption import Keyring

__all__ = ["KeyFile"]

_COMPANY = "{company}"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A JWK Set in a file that nobody else may read, or one of each account.

    Args:
        path: The file. `{company}` in it stands for the account, written as in a URL.
        current: Which key to write with; the first unless given.
        plain_types: As in `Keyring`.
        allow_plaintext: As in `Keyring`.
        content: Read already, so that a pipe is read once.
    """

    path: str
    current: str | None = None
    plain_types: tuple[str, ...] = ()
    allow_plaintext: bool | None = None
    content: bytes | None = field(default=None, repr=False)

    @classmethod
    def opened(
        cls,
        path: str,
        current: str | None,
        plain_types: tuple[str, ...],
        allow_plaintext: bool | None,
    ) -> KeyFile:
        """Raise InvalidInput at once where one file of all accounts is none."""
        content = None if _COMPANY in path else _read(path)
        keys = cls(path, current, plain_types, allow_plaintext, content)
        if content is not None:
            keys.keyring("")
        return keys

    def keyring(self, company_id: str) -> Keyring:
        from .encryption import Keyring

        content = self.content
        if content is None:
            content = _read(self.path.replace(_COMPANY, _file_name(company_id)))
        return Keyring.from_jwks(
            content,
            self.current,
            plain_types=self.plain_types,
            allow_plaintext=self.allow_plaintext,
        )


def _file_name(company_id: str) -> str:
    """The account as in a URL; "." and ".." would be other folders."""
    name = quote(company_id, safe="")
    return name if name.strip(".") else name.replace(".", "%2E")


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise InvalidInput(
                    f"the key file {path} can be read by others", hint=f"chmod 600 {path}"
                )
            return file.read()
    except OSError as error:
        reason = error.strerror
    raise InvalidInput(f"the key file {path} cannot be read: {reason}")
