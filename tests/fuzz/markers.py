"""What stands for a secret: only who may read its account may be told it."""

from __future__ import annotations

import re

_VALUE, _NAME = "S3CR3T", "H1DD3N"
MARKER = re.compile(rf"{_VALUE}[0-9]{{2}}")
NAME_MARKER = re.compile(_NAME)

SENT = f"{_VALUE}99"
"""In every value that an input sends."""

NAMED = _NAME
"""Names within a value. One in the place of a type or an id is part of the path, which shows."""


def of_account(number: int) -> str:
    """In everything that the account of this number has stored."""
    return f"{_VALUE}{number:02}"
