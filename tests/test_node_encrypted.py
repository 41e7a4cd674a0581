"""Baileys itself over encrypted accounts through Node, and what a dump then shows."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from harness.cluster import Database
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.installing import run_program

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)

SCRIPT = Path(__file__).parents[1] / "node/test/encrypted_sessions.mjs"


@pytest.mark.parametrize("version", ["6", "617", "7"])
def test_a_dump_holds_nothing_of_what_baileys_kept(
    db: Database, tmp_path: Path, version: str
) -> None:
    values = tmp_path / "values.json"
    done = subprocess.run(
        ["node", "--test-reporter=spec", SCRIPT, version, values],
        env={**os.environ, "SERVICE_URL": db.service_dsn, "SUPERUSER_URL": db.dsn},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout
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
