"""Folders of the real library into the database."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.cluster import Database as TestedDatabase
from harness.creds import CREDS
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.folders import LARGE, NAMES, SMALL, Sample, sample, samples
from harness.processes import Process
from pg_auth_state import AuthState, IdentityChangeRefused, LeaseLost, UnsafeRequest
from pg_auth_state.files import importing
from pg_auth_state.files.database import Company, Database
from pg_auth_state.files.importing import Imported, Options, import_folder
from pg_auth_state.files.problems import FolderError

DAY = 86_400
NO_BACKUP = Options(backup=False)


@pytest.fixture
def database(db: TestedDatabase) -> Iterator[Database]:
    with Database(db.service_dsn) as database:
        yield database


def state_of(db: TestedDatabase, company_id: str) -> dict[str, Any] | None:
    """The account as it is stored, undecoded."""
    try:
        return db.conn.execute("select auth_export(%s)", [company_id]).fetchone()[0]
    except psycopg.Error as error:
        if error.sqlstate != "WA004":
            raise
        return None


def bring(database: Database, folder: Path, options: Options = NO_BACKUP) -> Imported:
    return import_folder(database, folder, folder.name, options)


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_a_folder_of_any_version_goes_in_whole(
    db: TestedDatabase, database: Database, tmp_path: Path, sample: Sample
) -> None:
    folder = sample.copy(tmp_path)
    report = bring(database, folder, Options(backup=False, lid_ttl=None))
    state = state_of(db, sample.name)
    assert state is not None
    assert state["creds"] == sample.creds
    assert state["keys"] == sample.keys
    assert report.written == report.files == len(sample.expected["keys"]) + 1
    assert report.keys == {name: len(ids) for name, ids in sorted(sample.keys.items())}

    # Times are those of the files.
    for key in sample.expected["keys"]:
        at = datetime.fromisoformat(state["times"][key["type"]][key["id"]][0])
        assert abs(at.timestamp() - (folder / key["file"]).stat().st_mtime) < 1e-5
    at = datetime.fromisoformat(state["creds_updated_at"])
    assert abs(at.timestamp() - (folder / "creds.json").stat().st_mtime) < 1e-5


def test_the_client_reads_what_went_in(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    bring(database, sample(NAMES).copy(tmp_path))
    with AuthState(db.service_dsn, NAMES) as state:
        creds = state.get_creds()
        assert creds is not None
        assert creds["me"]["name"] == "Café 😀 nul:\0 high:\ud83d low:\ude00"
        assert isinstance(creds["noiseKey"]["private"], bytes)


@pytest.mark.parametrize("chunk", [1, 5000])
def test_an_account_beyond_one_call_goes_in_by_several_in_one_transaction(
    db: TestedDatabase, database: Database, tmp_path: Path, chunk: int
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    bring(database, folder, replace(NO_BACKUP, chunk=chunk))
    in_chunks = state_of(db, SMALL)
    import_folder(database, folder, "whole", NO_BACKUP)
    assert in_chunks == state_of(db, "whole")


def test_an_import_that_fails_in_its_last_chunk_leaves_nothing(
    db: TestedDatabase, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    really_write = Company.write
    calls = 0

    def failing(self: Company, state: str, mode: Any, allow: bool = False) -> int:
        nonlocal calls
        calls += 1
        if calls == 12:
            self.database.connected().execute("select 1 / 0")
        return really_write(self, state, mode, allow)

    monkeypatch.setattr(Company, "write", failing)
    with pytest.raises(Exception, match="division by zero"):
        bring(database, folder, Options(chunk=1))
    assert calls == 12
    assert state_of(db, SMALL) is None
    assert [path.name for path in tmp_path.iterdir()] == [SMALL]  # nor a backup of nothing


# A new connection in the middle of an import would commit the rest of it alone.
def test_a_connection_that_breaks_in_the_middle_is_not_replaced(
    db: TestedDatabase, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    really_write = Company.write
    calls = 0

    def breaking(self: Company, state: str, mode: Any, allow: bool = False) -> int:
        nonlocal calls
        calls += 1
        if calls == 5:
            pid = self.database.connected().info.backend_pid
            db.conn.execute("select pg_terminate_backend(%s, 5000)", [pid])
        return really_write(self, state, mode, allow)

    monkeypatch.setattr(Company, "write", breaking)
    with pytest.raises(Exception, match=r"terminat|closed|lost"):
        bring(database, folder, replace(NO_BACKUP, chunk=1))
    assert state_of(db, SMALL) is None
    monkeypatch.undo()
    assert bring(database, folder).status == "imported"


@pytest.mark.parametrize("what", ["keys", "creds"])
def test_what_is_read_back_and_differs_is_taken_back(
    db: TestedDatabase,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    really = getattr(Company, what)

    def forged(self: Company, *arguments: Any) -> Any:
        answer = really(self, *arguments)
        if what == "creds":
            return answer and {**answer, "registrationId": 0}
        return {**answer, "pre-key": dict.fromkeys(answer["pre-key"])}

    monkeypatch.setattr(Company, what, forged)
    with pytest.raises(UnsafeRequest, match="read back"):
        bring(database, sample(SMALL).copy(tmp_path))
    assert state_of(db, SMALL) is None


def test_a_folder_with_a_fault_writes_nothing(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    (folder / "session-1.0.json").write_text("{")
    with pytest.raises(FolderError):
        bring(database, folder, Options())
    assert state_of(db, SMALL) is None
    assert [path.name for path in tmp_path.iterdir()] == [SMALL]


# LID mappings


def mapping(folder: Path, pn: str, lid: str, ages: tuple[float, float]) -> None:
    """Both directions of a pair, written so many days ago."""
    for name, other, age in (
        (f"lid-mapping-{pn}.json", lid, ages[0]),
        (f"lid-mapping-{lid}_reverse.json", pn, ages[1]),
    ):
        (folder / name).write_text(json.dumps(other))
        at = time.time() - age * DAY
        os.utime(folder / name, (at, at))


@pytest.mark.parametrize(
    "session", [None, "1.0", "1_128.99", "2_1.0", "2_1.12", "2_129.99", "2.0", "11.0", "22_1.0"]
)
def test_an_old_mapping_is_kept_only_while_it_is_in_use(
    db: TestedDatabase, database: Database, tmp_path: Path, session: str | None
) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "creds.json").write_text(json.dumps(CREDS))
    mapping(folder, "1", "2", (8, 9))
    if session is not None:
        (folder / f"session-{session}.json").write_text("{}")
    report = bring(database, folder)
    state = state_of(db, "c")
    assert state is not None
    if session in (None, "11.0", "22_1.0"):
        files = ["lid-mapping-1.json", "lid-mapping-2_reverse.json"]
        assert sorted(note.file for note in report.skipped) == files
        assert "lid-mapping" not in state["keys"]
    else:
        assert report.skipped == []
        assert state["keys"]["lid-mapping"] == {"1": "2", "2_reverse": "1"}
        for updated_at, expires_at in state["times"]["lid-mapping"].values():
            at = datetime.fromisoformat(updated_at)
            assert abs(at.timestamp() - time.time()) < 60
            assert datetime.fromisoformat(expires_at) - at == timedelta(days=7)


def test_a_mapping_lives_as_long_as_the_younger_direction(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "creds.json").write_text(json.dumps(CREDS))
    mapping(folder, "1", "2", (8, 3))
    mapping(folder, "3", "4", (1, 2))
    assert bring(database, folder).skipped == []
    state = state_of(db, "c")
    assert state is not None
    ages = {
        key_id: (time.time() - datetime.fromisoformat(at).timestamp()) / DAY
        for key_id, (at, _) in state["times"]["lid-mapping"].items()
    }
    assert {name: round(age) for name, age in ages.items()} == {
        "1": 3,
        "2_reverse": 3,
        "3": 1,
        "4_reverse": 2,
    }
    # What went in is what the cleanup would keep.
    query = "select cleanup_expired_keys(p_company_id => 'c')"
    assert db.conn.execute(query).fetchone()[0] == 0


def test_a_mapping_that_cannot_be_read_is_kept(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "creds.json").write_text(json.dumps(CREDS))
    mapping(folder, "1", "2", (30, 30))
    for name in ("lid-mapping-1.json", "lid-mapping-2_reverse.json"):
        (folder / name).write_text(json.dumps("v1:" + "c2VjcmV0" * 8))
        os.utime(folder / name, (time.time() - 30 * DAY,) * 2)
    report = bring(database, folder)
    state = state_of(db, "c")
    assert state is not None
    assert "1" in state["keys"]["lid-mapping"]
    assert report.keys["lid-mapping"] == 2


def test_the_age_of_mappings_is_a_choice(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "creds.json").write_text(json.dumps(CREDS))
    mapping(folder, "1", "2", (8, 8))
    plan = bring(database, folder, Options(lid_ttl=timedelta(days=9), dry_run=True))
    assert plan.skipped == []
    plan = bring(database, folder, Options(lid_ttl=timedelta(days=7), dry_run=True))
    assert len(plan.skipped) == 2
    assert bring(database, folder, replace(NO_BACKUP, lid_ttl=None)).skipped == []


def test_sessions_in_the_database_keep_mappings_that_a_merge_brings(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "creds.json").write_text(json.dumps(CREDS))
    mapping(folder, "1", "2", (8, 8))
    with AuthState(db.service_dsn, "c") as state:
        state.set_keys({"session": {"2_1.0": {}}})
    assert bring(database, folder, replace(NO_BACKUP, mode="merge")).skipped == []


# Backups


def unpacked(archive: Path, target: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(target)  # ours; Debian 12 has Python 3.11.2, which knows no filter
    (folder,) = target.iterdir()
    return folder


def test_the_backup_holds_every_file_and_their_sums(database: Database, tmp_path: Path) -> None:
    folder = sample(NAMES).copy(tmp_path)
    (folder / "creds.json.bak").write_text("old")
    long = f"session-{'1' * 180}.0.json"
    (folder / long).write_text("{}")
    (folder / "session-é.json").write_text("{}")
    report = bring(database, folder, Options())
    assert report.backup is not None
    archive = Path(report.backup)
    assert archive.parent == tmp_path
    assert archive.name.startswith(f"{NAMES}-2")
    assert archive.name.endswith(".tar.gz")
    assert archive.stat().st_mode & 0o777 == 0o600

    copy = unpacked(archive, tmp_path / "unpacked")
    assert copy.name == NAMES
    there = {path.name: path for path in copy.iterdir()}
    manifest = there.pop("SHA256SUMS").read_text()
    assert there.keys() == {path.name for path in folder.iterdir()}
    for name, path in there.items():
        assert path.read_bytes() == (folder / name).read_bytes()
        assert int(path.stat().st_mtime) == int((folder / name).stat().st_mtime)
        assert path.stat().st_mode & 0o777 == 0o600
        assert f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" in manifest
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(command, cwd=copy).returncode == 0
    command = ["tar", "--diff", "--file", archive]  # GNU tar reads it too
    assert subprocess.run(["gzip", "--test", archive]).returncode == 0


def test_a_restored_backup_can_be_imported_and_backed_up(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    report = bring(database, folder, Options(backup=tmp_path / "backups"))
    assert report.backup is not None
    copy = unpacked(Path(report.backup), tmp_path / "unpacked")
    again = import_folder(database, copy, "again", Options(backup=tmp_path / "backups"))
    assert again.keys == report.keys
    assert again.backup is not None
    unpacked(Path(again.backup), tmp_path / "unpacked again")
    assert len(list((tmp_path / "backups").iterdir())) == 2


def test_there_is_no_backup_where_none_is_wanted(database: Database, tmp_path: Path) -> None:
    folder = sample(SMALL).copy(tmp_path)
    assert bring(database, folder, NO_BACKUP).backup is None
    assert [path.name for path in tmp_path.iterdir()] == [SMALL]


def test_a_backup_that_cannot_be_made_stops_the_import(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        bring(database, sample(SMALL).copy(tmp_path), Options(backup=tmp_path / "file"))
    assert state_of(db, SMALL) is None


def test_a_backup_is_a_stream_and_not_in_memory(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    for number in range(20):
        (folder / f"session-{number}.0.json").write_text(f'"{number:x<200000}"')
    report = bring(database, folder, Options(backup=tmp_path / "backups"))
    assert report.backup is not None
    copy = unpacked(Path(report.backup), tmp_path / "unpacked")
    assert (copy / "session-19.0.json").read_text() == f'"{19:x<200000}"'


# Accounts that exist


def change(db: TestedDatabase, company_id: str = SMALL) -> None:
    """What a bot does that has run in the meantime."""
    with AuthState(db.service_dsn, company_id) as state:
        one, other, *_ = [row.key_id for row in state.list_keys("pre-key")]
        data = {"session": {"9.0": {"new": 1}}, "pre-key": {one: None, other: {"changed": 1}}}
        assert state.set_keys(data) == 3


def test_an_account_that_exists_is_not_touched(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    bring(database, folder)
    change(db)
    before = state_of(db, SMALL)
    for options in (Options(), Options(resume=True), Options(dry_run=True)):
        with pytest.raises(UnsafeRequest, match="exists"):
            bring(database, folder, options)
    assert state_of(db, SMALL) == before
    assert [path.name for path in tmp_path.iterdir()] == [SMALL]


def test_an_account_that_is_there_already_is_done_when_resuming(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    bring(database, folder)
    with pytest.raises(UnsafeRequest, match="exists"):
        bring(database, folder)
    report = bring(database, folder, Options(resume=True))
    assert report.status == "there already"
    assert report.backup is None


def test_a_merge_adds_what_is_missing(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    bring(database, folder)
    change(db)
    before = state_of(db, SMALL)
    assert before is not None
    report = bring(database, folder, replace(NO_BACKUP, mode="merge", chunk=1000))
    after = state_of(db, SMALL)
    assert after is not None
    assert report.written == 1
    assert report.kept == ["pre-key-3.json"]
    assert after["keys"]["pre-key"].pop("2") == sample(SMALL).keys["pre-key"]["2"]
    assert after["keys"] == before["keys"]


@pytest.mark.parametrize("chunk", [importing.CHUNK, 3000])
def test_a_replacement_leaves_only_what_is_in_the_folder(
    db: TestedDatabase, database: Database, tmp_path: Path, chunk: int
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    bring(database, folder)
    before = state_of(db, SMALL)
    change(db)
    report = bring(database, folder, Options(mode="replace", chunk=chunk))
    assert report.replaced == {
        "creds": 1,
        "app-state-sync-key": 1,
        "app-state-sync-version": 4,
        "pre-key": 4,
        "sender-key": 2,
        "sender-key-memory": 1,
        "session": 2,
    }
    assert state_of(db, SMALL) == before


@pytest.mark.parametrize("chunk", [importing.CHUNK, 3000])
def test_another_identity_is_not_replaced_unless_that_is_meant(
    db: TestedDatabase, database: Database, tmp_path: Path, chunk: int
) -> None:
    bring(database, sample(SMALL).copy(tmp_path))
    before = state_of(db, SMALL)
    other = sample("company_962306").copy(tmp_path)
    options = Options(mode="replace", backup=tmp_path / "backups", chunk=chunk)
    with pytest.raises(IdentityChangeRefused):
        import_folder(database, other, SMALL, options)
    assert state_of(db, SMALL) == before
    assert not (tmp_path / "backups").exists()
    import_folder(database, other, SMALL, replace(options, allow_new_identity=True))
    state = state_of(db, SMALL)
    assert state is not None
    assert state["keys"] == sample("company_962306").keys


def test_the_database_guards_the_identity_too(
    db: TestedDatabase, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(database, sample(SMALL).copy(tmp_path))
    before = state_of(db, SMALL)
    monkeypatch.setattr(importing, "is_paired", lambda creds: False)
    other = sample("company_962306").copy(tmp_path)
    with pytest.raises(IdentityChangeRefused):
        import_folder(database, other, SMALL, Options(mode="replace", chunk=3000))
    assert state_of(db, SMALL) == before


def test_two_accounts_are_not_merged(
    db: TestedDatabase, database: Database, tmp_path: Path
) -> None:
    bring(database, sample(SMALL).copy(tmp_path))
    before = state_of(db, SMALL)
    other = sample("company_962306").copy(tmp_path)
    with pytest.raises(IdentityChangeRefused):
        import_folder(database, other, SMALL, Options(mode="merge"))
    assert state_of(db, SMALL) == before


@pytest.mark.parametrize("mode", ["new", "merge", "replace"])
def test_an_account_under_a_lease_is_not_touched(
    db: TestedDatabase, database: Database, tmp_path: Path, mode: Any
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    if mode != "new":
        bring(database, folder)
    before = state_of(db, SMALL)
    with AuthState(db.service_dsn, SMALL) as state:
        state.acquire_lease("somebody")
    for dry_run in (True, False):
        with pytest.raises(LeaseLost) as caught:
            bring(database, folder, Options(mode=mode, dry_run=dry_run))
        assert "somebody" in str(caught.value)
    assert state_of(db, SMALL) == before
    assert [path.name for path in tmp_path.iterdir()] == [SMALL]


@pytest.mark.parametrize("mode", ["new", "merge", "replace"])
def test_a_dry_run_says_all_and_writes_nothing(
    db: TestedDatabase, database: Database, tmp_path: Path, mode: Any
) -> None:
    folder = sample(LARGE).copy(tmp_path)
    if mode != "new":
        bring(database, folder)
        change(db, LARGE)
    before = state_of(db, LARGE)
    planned = bring(database, folder, Options(mode=mode, dry_run=True))
    assert planned.status == "would be imported"
    assert state_of(db, LARGE) == before
    assert [path.name for path in tmp_path.iterdir()] == [LARGE]
    done = bring(database, folder, replace(NO_BACKUP, mode=mode))
    assert (planned.keys, planned.skipped, planned.replaced) == (
        done.keys,
        done.skipped,
        done.replaced,
    )


def test_of_two_imports_at_once_one_does_it(db: TestedDatabase, tmp_path: Path) -> None:
    folder = sample(LARGE).copy(tmp_path)

    def job() -> str:
        try:
            with Database(db.service_dsn) as database:
                return bring(database, folder).status
        except UnsafeRequest:
            return "refused"

    processes = [Process(job) for _ in range(4)]
    assert sorted(process.result() for process in processes) == ["imported"] + ["refused"] * 3


def test_an_import_works_whatever_the_database_sets_as_isolation_level(
    db: TestedDatabase, tmp_path: Path
) -> None:
    db.conn.execute(f"alter database {db.name} set default_transaction_isolation = 'serializable'")
    try:
        with Database(db.service_dsn) as database:
            assert bring(database, sample(SMALL).copy(tmp_path)).status == "imported"
    finally:
        db.conn.execute(f"alter database {db.name} reset default_transaction_isolation")


def test_progress_is_told(database: Database, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    folder = sample(LARGE).copy(tmp_path)
    listen: Callable[[str, int, int], None] = lambda *step: steps.append(step)  # noqa: E731
    options = replace(NO_BACKUP, chunk=20_000)
    import_folder(database, folder, "c", options, on_progress=listen)
    assert steps[0] == ("read", 256, 337)
    assert steps[-1][0] == "write"
    assert steps[-1][1] == steps[-1][2]
    assert len(steps) > 4
