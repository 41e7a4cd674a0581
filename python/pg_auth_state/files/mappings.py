"""Which LID mappings of a folder are still wanted, by the rules of the cleanup in the database.

A mapping that is older than the ttl, counted from the time of its file, is left out. One that is in
use, because there is a session with either side of the pair, is kept whatever its age and counts as
written now. Both directions of a pair live as long as the younger one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from .folder import Account, Entry
from .problems import Note

__all__ = ["TTL", "Plan", "plan", "session_users"]

TTL = timedelta(days=7)
"""How long mappings live, as the database is set up; it has no function that tells."""

_TYPES = ("lid-mapping", "lid-mapping-reverse")
_NAME = re.compile(r"[0-9A-Za-z_-]{1,40}")
_USER = re.compile(r"([0-9A-Za-z-]+)(?:_[0-9]+)?\.[0-9]+")


@dataclass(slots=True)
class Plan:
    """`times` has those mappings that do not keep the time of their file; None stands for now."""

    skipped: list[tuple[Entry, Note]]
    times: dict[str, int | None]


def session_users(key_ids: Iterable[str]) -> set[str]:
    """The users, by phone number or LID, that there are sessions with."""
    return {match[1] for match in map(_USER.fullmatch, key_ids) if match is not None}


def plan(account: Account, ttl: timedelta | None, more_sessions: Iterable[str] = ()) -> Plan:
    """What becomes of the mappings. `more_sessions` are there besides those of the folder."""
    result = Plan([], {})
    if ttl is None:
        return result
    units: dict[tuple[str, str] | str, list[Entry]] = {}
    for entry in account.keys:
        if entry.key_type in _TYPES:
            pair = _pair(entry)
            units.setdefault(entry.name if pair is None else pair, []).append(entry)
    if not units:
        return result

    now = time.time_ns()
    oldest = now - int(ttl.total_seconds() * 1e9)
    users = session_users(
        [entry.key_id for entry in account.keys if entry.key_type == "session"]
    ) | session_users(more_sessions)
    for unit, entries in units.items():
        newest = max(entry.mtime_ns for entry in entries)
        stale = [entry for entry in entries if entry.mtime_ns <= oldest]
        if isinstance(unit, str) or unit[0] in users or unit[1] in users:
            result.times.update((entry.name, None) for entry in stale)
        elif newest > oldest:
            result.times.update((entry.name, newest) for entry in stale)
        else:
            days = (now - newest) // (86_400 * 10**9)
            reason = f"a LID mapping not written for {days} days, and there is no session"
            result.skipped += [(entry, Note(entry.name, reason)) for entry in entries]
    return result


def _pair(entry: Entry) -> tuple[str, str] | None:
    """Phone number and LID; None if the value does not tell, an encrypted one for example."""
    assert entry.kept is not None
    _, other = entry.kept
    if not isinstance(other, str) or not _NAME.fullmatch(other):
        return None
    own = entry.key_id.removesuffix("_reverse")
    if entry.key_type == "lid-mapping-reverse" or own != entry.key_id:
        return other, own
    return own, other
