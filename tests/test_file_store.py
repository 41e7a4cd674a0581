"""One interface over either store: what holds for the database holds for files, if it can."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Database as TestedDatabase
from harness.creds import CREDS, creds
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.folders import LARGE, NAMES, SMALL, contents, sample
from harness.library import Library, library  # noqa: F401 (a fixture)
from harness.processes import Process
from pg_auth_state import (
    AuthState,
    FileAuthState,
    IdentityChangeRefused,
    InvalidInput,
    NotFound,
    UnsafeRequest,
    open_auth_state,
)
from pg_auth_state.files import atomic
from pg_auth_state.files.database import Database
from pg_auth_state.files.exporting import export_folder
from pg_auth_state.files.flag import uses_database
from pg_auth_state.files.importing import Options, import_folder
from pg_auth_state.files.problems import FolderError

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)

PAIRED = {
    "me": {"id": "1:2@s.whatsapp.net"},
    "noiseKey": {"private": b"1"},
    "signedIdentityKey": {"private": b"2"},
}


@pytest.fixture(params=["files", "database"])
def state(
    request: pytest.FixtureRequest, db: TestedDatabase, tmp_path: Path
) -> Iterator[AuthState | FileAuthState]:
    """The same tests for both."""
    opened = open_auth_state(
        folder=tmp_path / "c",
        dsn=db.service_dsn,
        company_id="c",
        environment={"USE_DATABASE_AUTH_STATE": str(request.param == "database")},
    )
    assert type(opened) is (AuthState if request.param == "database" else FileAuthState)
    with opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> FileAuthState:
    return FileAuthState(tmp_path / "c")


def test_creds_are_there_or_none(state: Any) -> None:
    assert state.company_id == "c"
    assert state.get_creds() is None
    assert state.init_creds(creds(a=b"\x01")) == creds(a=b"\x01")
    assert state.init_creds(creds(a=b"\x02")) == creds(a=b"\x01")
    assert isinstance(state.save_creds(creds(a=b"\x03", name="\ud83d\0")), int)
    assert state.get_creds() == creds(a=b"\x03", name="\ud83d\0")


def test_keys_are_written_asked_for_listed_and_deleted(state: Any) -> None:
    data = {
        "session": {"1.0": {"v": b"\x01"}, "2.0": {"v": 2}},
        "sender-key": {"1-2@g.us::3_1::0": b"\x02"},
        "app-state-sync-key": {"a/b+c=": {"keyData": "AQID"}},
    }
    assert state.set_keys(data) == 4
    assert state.set_keys(data) == 0
    assert state.get_keys("session", ["1.0", "3.0"]) == {"1.0": {"v": b"\x01"}, "3.0": None}
    wanted = {key_type: [*ids, "none"] for key_type, ids in data.items()}
    found = state.get_keys(wanted)
    assert found == {key_type: {**ids, "none": None} for key_type, ids in data.items()}
    assert state.set_keys({"session": {"1.0": None, "9.0": None}}) == 1
    (row,) = state.list_keys("session")
    assert (row.key_id, row.value, row.expires_at) == ("2.0", {"v": 2}, None)
    (row,) = state.list_keys("app-state-sync-key", values=False)
    assert (row.key_id, row.value) == ("a/b+c=", None)
    assert state.clear_keys("session") == 1
    assert state.clear_keys() == 2
    assert state.clear_keys() == 0


def test_values_that_are_false_are_values(state: Any) -> None:
    values = {"1.0": 0, "2.0": "", "3.0": False, "4.0": [], "5.0": {}}
    assert state.set_keys({"session": values}) == 5
    assert state.get_keys("session", list(values)) == values


def test_pages_are_in_byte_order(state: Any) -> None:
    names = ["z", "a", "\U0001f600", "\uffff", "10", "2"]
    state.set_keys({"session": dict.fromkeys(names, 1)})
    first = [row.key_id for row in state.list_keys("session", limit=4)]
    rest = [row.key_id for row in state.list_keys("session", after=first[-1])]
    assert first + rest == sorted(names, key=str.encode)
    with pytest.raises(InvalidInput):
        state.list_keys("session", limit=0)


def test_creds_of_a_paired_account_are_not_replaced_by_another_identity(state: Any) -> None:
    state.save_creds(PAIRED)
    other = {**PAIRED, "noiseKey": {"private": b"9"}}
    for another in (other, CREDS, creds(me=PAIRED["me"])):
        with pytest.raises(IdentityChangeRefused):
            state.save_creds(another)
    assert state.get_creds() == PAIRED
    state.save_creds({**PAIRED, "more": 1})
    state.save_creds(other, allow_new_identity=True)
    assert state.get_creds() == other


def test_creds_and_keys_are_saved_together(state: Any) -> None:
    state.save_state(PAIRED, {"session": {"1.0": 1}})
    with pytest.raises(IdentityChangeRefused):
        state.save_state(CREDS, {"session": {"1.0": 2}})
    assert state.get_creds() == PAIRED
    assert state.get_keys("session", ["1.0"]) == {"1.0": 1}


def test_what_one_store_exports_the_other_takes(
    state: Any, db: TestedDatabase, tmp_path: Path
) -> None:
    with pytest.raises(NotFound):
        state.export()
    state.save_state(PAIRED, {"session": {"1.0": {"v": b"\x01"}}, "lid-mapping": {"1": "2"}})
    exported = state.export()
    assert exported["creds"] == PAIRED
    with FileAuthState(tmp_path / "other") as files:
        assert files.import_state(exported) == 3
        with pytest.raises(UnsafeRequest, match="exists"):
            files.import_state(exported)
        again = files.export()
    with AuthState(db.service_dsn, "other") as database:
        assert database.import_state(again) == 3
        last = database.export()
    for key in ("creds", "creds_updated_at", "keys"):
        assert again[key] == exported[key]
        assert last[key] == exported[key]
    assert last["times"]["session"] == exported["times"]["session"]


def test_logging_out_leaves_nothing(state: Any, tmp_path: Path) -> None:
    state.save_state(PAIRED, {"session": {"1.0": 1}})
    assert state.delete_company() == 2
    assert state.get_creds() is None
    assert state.delete_company() == 0
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.save_creds(creds(a=float("nan"))),
        lambda s: s.save_creds([1]),
        lambda s: s.set_keys({"session": {"1.0": object()}}),
        lambda s: s.set_keys({"session": 1}),
        lambda s: s.set_keys([]),
        lambda s: s.get_keys("session", "1.0"),
        lambda s: s.get_keys({"session": "1.0"}),
    ],
)
def test_bad_input_is_refused_whole(state: Any, tmp_path: Path, call: Any) -> None:
    with pytest.raises(InvalidInput):
        call(state)
    assert not (tmp_path / "c").exists()


# What files cannot do is said, and not left out.
@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.acquire_lease("me"),
        lambda s: s.lease("me"),
        lambda s: s.renew_lease(1),
        lambda s: s.release_lease(1),
        lambda s: s.creds_version(),
        lambda s: s.save_creds(CREDS, expected_version=1),
        lambda s: s.save_creds(CREDS, lease_token=1),
        lambda s: s.init_creds(CREDS, lease_token=1),
        lambda s: s.set_keys({}, lease_token=1),
        lambda s: s.clear_keys(lease_token=1),
        lambda s: s.delete_company(lease_token=1),
        lambda s: s.import_state({}, lease_token=1),
        lambda s: s.import_state({}, mode="merge"),
        lambda s: s.set_keys({"session": {"1:1": 1, "1-1": 2}}),
    ],
)
def test_what_files_cannot_do_is_refused(cluster: object, files: FileAuthState, call: Any) -> None:
    with pytest.raises(UnsafeRequest):
        call(files)
    assert not files.folder.exists()


# useMultiFileAuthState takes a torn creds.json for none, and the account is lost.
@pytest.mark.parametrize("content", ["", '{"noiseKey":', "not JSON", '{"a":NaN}'])
def test_a_torn_file_is_an_error_and_never_missing(
    cluster: object, files: FileAuthState, content: str
) -> None:
    files.init_creds(creds(a=1))
    files.set_keys({"session": {"1.0": 1}})
    for name in ("creds.json", "session-1.0.json"):
        (files.folder / name).write_text(content)
    for call in (
        files.get_creds,
        lambda: files.init_creds(creds(b=1)),
        lambda: files.save_creds(creds(b=1)),
        lambda: files.get_keys("session", ["1.0"]),
        files.export,
    ):
        with pytest.raises(FolderError):
            call()
    assert (files.folder / "creds.json").read_text() == content
    files.set_keys({"session": {"1.0": 2}})  # a key can be written anew
    assert files.get_keys("session", ["1.0"]) == {"1.0": 2}


def test_files_are_their_owner_s_only(cluster: object, files: FileAuthState) -> None:
    old = os.umask(0)
    try:
        files.save_state(creds(a=1), {"session": {"1.0": 1}})
    finally:
        os.umask(old)
    assert files.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in files.folder.iterdir()} == {0o600}


def test_a_file_is_never_torn_whenever_its_writer_is_killed(
    cluster: object, files: FileAuthState
) -> None:
    files.init_creds(creds(turn=0, pad="x" * 100_000))

    def writing() -> None:
        turn = 0
        while True:
            turn += 1
            files.save_creds(creds(turn=turn, pad="x" * 100_000))
            files.set_keys({"session": {"1.0": {"turn": turn, "pad": "y" * 100_000}}})

    for _ in range(8):
        process = Process(writing)
        for _ in range(30):
            assert files.get_creds() is not None
            files.get_keys("session", ["1.0"])
        process.kill()
        files = FileAuthState(files.folder)
        assert len((files.get_creds() or {})["pad"]) == 100_000
    files.set_keys({"session": {"1.0": None, "2.0": 1}})  # and what was left aside is removed
    assert {path.name for path in files.folder.iterdir()} == {"creds.json", "session-2.0.json"}


def test_what_is_written_is_on_the_disk_before_it_is_seen(
    cluster: object, files: FileAuthState, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.init_creds(creds(a=1))
    events: list[str] = []
    really_sync, really_rename = os.fsync, Path.rename
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append("fsync"), really_sync(fd)))
    monkeypatch.setattr(
        atomic.Path, "rename", lambda a, b: (events.append("rename"), really_rename(a, b))
    )
    files.save_creds(creds(a=2))
    assert events == ["fsync", "rename", "fsync"]


def test_threads_of_one_process_may_share_it(cluster: object, files: FileAuthState) -> None:
    won: list[Any] = []

    def initialise(number: int) -> None:
        won.append(files.init_creds(creds(number=number)))

    threads = [threading.Thread(target=initialise, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 8
    assert all(each == won[0] for each in won)


def test_old_forms_are_read_as_the_database_would_have_them(
    cluster: object, tmp_path: Path, db: TestedDatabase
) -> None:
    for name in (SMALL, "company_962306", "company_962304"):
        folder = sample(name).copy(tmp_path)
        with Database(db.service_dsn) as database:
            import_folder(database, folder, name, Options(backup=False, lid_ttl=None))
        with AuthState(db.service_dsn, name) as stored:
            there, ours = stored.export(), FileAuthState(folder).export()
        assert (ours["creds"], ours["keys"]) == (there["creds"], there["keys"])


def test_the_real_library_reads_what_is_written(
    cluster: object,
    files: FileAuthState,
    library: Library,  # noqa: F811
) -> None:
    each = sample(NAMES)
    expected = each.expected["creds"]
    files.save_creds(expected)
    files.set_keys(each.keys)
    assert library.differing(files.folder, expected, each.keys) == []
    assert contents(files.folder) == contents(each.path)


# The flag


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "yes", "on", " True "])
def test_the_flag_is_on(cluster: object, value: str) -> None:
    assert uses_database({"USE_DATABASE_AUTH_STATE": value})


@pytest.mark.parametrize("value", ["0", "false", "No", "off", ""])
def test_the_flag_is_off(cluster: object, value: str) -> None:
    assert not uses_database({"USE_DATABASE_AUTH_STATE": value})
    assert not uses_database({})


def test_the_flag_is_not_guessed(
    cluster: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USE_DATABASE_AUTH_STATE", "ture")
    with pytest.raises(InvalidInput, match="USE_DATABASE_AUTH_STATE"):
        open_auth_state(folder=tmp_path, dsn="", company_id="c")


def test_with_the_flag_off_no_database_is_needed(cluster: object, tmp_path: Path) -> None:
    dsn = "postgresql://nobody@127.0.0.1:1/none"
    with open_auth_state(folder=tmp_path / "c", dsn=dsn, company_id="c", environment={}) as state:
        assert state.init_creds(creds(a=1)) == creds(a=1)


# A program that finds no creds makes new ones, and pairs anew.
def test_an_account_that_was_not_imported_is_not_begun_anew(
    db: TestedDatabase, tmp_path: Path
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    flag = {"USE_DATABASE_AUTH_STATE": "true"}
    with pytest.raises(UnsafeRequest, match="not in the database") as caught:
        open_auth_state(folder=folder, dsn=db.service_dsn, company_id=SMALL, environment=flag)
    assert f"pg-auth-state import {folder}" in str(caught.value)
    with Database(db.service_dsn) as database:
        import_folder(database, folder, SMALL, Options(backup=False))
    with open_auth_state(
        folder=folder, dsn=db.service_dsn, company_id=SMALL, environment=flag
    ) as state:
        assert state.get_creds() is not None


def run(state: Any, message: int) -> None:
    """What a bot does with its state when a message comes."""
    found = state.get_creds()
    state.save_creds({**found, "nextPreKeyId": found["nextPreKeyId"] + 1})
    (session_id, *_) = [row.key_id for row in state.list_keys("session")]
    session = state.get_keys("session", [session_id])[session_id]
    state.set_keys({"session": {session_id: {**session, "message": message}}})
    state.set_keys({"pre-key": {str(90 + message): {"public": b"\x05", "private": b"\x06"}}})


def test_the_whole_journey_to_the_database_and_back(
    db: TestedDatabase,
    library: Library,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = sample(LARGE).copy(tmp_path)

    def opened(flag: str) -> Any:
        return open_auth_state(
            folder=folder,
            dsn=db.service_dsn,
            company_id=LARGE,
            environment={"USE_DATABASE_AUTH_STATE": flag},
        )

    with opened("false") as state:
        run(state, 1)
    with Database(db.service_dsn) as database:
        assert import_folder(database, folder, LARGE, Options()).status == "imported"
        with opened("true") as state:
            run(state, 2)
            before = state.export()
        folder.rename(tmp_path / "old")
        export_folder(database, LARGE, folder)
    with opened("false") as state:
        after = state.export()
        assert (after["creds"], after["keys"]) == (before["creds"], before["keys"])
        run(state, 3)
        final = state.export()
    ids = {key_type: {i: None for i in values} for key_type, values in final["keys"].items()}
    written = {
        key_type: {
            key_id: json.loads((folder / f"{key_type}-{key_id}.json").read_bytes())
            for key_id in values
        }
        for key_type, values in ids.items()
        if key_type in ("session", "pre-key", "lid-mapping", "device-list")
    }
    found = json.loads((folder / "creds.json").read_bytes())
    assert library.differing(folder, found, written) == []
    assert {"91", "92", "93"} <= written["pre-key"].keys()
