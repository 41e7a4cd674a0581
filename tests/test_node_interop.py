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
from pg_auth_state._identity import header, is_sealed

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)

SCRIPT = Path(__file__).parents[1] / "node/test/interop.mjs"

# The version that wrote the folder; what rc.1 to rc.5 wrote is stored as all later ones write it.
READERS = {"baileys7": "7", "baileys7rc4": "7", "baileys6": "6", "baileys617": "617"}
OLD, NEW = ({"kty": "oct", "kid": kid, "k": kid[0] * 43} for kid in ("old", "new"))
every_folder = pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)


every_version = pytest.mark.parametrize(
    "sample",
    {READERS[sample.path.parent.name]: sample for sample in samples()}.values(),
    ids=lambda sample: sample.name,
)


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


@every_version
def test_both_read_what_the_other_encrypted(
    db: Database, tmp_path: Path, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sample.copy(tmp_path)
    keys = tmp_path / "keys.json"
    monkeypatch.setenv("PG_AUTH_STATE_KEYS", str(keys))
    of_python, of_node = account(sample.name), "of-node"
    wanted = as_the_library_reads_it(sample)

    def know(*known: dict[str, str]) -> None:
        keys.write_text(json.dumps({"keys": known}))
        keys.chmod(0o600)

    know(OLD)
    python(db, "import", folder, "--lid-ttl", "never", "--no-backup")
    node(db, "write", sample, of_node, folder)
    assert kids(db) == {"old"}
    for company in (of_python, of_node):
        assert json.loads(node(db, "compare", sample, company, folder)) == wanted

    know(NEW, OLD)
    python(db, "rekey", "--all")
    know(NEW)
    assert kids(db) == {"new"}
    for company in (of_python, of_node):
        assert json.loads(node(db, "compare", sample, company, folder)) == wanted
        python(db, "export", company, tmp_path / f"{company} out", "--decrypt")
        plain = node(db, "compare", sample, company, tmp_path / f"{company} out")
        assert json.loads(plain) == wanted


def kids(db: Database) -> set[str | None]:
    """What everything is encrypted with."""
    query = "select value from whatsapp_keys union all select creds from whatsapp_auth"
    values = [value for (value,) in db.conn.execute(query).fetchall()]
    return {(header(value) or {}).get("kid") if is_sealed(value) else None for value in values}


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
