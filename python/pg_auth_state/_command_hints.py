"""HINTs for somebody at a terminal, who passes options to a command and no arguments to calls."""

from __future__ import annotations

from .errors import (
    AuthStateError,
    IdentityChangeRefused,
    LeaseLost,
    PlaintextRefused,
    VersionConflict,
)

__all__ = ["hint_of"]

_HINTS: dict[type[AuthStateError], str] = {
    IdentityChangeRefused: "Import with --replace --allow-new-identity if the account in the "
    "database may be lost.",
    LeaseLost: "End the program that uses the account, or wait until its lease has ended. Then "
    "run this again.",
    PlaintextRefused: "Find out who writes without the keys. To take it all the same: rekey with "
    "--allow-plaintext, which encrypts it.",
    VersionConflict: "Somebody saved creds meanwhile. Run this again.",
}
_OPTIONS = {
    "Mode merge adds": "--merge adds",
    "mode replace leaves": "--replace leaves",
}


def hint_of(error: AuthStateError) -> str | None:
    """The HINT of an error where the command raised it."""
    if error.hint is None or "--" in error.hint:
        return error.hint
    for cls, hint in _HINTS.items():
        if isinstance(error, cls):
            return hint
    hint = error.hint
    for argument, option in _OPTIONS.items():
        hint = hint.replace(argument, option)
    return hint
