"""Files or database, by the flag `USE_DATABASE_AUTH_STATE`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInput, UnsafeRequest
from .store import FileAuthState

if TYPE_CHECKING:
    from .._sync.client import AuthState, Source
    from ..encryption import Keyring

__all__ = ["FLAG", "open_auth_state", "uses_database"]

FLAG = "USE_DATABASE_AUTH_STATE"

_ON = {"1", "true", "yes", "on"}
_OFF = {"", "0", "false", "no", "off"}


def uses_database(environment: Mapping[str, str] | None = None) -> bool:
    """Whether the flag is set: 1, true, yes, on; not: 0, false, no, off, nothing.

    Raises:
        InvalidInput: It is anything else. A guess could mean the wrong account.
    """
    value = (os.environ if environment is None else environment).get(FLAG, "").strip().lower()
    if value not in _ON | _OFF:
        raise InvalidInput(f"invalid {FLAG}", hint="Set it to true or false.")
    return value in _ON


def open_auth_state(
    *,
    folder: str | Path,
    dsn: Source,
    company_id: str,
    schema: str = "public",
    encryption: Keyring | None = None,
    environment: Mapping[str, str] | None = None,
) -> AuthState | FileAuthState:
    """The auth state of an account, in the database or in its folder, as the flag says.

    With the flag set, an account whose creds are in the folder and not in the database was not
    imported yet: that is refused, lest a program without creds pairs anew.

    Args:
        folder: The folder of the account.
        dsn: As the first argument of `AuthState`.
        company_id: The account.
        schema: Where the package is installed.
        encryption: As in `AuthState`. Files are always plain.
        environment: Where the flag is looked up; `os.environ` unless given.

    Raises:
        InvalidInput: The flag is neither true nor false.
        UnsafeRequest: The account is still in the folder.
    """
    files = FileAuthState(folder, company_id)
    if not uses_database(environment):
        return files

    from .._sync.client import AuthState

    state = AuthState(dsn, company_id, schema=schema, encryption=encryption)
    try:
        if state.creds_version() is None and files.get_creds() is not None:
            raise UnsafeRequest(
                f"{company_id} is not in the database, and its creds are in {folder}",
                hint=f"pg-auth-state import {folder}, or move the folder away.",
                company_id=company_id,
            )
    except BaseException:
        state.close()
        raise
    return state
