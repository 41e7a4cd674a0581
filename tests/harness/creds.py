"""Creds for tests that store some: no client and no database takes anything less for creds."""

from __future__ import annotations

from typing import Any

CREDS: dict[str, Any] = {"noiseKey": 1, "signedIdentityKey": 2}
"""The least that creds are."""


def creds(**members: Any) -> dict[str, Any]:
    """The least that creds are, and these members."""
    return {**CREDS, **members}
