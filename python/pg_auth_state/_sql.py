"""The SQL files that come with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

__all__ = ["INSTALL", "UNINSTALL", "read"]

INSTALL = "pg_auth_state.sql"
UNINSTALL = "pg_auth_state_uninstall.sql"


def read(name: str) -> str:
    """A built SQL file: from the wheel, or from `dist/` in an editable checkout."""
    packaged = files(__package__) / "sql" / name
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    checkout = Path(__file__).resolve().parents[2] / "dist" / name
    return checkout.read_text(encoding="utf-8")
