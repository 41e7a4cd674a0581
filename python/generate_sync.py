#!/usr/bin/env python3
"""Write `pg_auth_state/_sync` from `pg_auth_state/_async`.

python/generate_sync.py            write
python/generate_sync.py --check    fail if what is there differs
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "pg_auth_state"
GENERATED = ("client.py", "database.py")
HEADER = "# Generated from ../_async/{name} by python/generate_sync.py: do not edit.\n"

REPLACEMENTS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (r"from collections\.abc import Coroutine, ", "from collections.abc import "),
        (r"from asyncio import Lock", "from threading import Lock"),
        (r"Coroutine\[Any, Any, (.+)\]:", r"\1:"),
        (r"Coroutine\[Any, Any, (.+)\]$", r"\1"),
        (r"asynchronous=True", "asynchronous=False"),
        (r"\basync (def|with|for)\b", r"\1"),
        (r"await connection\.set_(\w+)\((.+)\)", r"connection.\1 = \2"),
        (r"\bawait ", ""),
        (r"`async with`", "`with`"),
        (r"The task inside is cancelled\.", "A thread inside goes on until it asks or writes."),
        (r"\b__a(enter|exit)__\b", r"__\1__"),
        (r"\bAbstractAsyncContextManager\b", "AbstractContextManager"),
        (
            r"\bAsync(AuthState|HeldLease|Connection|ConnectionPool|NullConnectionPool|Cursor)\b",
            r"\1",
        ),
    ]
]


def generated(name: str) -> str:
    lines = (PACKAGE / "_async" / name).read_text().splitlines()
    for pattern, replacement in REPLACEMENTS:
        lines = [pattern.sub(replacement, line) for line in lines]
    text = HEADER.format(name=name) + "\n".join(lines) + "\n"
    for command in ("check --select=I --fix --quiet", "format --quiet"):
        text = subprocess.run(
            [sys.executable, "-m", "ruff", *command.split(), "--stdin-filename", name, "-"],
            input=text,
            capture_output=True,
            check=True,
            encoding="utf-8",
            cwd=PACKAGE.parent.parent,
        ).stdout
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description="Write _sync from _async.")
    parser.add_argument("--check", action="store_true", help="fail if what is there differs")
    check = parser.parse_args().check
    stale = False
    for name in GENERATED:
        target = PACKAGE / "_sync" / name
        text = generated(name)
        if target.exists() and target.read_text() == text:
            continue
        stale = True
        if check:
            print(f"{target.relative_to(PACKAGE.parent)} is stale: run python/generate_sync.py")
        else:
            target.write_text(text)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
