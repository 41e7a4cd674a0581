"""The folders that the real library wrote, and what was stored in them."""

from __future__ import annotations

import json
import os
import shutil
import time
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

FOLDERS = Path(__file__).parents[1] / "fixtures/folders"


@dataclass(frozen=True)
class Sample:
    """A folder of the real library, as it is in the repository."""

    path: Path
    expected: dict[str, Any]

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def creds(self) -> Any:
        """What the database is to hold."""
        return carried(self.expected.get("creds_current", self.expected["creds"]))

    @property
    def keys(self) -> dict[str, dict[str, Any]]:
        """What the database is to hold."""
        keys: dict[str, dict[str, Any]] = {}
        for key in self.expected["keys"]:
            keys.setdefault(key["type"], {})[key["id"]] = key.get("current", key["value"])
        return keys

    @property
    def files(self) -> dict[str, float]:
        """The files with the times of their writing, moved so that the last was a minute ago."""
        times = {key["file"]: _seconds(key["at"]) for key in self.expected["keys"]}
        times["creds.json"] = _seconds(self.expected["creds_at"])
        shift = time.time() - 60 - max(times.values())
        return {name: at + shift for name, at in times.items()}

    def copy(self, parent: Path, name: str | None = None) -> Path:
        """A copy with file times as the library left them, which git does not keep."""
        target = parent / (name or self.name)
        shutil.copytree(self.path, target)
        for file, at in self.files.items():
            os.utime(target / file, (at, at))
        return target


def carried(value: Any) -> Any:
    """A value with the strings that jsonb refuses as they travel."""
    if isinstance(value, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
        data = b64encode(value.encode("utf-16-le", "surrogatepass")).decode()
        return {"type": "Utf16", "data": data}
    if isinstance(value, dict):
        return {name: carried(item) for name, item in value.items()}
    return [carried(item) for item in value] if isinstance(value, list) else value


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@cache
def samples() -> list[Sample]:
    paths = sorted(FOLDERS.glob("*/company_*.expected.json"))
    assert len(paths) == 6
    return [
        Sample(path.with_name(path.name.split(".")[0]), json.loads(path.read_text()))
        for path in paths
    ]


def sample(name: str) -> Sample:
    return next(sample for sample in samples() if sample.name == name)


SMALL = "company_962307"  # 15 files
NAMES = "company_962303"  # every name that is hard to reverse
LARGE = "company_962302"  # 337 files


def account(folder: str) -> str:
    """The account that a folder of this name is of."""
    return folder.removeprefix("company_")


def contents(folder: Path) -> dict[str, Any]:
    """Every file of a folder as JSON."""
    return {path.name: json.loads(path.read_bytes()) for path in folder.glob("*.json")}
