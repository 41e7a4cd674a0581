"""Creds that clients and database take, as small as they can be."""

from __future__ import annotations

import json
from typing import Any

CREDS: dict[str, Any] = {"noiseKey": "n", "signedIdentityKey": "i"}
"""The least that creds are."""

JWE = "eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"
"""What an encrypting client stores; its header says nothing."""


def creds(**members: Any) -> dict[str, Any]:
    """The least that creds are, and these members."""
    return {**CREDS, **members}


def creds_json(**members: Any) -> str:
    """The same as the text of an argument."""
    return json.dumps(creds(**members))
