"""The published error codes, and what PostgreSQL itself may answer."""

from __future__ import annotations

PUBLISHED = {
    "WA001": "invalid input",
    "WA002": "lease held or lost",
    "WA003": "version conflict",
    "WA004": "no such company or version",
    "WA005": "identity change refused",
    "WA006": "unsafe or impossible request",
    "42501": "not yours",
    "55P03": "the company stayed busy",
    "54000": "too large for one JSON value",
}

READ_ONLY, CANCELLED, ABORTED = "25006", "57014", "25P02"

# Classes of codes that PostgreSQL has for an argument that is not of its type, and for its limits.
NO_SUCH_VALUE, LIMIT = "22", "54"
