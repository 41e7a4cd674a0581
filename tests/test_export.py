"""Accounts out of the database into folders, and folders against the database."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.cluster import Database as TestedDatabase
from harness.creds import creds
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.folders import LARGE, NAMES, SMALL, Sample, contents, sample, samples
from harness.memory import PEAK
from harness.processes import Process, wait_until
from pg_auth_state import AuthState, InvalidInput, NotFound, UnsafeRequest
from pg_auth_state.files.database import Database
from pg_auth_state.files.exporting import export_folder
from pg_auth_state.files.importing import Options, import_folder
from pg_auth_state.files.problems import FolderError
from pg_auth_state.files.verifying import verify_folder

IMPORT = Options(backup=False, lid_ttl=None)


@pytest.fixture
def database(db: TestedDatabase) -> Iterator[Database]:
    with Database(db.service_dsn) as database:
        yield database


def set_keys(db: TestedDatabase, data: Any, company_id: str = "c") -> None:
    with AuthState(db.service_dsn, company_id) as state:
        state.set_keys(data)


@pytest.mark.parametrize("whole_bytes", [10**9, 0], ids=["by one call", "page by page"])
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_what_went_in_comes_out(
    database: Database, tmp_path: Path, sample: Sample, whole_bytes: int
) -> None:
    folder = sample.copy(tmp_path)
    import_folder(database, folder, "c", IMPORT)
    out = tmp_path / "out"
    exported = export_folder(database, "c", out, whole_bytes=whole_bytes)
    assert exported.creds
    assert sum(exported.keys.values()) == len(sample.expected["keys"])

    # The same files as the library wrote, with the same JSON, but for older forms.
    current = {key["file"]: key.get("current", key["value"]) for key in sample.expected["keys"]}
    current["creds.json"] = sample.expected.get("creds_current", sample.expected["creds"])
    assert contents(out) == current
    for path in folder.iterdir():
        assert (out / path.name).stat().st_mode & 0o777 == 0o600
        if whole_bytes or path.name != "creds.json":
            difference = (out / path.name).stat().st_mtime_ns - path.stat().st_mtime_ns
            assert abs(difference) < 1000
    assert out.stat().st_mode & 0o777 == 0o700
    # Paged, the time of the creds is that of their version.
    assert abs((out / "creds.json").stat().st_mtime - time.time()) < 12 * 86_400
    assert len(list(out.iterdir())) == len(list(folder.iterdir()))


def test_files_are_spelt_as_the_library_spells_them(database: Database, tmp_path: Path) -> None:
    folder = sample(LARGE).copy(tmp_path)
    import_folder(database, folder, "c", IMPORT)
    export_folder(database, "c", tmp_path / "out")
    for path in folder.iterdir():
        ours, theirs = (tmp_path / "out" / path.name).read_bytes(), path.read_bytes()
        assert len(ours) == len(theirs)  # the order of members may differ
        assert sorted(ours) == sorted(theirs)


def test_nothing_is_overwritten(db: TestedDatabase, database: Database, tmp_path: Path) -> None:
    set_keys(db, {"session": {"1.0": 1}})
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nothing")
    for name in ("file", "folder", "link"):
        with pytest.raises(UnsafeRequest, match="exists already"):
            export_folder(database, "c", tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "link"]
    assert (tmp_path / "file").read_text() == "mine"
    with pytest.raises(InvalidInput, match="there is no folder"):
        export_folder(database, "c", tmp_path / "nowhere" / "out")


def test_an_account_that_does_not_exist_is_not_exported(database: Database, tmp_path: Path) -> None:
    for whole_bytes in (10**9, -1):
        with pytest.raises(NotFound):
            export_folder(database, "c", tmp_path / "out", whole_bytes=whole_bytes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("whole_bytes", [10**9, -1])
def test_an_account_without_creds_is_a_folder_without_creds(
    db: TestedDatabase, database: Database, tmp_path: Path, whole_bytes: int
) -> None:
    set_keys(db, {"session": {"1.0": 1}})
    assert not export_folder(database, "c", tmp_path / "out", whole_bytes=whole_bytes).creds
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["session-1.0.json"]


# The library would read one of them for both.
@pytest.mark.parametrize(
    "ids", [("1:2", "1-2"), ("a/b", "a__b")], ids=["a colon and a dash", "a slash and two bars"]
)
def test_two_keys_that_would_be_one_file_are_refused(
    db: TestedDatabase, database: Database, tmp_path: Path, ids: tuple[str, str]
) -> None:
    set_keys(db, {"session": dict.fromkeys(ids, 1)})
    with pytest.raises(UnsafeRequest) as caught:
        export_folder(database, "c", tmp_path / "out")
    assert caught.value.hint is not None
    assert all(json.dumps(key_id) in caught.value.hint for key_id in ids)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key_id", ["x" * 300, "é" * 200])
def test_an_id_that_is_no_file_name_is_refused(
    db: TestedDatabase, database: Database, tmp_path: Path, key_id: str
) -> None:
    set_keys(db, {"session": {key_id: 1}})
    with pytest.raises(UnsafeRequest, match="cannot be written"):
        export_folder(database, "c", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key_id", ["../../x", "/etc/passwd", "..", "a\nb"])
def test_no_id_leads_out_of_the_folder(
    db: TestedDatabase, database: Database, tmp_path: Path, key_id: str
) -> None:
    set_keys(db, {"session": {key_id: "x"}, f"../{key_id}": {key_id: "y"}})
    export_folder(database, "c", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len([path for path in (tmp_path / "out").iterdir() if path.suffix == ".json"]) == 2
    assert import_folder(database, tmp_path / "out", "again", Options(
        backup=False, without_creds=True
    )).written == 2  # fmt: skip


def test_an_export_is_one_moment(db: TestedDatabase, database: Database, tmp_path: Path) -> None:
    pads = {f"{number:03}.0": "x" * 2000 for number in range(500)}
    with AuthState(db.service_dsn, "c") as state:
        state.save_state(creds(turn=0), {"session": {**pads, "z": 0}, "pre-key": {"1": 0}})

    def writing() -> None:
        end = time.monotonic() + 2
        turn = 0
        with AuthState(db.service_dsn, "c") as state:
            while time.monotonic() < end:
                turn += 1
                state.save_state(creds(turn=turn), {"session": {"z": turn}, "pre-key": {"1": turn}})

    process = Process(writing)
    with AuthState(db.service_dsn, "c") as state:
        wait_until(lambda: state.get_creds() != creds(turn=0))
    turns = set()
    for number in range(4):
        out = tmp_path / str(number)
        export_folder(database, "c", out, whole_bytes=0)
        names = ("creds.json", "session-z.json", "pre-key-1.json")
        found, *keys = (json.loads((out / name).read_text()) for name in names)
        assert keys == [found["turn"]] * 2
        turns.add(found["turn"])
    process.result()
    assert len(turns) > 1


def test_an_export_writes_nothing_to_the_database(db: TestedDatabase, tmp_path: Path) -> None:
    set_keys(db, {"session": {"1.0": 1}})
    db.conn.execute(f"alter database {db.name} set default_transaction_read_only = on")
    try:
        with Database(db.service_dsn) as database:
            export_folder(database, "c", tmp_path / "out")
            assert verify_folder(database, tmp_path / "out", "c").differences == []
    finally:
        db.conn.execute("set default_transaction_read_only = off")
        db.conn.execute(f"alter database {db.name} reset default_transaction_read_only")


def test_an_export_that_is_killed_leaves_nothing_that_looks_like_one(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    import_folder(database, sample(LARGE).copy(tmp_path), "c", IMPORT)
    parent = tmp_path / "exports"
    parent.mkdir()
    out = parent / "out"

    def job() -> None:
        with Database(db.service_dsn) as own:
            export_folder(own, "c", out, whole_bytes=0)

    for delay in (0.01, 0.03, 0.05, 0.08, 0.12):
        process = Process(job)
        time.sleep(delay)
        process.kill()
        if out.exists():
            assert len(list(out.iterdir())) == 337
            shutil.rmtree(out)
    (parent / ".out.01234567.tmp").mkdir()
    job()
    assert [path.name for path in parent.iterdir()] == ["out"]


@pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)
def test_a_large_account_is_streamed(db: TestedDatabase, tmp_path: Path) -> None:
    # 100 MB, which PostgreSQL can hardly compress.
    value = (
        "select string_agg(md5(random()::text || i || n || m), '') from generate_series(1, 8000) i"
    )
    db.conn.execute(
        "select auth_set_keys('c', jsonb_build_object('sender-key',"
        f" jsonb_object_agg(n || '-' || m, ({value}))))"
        " from generate_series(1, 20) n, generate_series(1, 20) m"
    )
    code = PEAK + (
        "import sys; from pathlib import Path\n"
        "from pg_auth_state.files.database import Database\n"
        "from pg_auth_state.files.exporting import export_folder\n"
        "from pg_auth_state.files.importing import Options, import_folder\n"
        "options = Options(without_creds=True)\n"
        "with Database(sys.argv[1]) as database:\n"
        "    export_folder(database, 'c', Path(sys.argv[2]))\n"
        "    print(peak())\n"
        "    import_folder(database, Path(sys.argv[2]), 'd', options)\n"
        "    print(peak())\n"
    )
    command = [sys.executable, "-c", code, db.service_dsn, tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    size = sum(path.stat().st_size for path in (tmp_path / "out").iterdir())
    assert size > 100_000_000
    exporting, importing = (int(line) / 1024 for line in done.stdout.split())
    assert exporting < 100  # MB
    assert importing < 250  # of which it keeps 64 MB of files, as text and as values
    query = (
        "select count(*) from whatsapp_keys a join whatsapp_keys b using (key_type, key_id, value)"
    )
    where = " where a.company_id = 'c' and b.company_id = 'd'"
    assert db.conn.execute(query + where).fetchone() == (400,)


# Verify


def test_equal_folders_are_equal(database: Database, tmp_path: Path) -> None:
    folder = sample(NAMES).copy(tmp_path)
    import_folder(database, folder, "c", IMPORT)
    result = verify_folder(database, folder, "c")
    assert (result.equal, result.differences) == (65, [])


def test_every_difference_is_named_and_no_value_shown(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    import_folder(database, folder, "c", IMPORT)
    with AuthState(db.service_dsn, "c") as state:
        found = state.get_creds()
        assert found is not None
        state.save_creds({**found, "registrationId": 1})
        state.set_keys(
            {
                "pre-key": {"2": None, "3": {"secret": "c2VjcmV0"}, "99": "c2VjcmV0"},
                "sender-key-memory": {"5511900000601-1600000601@g.us": {"x@lid": 1}},
                "session": {"1:1": 1},
            }
        )
    (folder / "pre-key-4.json").unlink()
    result = verify_folder(database, folder, "c")
    assert {note.file: note.reason for note in result.differences} == {
        "creds.json": "has another value in the database",
        "pre-key-2.json": "is only in the folder",
        "pre-key-3.json": "has another value in the database",
        "pre-key-4.json": "is only in the database",
        "pre-key-99.json": "is only in the database",
        "sender-key-memory-5511900000601-1600000601@g.us.json": "has another value in the database",
        "session-1-1.json": "is only in the database",
    }
    assert result.equal == 10
    assert "c2VjcmV0" not in repr(result)


def test_one_and_true_differ(db: TestedDatabase, database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "session-1.0.json").write_text('{"a":[1,1.0,0]}')
    set_keys(db, {"session": {"1.0": {"a": [1, 1, 0]}}})
    assert verify_folder(database, folder, "c").differences == []
    set_keys(db, {"session": {"1.0": {"a": [True, 1, 0]}}})
    assert len(verify_folder(database, folder, "c").differences) == 1


def test_an_account_that_does_not_exist_differs_in_every_file(
    database: Database, tmp_path: Path
) -> None:
    result = verify_folder(database, sample(SMALL).copy(tmp_path), "c")
    assert len(result.differences) == 15


def test_mappings_that_an_import_leaves_out_are_no_difference(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    path = folder / "lid-mapping-1.json"
    path.write_text('"2"')
    os.utime(path, (time.time() - 8 * 86_400,) * 2)
    import_folder(database, folder, "c", Options(backup=False))
    result = verify_folder(database, folder, "c")
    assert result.differences == []
    assert [note.file for note in result.expired] == ["lid-mapping-1.json"]
    # Where the database has one, it counts.
    set_keys(db, {"lid-mapping": {"1": "3"}})
    assert [note.file for note in verify_folder(database, folder, "c").differences] == [path.name]


def test_a_folder_with_a_fault_is_not_compared(database: Database, tmp_path: Path) -> None:
    folder = sample(SMALL).copy(tmp_path)
    (folder / "creds.json").write_text("")
    with pytest.raises(FolderError):
        verify_folder(database, folder, "c")


def test_who_may_not_read_an_account_does_not_export_it(db: TestedDatabase, tmp_path: Path) -> None:
    set_keys(db, {"session": {"1.0": 1}})
    db.conn.execute("drop role if exists stranger; create role stranger login")
    try:
        with Database(db.server.url(db.name, "stranger")) as database:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                export_folder(database, "c", tmp_path / "out")
            (tmp_path / "c").mkdir()
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                verify_folder(database, tmp_path / "c", "c")
    finally:
        db.conn.execute("drop role stranger")
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_times_are_exact_to_the_microsecond(db: TestedDatabase, database: Database, tmp_path: Path):
    set_keys(db, {"session": {"1.0": 1}})
    export_folder(database, "c", tmp_path / "out")
    at = db.conn.execute("select updated_at from whatsapp_keys").fetchone()[0]
    assert isinstance(at, datetime)
    exact = int(at.timestamp()) * 10**6 + at.microsecond
    assert (tmp_path / "out/session-1.0.json").stat().st_mtime_ns // 1000 == exact
