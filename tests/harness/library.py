"""The real Baileys, in a process of its own that stays."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[1] / "baileys"


class Library:
    """Opens folders with `useMultiFileAuthState`."""

    def __init__(self, version: str) -> None:
        if not (SCRIPTS / "node_modules").is_dir():
            pytest.fail("the real library is not installed: npm ci --prefix tests/baileys")
        command = ["node", "serve_folders.mjs", "--baileys", version]
        self._process = subprocess.Popen(
            command, cwd=SCRIPTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def differing(self, folder: Path, creds: Any, keys: dict[str, dict[str, Any]]) -> list[str]:
        """What the library reads otherwise than it was stored."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # ASCII: lone surrogates travel as escapes.
        request = json.dumps({"folder": str(folder), "creds": creds, "keys": keys})
        print(request, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, "the library's process has ended"
        differing: list[str] = json.loads(answer)
        return differing

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@pytest.fixture(scope="module")
def library() -> Iterator[Library]:
    """Baileys 7, the current one."""
    library = Library("7")
    yield library
    library.close()
