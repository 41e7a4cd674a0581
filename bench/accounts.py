"""Values as the real library makes them, never the same twice."""

from __future__ import annotations

import base64
import json
import random
import re
from collections import deque
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent.parent / "examples"
SAMPLE = json.loads((_FOLDER / "sample_account.json").read_text())
_BASE64 = re.compile(r'"[A-Za-z0-9+/]{40,}={0,2}"')


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


_SESSIONS = [compact(value) for value in SAMPLE["keys"]["session"].values()]
_SESSIONS = [value for value in _SESSIONS if len(value) < 2000]


def text(count: int) -> str:
    """So many random bytes, as base64."""
    return base64.b64encode(random.randbytes(count)).decode()


def session() -> str:
    """JSON of 0.9 to 2 KB: a session of the sample account with other keys in it."""
    anew = random.choice(_SESSIONS)
    return _BASE64.sub(lambda found: f'"{text((len(found[0]) - 2) * 3 // 4)}"', anew)


def one_of(count: int) -> str:
    """The id of one of so many sessions."""
    return f"5511900{random.randint(1, count):04}.0"


def grown(session: str, turns: int) -> str:
    """105 bytes more for every turn of the ratchet."""
    more = "".join(f',"{text(69)}":[{{}},1]' for _ in range(turns))
    return f"{session[:-1]}{more}}}"


def batch(key_type: str, values: dict[str, str]) -> str:
    """What auth_set_keys takes, of values that are JSON text already."""
    pairs = ",".join(f'"{name}":{value}' for name, value in values.items())
    return f'{{"{key_type}":{{{pairs}}}}}'


def pre_key() -> str:
    """164 bytes of JSON."""
    public, private = ('{"type":"Buffer","data":"' + text(32) + '"}' for _ in range(2))
    return f'{{"public":{public},"private":{private}}}'


class SenderKey:
    """One Buffer that holds JSON: each message adds a key; 2,000 are kept, which are 446 KB."""

    def __init__(self, messages: int = 2000) -> None:
        self._keys: deque[str] = deque(maxlen=2000)
        self._turn = 0
        for _ in range(messages):
            self.grow()

    def value(self) -> str:
        state = f'{{"senderKeyId":1,"senderChainKey":{{"iteration":{self._turn},"seed":{_bytes()}}}'
        held = f'[{state},"senderMessageKeys":[{",".join(self._keys)}]}}]'
        return compact({"type": "Buffer", "data": base64.b64encode(held.encode()).decode()})

    def grow(self) -> None:
        self._turn += 1
        self._keys.append(f'{{"iteration":{self._turn},"seed":{_bytes()}}}')


class SyncVersion:
    """app-state-sync-version: each patch changes a few of its many entries."""

    def __init__(self, entries: int = 9800) -> None:
        self._version = 0
        self._map = {text(32): _mac() for _ in range(entries)}

    def value(self) -> str:
        self._version += 1
        for name in random.sample(list(self._map), 5):
            self._map[name] = _mac()
        changed = {"version": self._version, "hash": {"type": "Buffer", "data": text(128)}}
        return compact(changed | {"indexValueMap": self._map})


def _bytes() -> str:
    return '{"type":"Buffer","data":' + compact(list(random.randbytes(32))) + "}"


def _mac() -> dict[str, Any]:
    return {"valueMac": {"type": "Buffer", "data": text(32)}}
