"""Baileys itself over encrypted accounts through Node, and what a dump then shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cluster import Database
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.installing import run_program
from harness.node import NODE, run_node

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)

SCRIPT = NODE / "test/encrypted_sessions.mjs"


@pytest.mark.parametrize("version", ["6", "617", "7"])
def test_a_dump_holds_nothing_of_what_baileys_kept(
    db: Database, tmp_path: Path, version: str
) -> None:
    values = tmp_path / "values.json"
    run_node(db, "--test-reporter=spec", SCRIPT, version, values)
    kept = json.loads(values.read_text())
    with_control = run_program(db, "pg_dump", "--data-only")
    assert [text for text in spelled(kept["control"]) if text not in with_control] == []
    db.conn.execute("select auth_delete_company('control')")
    dump = run_program(db, "pg_dump", "--data-only")
    assert "sealed-ana" in dump
    found = [text for text in spelled(kept["all"]) if text in dump]
    assert found == []
    assert len(kept["all"]) > 200


def spelled(strings: list[str]) -> list[str]:
    """As a dump has them: words and numbers, which may stand in it otherwise, as JSON strings."""
    spelled = []
    for string in strings:
        quoted = json.dumps(string, ensure_ascii=False)
        spelled.append(quoted if len(string) < 24 else quoted[1:-1])
    return spelled
