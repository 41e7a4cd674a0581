"""Installing, uninstalling and dumping as its own processes and clients would."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from pathlib import Path

import psycopg
import pytest

from harness.cluster import INSTALL_SQL, ROOT, UNINSTALL_SQL, Database
from harness.server import DEBIAN_15
from pg_auth_state.embedded import find_binaries

VERSIONS = ROOT / "tests/fixtures/versions"

# What people made by hand, from the shape in the documentation.
HAND_MADE = """
create table whatsapp_auth (
  company_id text primary key,
  creds jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create table whatsapp_keys (
  company_id text not null,
  key_type text not null,
  key_id text not null,
  value jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (company_id, key_type, key_id)
);
"""

ROWS = """
insert into whatsapp_auth values ('acme', '{"me": {"id": "1:2@s.whatsapp.net"}, "noiseKey": 1,
  "signedIdentityKey": 2}',
  '2025-01-02 03:04:05.678901Z', '2025-06-07 08:09:10.111213Z');
insert into whatsapp_keys values
  ('acme', 'session', '1.0', '{"a": [1, 2.50, null]}',
   '2025-01-02 03:04:05Z', '2025-06-07 08:09:10.5Z'),
  ('acme', 'lid-mapping', '123', '"456"', '2025-01-02 03:04:05Z', '2025-06-07 08:09:10Z'),
  ('ñandú', 'app-state-sync-key', 'a/b+c=', '"x"', '2025-01-02 03:04:05Z', '2025-01-02 03:04:05Z');
"""


def run_sql(
    database: Database, statements: str | bytes, user: str | None = None, before: str = ""
) -> list[str]:
    """Runs them as the installer, in one session after `before`, and answers the notices."""
    notices: list[str] = []
    with database.connect(user or database.cluster.installer) as conn:
        conn.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        if before:
            conn.execute(before)
        conn.execute(statements)
    return notices


def install(database: Database, user: str | None = None, before: str = "") -> list[str]:
    return run_sql(database, INSTALL_SQL.read_bytes(), user, before)


def old_version(name: str = "22d4f45") -> bytes:
    """The installer as it was at a commit."""
    return gzip.decompress((VERSIONS / f"{name}.sql.gz").read_bytes())


def uninstall(database: Database, user: str | None = None, before: str = "") -> list[str]:
    return run_sql(database, UNINSTALL_SQL.read_bytes(), user, before)


def refusal(error: psycopg.Error) -> str:
    """All that an error says."""
    diag = error.diag
    return "\n".join(filter(None, [diag.message_primary, diag.message_detail, diag.message_hint]))


def refuse(
    database: Database, code: str, *named: str, before: str = "", user: str | None = None
) -> None:
    """The install fails with this code, says these words and changes nothing."""
    was = dump(database)
    with pytest.raises(psycopg.Error) as caught:
        install(database, user, before)
    assert caught.value.sqlstate == code, caught.value
    said = refusal(caught.value)
    for word in named:
        assert word in said
    assert dump(database) == was


def program(database: Database, name: str) -> Path:
    """psql, pg_dump or pg_restore of the server's own version."""
    folder = DEBIAN_15 if database.cluster.version == 15 else find_binaries()
    return folder / "bin" / name


def run_program(database: Database, name: str, *options: str, stdin: str | None = None) -> str:
    command = [program(database, name), "-d", database.dsn, *options]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def dump(database: Database, *options: str) -> str:
    """pg_dump, without comments, blank lines and the word that is new each time."""
    text = run_program(database, "pg_dump", *options)
    return "\n".join(re.findall(r"^(?!--|\\restrict|\\unrestrict).+$", text, re.MULTILINE))


def schema(database: Database) -> str:
    return dump(database, "--schema-only")


def count(conn: psycopg.Connection, query: str, *parameters: object) -> int:
    row = conn.execute(query, parameters).fetchone()
    assert row is not None
    return int(row[0])
