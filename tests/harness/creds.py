"""Creds that the database takes, as small as they can be."""

from __future__ import annotations

import json
from typing import Any

# What an encrypting client stores; its header says nothing.
JWE = "eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"


def creds(**members: Any) -> dict[str, Any]:
    """An object with `noiseKey`, `signedIdentityKey` and these members."""
    return {"noiseKey": "n", "signedIdentityKey": "i", **members}


def creds_json(**members: Any) -> str:
    """The same as the text of an argument."""
    return json.dumps(creds(**members))
