"""Accounts go between Python's command, the npm package and Baileys' files, value for value."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Database
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.folders import Sample, account, samples

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)

SCRIPT = Path(__file__).parents[1] / "node/test/interop.mjs"

# The version that wrote the folder; what rc.1 to rc.5 wrote is stored as all later ones write it.
READERS = {"baileys7": "7", "baileys7rc4": "7", "baileys6": "6", "baileys617": "617"}
every_folder = pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)


def run(db: Database, command: list[Any], given: str = "") -> str:
    environment = {**os.environ, "SERVICE_URL": db.service_dsn, "DATABASE_URL": db.service_dsn}
    done = subprocess.run(
        [*map(str, command)], env=environment, input=given, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def python(db: Database, *arguments: Any) -> None:
    run(db, [sys.executable, "-m", "pg_auth_state", *arguments])


def node(db: Database, action: str, sample: Sample, company: str, folder: Path) -> str:
    version = READERS[sample.path.parent.name]
    asked = {key_type: [*ids] for key_type, ids in sample.keys.items()}
    return run(db, ["node", SCRIPT, action, version, company, folder], json.dumps(asked))


def as_the_library_reads_it(sample: Sample) -> dict[str, Any]:
    return {
        "creds": sample.expected.get("creds_current", sample.expected["creds"]),
        "keys": sample.keys,
    }


@every_folder
def test_node_reads_what_python_imported_as_the_library_reads_the_folder(
    db: Database, tmp_path: Path, sample: Sample
) -> None:
    folder = sample.copy(tmp_path)
    python(db, "import", folder, "--lid-ttl", "never", "--no-backup")
    read = node(db, "compare", sample, account(sample.name), folder)
    assert json.loads(read) == as_the_library_reads_it(sample)


@every_folder
def test_the_library_reads_what_node_wrote_and_python_exported(
    db: Database, tmp_path: Path, sample: Sample
) -> None:
    node(db, "write", sample, "c", sample.copy(tmp_path))
    python(db, "export", "c", tmp_path / "out")
    read = node(db, "compare", sample, "c", tmp_path / "out")
    assert json.loads(read) == as_the_library_reads_it(sample)
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {path.name for path in sample.path.iterdir()}


def test_node_writes_the_rows_that_python_imports(db: Database, tmp_path: Path) -> None:
    for sample in samples():
        node(db, "write", sample, sample.name, sample.copy(tmp_path))
        python(db, "import", tmp_path / sample.name, "--lid-ttl", "never", "--no-backup")
        of_node, of_python = (
            db.conn.execute("select auth_export(%s)", [company]).fetchone()[0]
            for company in (sample.name, account(sample.name))
        )
        assert of_node["creds"] == of_python["creds"]
        assert of_node["keys"] == of_python["keys"]
