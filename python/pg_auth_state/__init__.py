"""WhatsApp Web (Baileys) auth state in PostgreSQL.

    from pg_auth_state import AuthState

    with AuthState("postgresql://…", "company_1") as state:
        creds = state.get_creds() or state.init_creds(new_creds())
        state.set_keys({"session": {"5511999999999.0": session}})

`AuthState` and `AsyncAuthState` call the functions that `install()` puts into the database.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .errors import (
    AuthStateError,
    DecryptionError,
    IdentityChangeRefused,
    InvalidInput,
    LeaseHeld,
    LeaseLost,
    NotFound,
    PlaintextRefused,
    UnreadableValue,
    UnsafeRequest,
    VersionConflict,
)

if TYPE_CHECKING:
    from ._async.client import AsyncAuthState
    from ._async.leases import AsyncHeldLease
    from ._install import Installed, install, uninstall
    from ._sync.client import AuthState
    from ._sync.leases import HeldLease
    from .encryption import Keyring
    from .files.flag import open_auth_state
    from .files.store import FileAuthState
    from .rows import (
        AuditEvent,
        CleanupJob,
        Company,
        CredsVersion,
        KeyRow,
        KeyStats,
        KeyTypeStatus,
        Lease,
        LeaseRow,
        Status,
    )

__all__ = [
    "AsyncAuthState",
    "AsyncHeldLease",
    "AuditEvent",
    "AuthState",
    "AuthStateError",
    "CleanupJob",
    "Company",
    "CredsVersion",
    "DecryptionError",
    "FileAuthState",
    "HeldLease",
    "IdentityChangeRefused",
    "Installed",
    "InvalidInput",
    "KeyRow",
    "KeyStats",
    "KeyTypeStatus",
    "Keyring",
    "Lease",
    "LeaseHeld",
    "LeaseLost",
    "LeaseRow",
    "NotFound",
    "PlaintextRefused",
    "Status",
    "UnreadableValue",
    "UnsafeRequest",
    "VersionConflict",
    "__version__",
    "install",
    "open_auth_state",
    "uninstall",
]

# What needs psycopg is imported when it is first asked for.
_HOME = {
    "AsyncAuthState": "._async.client",
    "AsyncHeldLease": "._async.leases",
    "AuthState": "._sync.client",
    "AuditEvent": ".rows",
    "CleanupJob": ".rows",
    "Company": ".rows",
    "CredsVersion": ".rows",
    "LeaseRow": ".rows",
    "FileAuthState": ".files.store",
    "HeldLease": "._sync.leases",
    "Installed": "._install",
    "KeyRow": ".rows",
    "KeyStats": ".rows",
    "Keyring": ".encryption",
    "KeyTypeStatus": ".rows",
    "Lease": ".rows",
    "Status": ".rows",
    "install": "._install",
    "open_auth_state": ".files.flag",
    "uninstall": "._install",
}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home, __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
