"""Every method of both clients against the functions in the database."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest

from harness.clients import Async, Sync, cluster  # noqa: F401
from harness.creds import CREDS, creds
from pg_auth_state import (
    AsyncAuthState,
    AuthState,
    Company,
    IdentityChangeRefused,
    InvalidInput,
    LeaseLost,
    NotFound,
    UnsafeRequest,
    VersionConflict,
    install,
)

PAIRED = {
    "noiseKey": {"public": b"n" * 32},
    "signedIdentityKey": {"public": b"s" * 32},
    "me": {"id": "5511999999999:23@s.whatsapp.net", "name": "Ana\0Maria 😀 \ud83d"},
    "account": {"details": b"d"},
}


@pytest.fixture(params=[Sync, Async], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind = request.param()
    yield kind
    kind.close()


@pytest.fixture
def state(kind: Any, db: Any) -> Any:
    return kind.state(db.service_dsn)


def test_both_clients_have_the_same_methods() -> None:
    def signatures(cls: type) -> dict[str, list[str]]:
        return {
            name.replace("__a", "__"): list(inspect.signature(member).parameters)
            for name, member in vars(cls).items()
            if inspect.isfunction(member)
        }

    assert signatures(AuthState) == signatures(AsyncAuthState)


def test_every_function_has_its_method(state: Any, db: Any) -> None:
    functions = db.conn.execute(
        "select distinct proname from pg_proc p where pronamespace = 'public'::regnamespace "
        "and proname not like '\\_%' and pg_get_userbyid(proowner) = 'auth_state_owner'"
    ).fetchall()
    names = {name.removeprefix("auth_") for (name,) in functions}
    names = {"import_state" if name == "import" else name for name in names}
    assert names
    assert [name for name in sorted(names) if not hasattr(AuthState, name)] == []


def test_an_account_that_has_no_creds_has_none(state: Any) -> None:
    assert state.get_creds() is None
    assert state.creds_version() is None


def test_the_first_creds_win(state: Any) -> None:
    assert state.init_creds(creds(noiseKey=b"1")) == creds(noiseKey=b"1")
    assert state.init_creds(creds(noiseKey=b"2")) == creds(noiseKey=b"1")


def test_creds_come_back_as_they_were_saved(state: Any) -> None:
    version = state.save_creds(PAIRED)
    assert state.get_creds() == PAIRED
    assert state.creds_version() == version


def test_unchanged_creds_keep_their_version(state: Any) -> None:
    version = state.save_creds(PAIRED)
    assert state.save_creds(PAIRED) == version
    assert state.save_creds({**PAIRED, "x": 1}) > version


def test_a_version_that_is_not_expected_is_a_conflict(state: Any) -> None:
    version = state.save_creds(PAIRED)
    newer = state.save_creds({**PAIRED, "counter": 1}, expected_version=version)
    with pytest.raises(VersionConflict) as caught:
        state.save_creds(PAIRED, expected_version=version)
    assert caught.value.sqlstate == "WA003"
    assert caught.value.company_id == "c1"
    assert state.creds_version() == newer


def test_another_identity_is_refused_unless_it_is_meant(state: Any) -> None:
    state.save_creds(PAIRED)
    other = {**PAIRED, "noiseKey": {"public": b"x" * 32}}
    with pytest.raises(IdentityChangeRefused) as caught:
        state.save_creds(other)
    assert caught.value.hint
    assert state.get_creds() == PAIRED
    state.save_creds(other, allow_new_identity=True)
    assert state.get_creds() == other


def test_keys_are_asked_for_in_two_ways(state: Any) -> None:
    assert state.set_keys({"session": {"1.0": {"a": b"1"}}, "lid-mapping": {"55": "99"}}) == 2
    assert state.get_keys({"session": ["1.0", "2.0"], "lid-mapping": ["55"]}) == {
        "session": {"1.0": {"a": b"1"}, "2.0": None},
        "lid-mapping": {"55": "99"},
    }
    assert state.get_keys("session", ["1.0", "2.0"]) == {"1.0": {"a": b"1"}, "2.0": None}
    assert state.get_keys("session", []) == {}
    assert state.get_keys({}) == {}


def test_none_deletes_and_what_is_unchanged_is_not_counted(state: Any) -> None:
    state.set_keys({"pre-key": {"1": {"a": 1}, "2": {"a": 2}}})
    assert state.set_keys({"pre-key": {"1": {"a": 1}, "2": None, "3": None}}) == 1
    assert state.get_keys("pre-key", ["1", "2"]) == {"1": {"a": 1}, "2": None}


def test_ids_are_any_text(state: Any) -> None:
    ids = ["type", "data", "a\"b\\c'd%s", "5511-160@g.us::1::0", "+/=", "é😀", "__index"]
    assert state.set_keys({"a%s'\"": {key_id: key_id for key_id in ids}}) == len(ids)
    assert state.get_keys("a%s'\"", ids) == {key_id: key_id for key_id in ids}


def test_bytes_are_kept_wherever_they_stand(state: Any) -> None:
    values = {
        "1": bytes(range(256)),
        "2": [b"", {"deep": [b"\0"]}],
        "3": "plain",
        "4": "\0",
        "5": 1.5,
        "6": False,
        "7": [],
        "8": {},
        "9": 0,
    }
    state.set_keys({"identity-key": values})
    assert state.get_keys("identity-key", list(values)) == values


def test_creds_and_keys_are_saved_together(state: Any) -> None:
    version = state.save_state(PAIRED, {"session": {"1.0": {"a": 1}}})
    assert state.creds_version() == version
    with pytest.raises(VersionConflict):
        state.save_state(PAIRED, {"session": {"1.0": None}}, expected_version=version + 1)
    assert state.get_keys("session", ["1.0"]) == {"1.0": {"a": 1}}


def test_keys_are_listed_page_by_page(state: Any) -> None:
    state.set_keys({"lid-mapping": {str(number): b"x" for number in range(5)}})
    first = state.list_keys("lid-mapping", limit=3)
    assert [row.key_id for row in first] == ["0", "1", "2"]
    assert [row.value for row in first] == [b"x"] * 3
    assert first[0].updated_at.tzinfo is not None
    assert first[0].expires_at == first[0].updated_at + timedelta(days=7)
    rest = state.list_keys("lid-mapping", after="2", values=False)
    assert [(row.key_id, row.value) for row in rest] == [("3", None), ("4", None)]


def test_rows_do_not_change(state: Any) -> None:
    state.set_keys({"session": {"1.0": {}}})
    with pytest.raises(FrozenInstanceError):
        state.list_keys("session")[0].key_id = "2.0"


def test_accounts_are_listed_page_by_page(state: Any, kind: Any, db: Any) -> None:
    version = state.save_creds(PAIRED)
    kind.state(db.service_dsn, "c2").set_keys({"session": {"1.0": {}, "2.0": {}}})
    everything = kind.state(db.service_dsn, None)
    first, second = everything.list_companies()
    assert first == Company("c1", version, 0, first.updated_at)
    assert second == Company("c2", None, 2, second.updated_at)
    assert everything.list_companies(limit=1) == [first]
    assert everything.list_companies(after="c1") == [second]


def test_keys_are_cleared_by_type_or_all(state: Any) -> None:
    state.save_state(PAIRED, {"session": {"1.0": {}, "2.0": {}}, "pre-key": {"1": {}}})
    assert state.clear_keys("session") == 2
    assert state.clear_keys() == 1
    assert state.get_creds() == PAIRED


def test_deleting_leaves_nothing(state: Any) -> None:
    state.save_state(PAIRED, {"session": {"1.0": {}}})
    assert state.delete_company() == 2
    assert state.get_creds() is None
    assert state.delete_company() == 0


def test_what_export_gives_import_takes(state: Any, kind: Any, db: Any) -> None:
    state.save_state(PAIRED, {"session": {"1.0": {"a": b"1"}}, "lid-mapping": {"55": "9\0"}})
    exported = state.export()
    assert exported["creds"] == PAIRED
    assert exported["keys"] == {"session": {"1.0": {"a": b"1"}}, "lid-mapping": {"55": "9\0"}}
    copy = kind.state(db.service_dsn, "copy")
    assert copy.import_state(exported) == 3
    assert copy.export() == exported
    with pytest.raises(UnsafeRequest):
        copy.import_state(exported)
    assert copy.import_state(exported, mode="merge") == 0
    copy.import_state({**exported, "keys": {}, "times": {}}, mode="replace")
    assert copy.export()["keys"] == {}


def test_a_lease_keeps_everybody_else_from_writing(state: Any, kind: Any, db: Any) -> None:
    lease = state.acquire_lease("server-1", ttl=timedelta(minutes=2))
    assert lease.acquired
    remaining = lease.expires_at - datetime.now(timezone.utc)
    assert timedelta(minutes=1) < remaining < timedelta(minutes=3)
    other = kind.state(db.service_dsn)
    refused = other.acquire_lease("server-2")
    assert (refused.acquired, refused.token, refused.holder) == (False, None, "server-1")
    with pytest.raises(LeaseLost):
        other.set_keys({"session": {"1.0": {}}})
    assert state.set_keys({"session": {"1.0": {}}}, lease_token=lease.token) == 1
    assert state.renew_lease(lease.token) > lease.expires_at - timedelta(minutes=2)

    stolen = other.acquire_lease("server-2", steal=True)
    assert stolen.acquired
    for write in (
        lambda: state.save_creds(PAIRED, lease_token=lease.token),
        lambda: state.init_creds(PAIRED, lease_token=lease.token),
        lambda: state.save_state(PAIRED, {}, lease_token=lease.token),
        lambda: state.clear_keys(lease_token=lease.token),
        lambda: state.delete_company(lease_token=lease.token),
        lambda: state.renew_lease(lease.token),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert state.release_lease(lease.token) is False
    assert other.release_lease(stolen.token) is True


def test_expired_keys_are_removed_in_batches(state: Any, kind: Any, db: Any) -> None:
    everything = kind.state(db.service_dsn, None)
    assert everything.set_ttl("device-list", timedelta(milliseconds=1)) == 0
    state.set_keys({"device-list": {str(number): ["0"] for number in range(5)}})
    kind.state(db.service_dsn, "c2").set_keys({"device-list": {"1": ["0"]}})
    db.conn.execute("select pg_sleep(0.01)")
    assert everything.cleanup_expired_keys(dry_run=True) == 6
    assert state.cleanup_expired_keys(batch_size=3) == 3
    assert state.cleanup_expired_keys() == 2
    assert state.cleanup_expired_keys() == 0
    assert everything.cleanup_expired_keys() == 1
    assert everything.set_ttl("device-list", None) == 0


def test_types_that_an_account_needs_do_not_expire_unless_forced(kind: Any, db: Any) -> None:
    everything = kind.state(db.service_dsn, None)
    with pytest.raises(UnsafeRequest):
        everything.set_ttl("app-state-sync-key", timedelta(days=1))
    everything.set_ttl("app-state-sync-key", timedelta(days=1), force=True)


def test_earlier_creds_are_listed_and_restored(state: Any) -> None:
    first = state.save_creds(PAIRED | {"n": 1})
    second = state.save_creds(PAIRED | {"n": 2})
    (earlier,) = state.creds_history()
    assert (earlier.version, len(earlier.identity)) == (first, 32)
    assert earlier.saved_at.tzinfo is not None
    assert state.restore_creds(first) > second
    assert state.get_creds() == PAIRED | {"n": 1}
    with pytest.raises(NotFound):
        state.restore_creds(7)


def test_a_login_is_confined_to_an_account(state: Any, kind: Any, db: Any) -> None:
    db.conn.execute("drop role if exists confined; create role confined login")
    try:
        state.bind_role("confined")
        theirs = db.server.url(db.name, "confined")
        assert kind.state(theirs).set_keys({"session": {"1.0": {}}}) == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            kind.state(theirs, "c2").get_creds()
        assert kind.state(db.service_dsn, None).unbind_role("confined") is True
        assert state.unbind_role("confined") is False
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            kind.state(theirs).get_creds()
        with pytest.raises(InvalidInput):
            state.bind_role("nobody of this name")
    finally:
        kind.close()
        db.conn.execute("drop role confined")


def test_leases_and_what_was_done_are_listed(state: Any, kind: Any, db: Any) -> None:
    token = state.acquire_lease("server-1").token
    state.init_creds(creds(noiseKey=b"1"), lease_token=token)
    kind.state(db.service_dsn, "c2").init_creds(CREDS)
    (lease,) = state.list_leases()
    assert (lease.company_id, lease.holder, lease.is_live) == ("c1", "server-1", True)
    assert state.list_leases(after="c1") == []
    created, acquired = state.list_audit()
    assert (created.action, created.login, created.holder, created.rows) == (
        "creds_created",
        "app",
        "server-1",
        1,
    )
    assert (acquired.action, acquired.company_id, acquired.details) == (
        "lease_acquired",
        "c1",
        None,
    )
    assert state.list_audit(before=created.at) == [acquired]
    everything = kind.state(db.service_dsn, None)
    assert [event.company_id for event in everything.list_audit(limit=1)] == ["c2"]
    with pytest.raises(InvalidInput):
        state.list_audit(before=datetime(2026, 1, 1))


def test_numbers_and_sizes_are_by_account_and_type(state: Any, kind: Any, db: Any) -> None:
    state.set_keys({"session": {"1.0": {"a": "x" * 100}, "2.0": {}}})
    kind.state(db.service_dsn, "c2").set_keys({"pre-key": {"1": {}}})
    (stats,) = state.stats()
    assert (stats.company_id, stats.key_type, stats.keys, stats.expired) == ("c1", "session", 2, 0)
    assert stats.bytes > stats.largest > 100
    both = kind.state(db.service_dsn, None).stats()
    assert [(row.company_id, row.key_type) for row in both] == [
        ("c1", "session"),
        ("c2", "pre-key"),
    ]


def test_the_status_is_of_the_whole_installation(state: Any, kind: Any, db: Any) -> None:
    state.save_state(PAIRED, {"lid-mapping": {"1": "2"}})
    state.acquire_lease("server-1")
    everything = kind.state(db.service_dsn, None)
    status = everything.status()
    assert (status.schema, status.accounts, status.paired, status.live_leases) == (
        "public",
        1,
        1,
        1,
    )
    assert status.version == everything.schema_version()
    assert [(row.key_type, row.keys, row.ttl) for row in status.keys] == [
        ("lid-mapping", 1, "7 days")
    ]
    assert status.relation_bytes > 0
    job = everything.cleanup_job()
    assert job.pg_cron in ("absent", "elsewhere")
    assert job.job_id is None


@pytest.mark.parametrize("cluster", ["pg15-superuser", "pg15-login"], indirect=True)
def test_cleanup_is_scheduled_where_pg_cron_is(kind: Any, cron_db: Any) -> None:
    state = kind.state(cron_db.installer_dsn, None)
    number = state.schedule_cleanup()
    assert state.schedule_cleanup("5 4 * * *") == number
    job = state.cleanup_job()
    assert (job.pg_cron, job.job_id, job.schedule, job.active) == (
        "here",
        number,
        "5 4 * * *",
        True,
    )
    assert job.last_run is None
    assert state.unschedule_cleanup() is True
    assert state.unschedule_cleanup() is False


def test_an_account_is_needed_for_what_concerns_one(kind: Any) -> None:
    with pytest.raises(InvalidInput, match="no company_id"):
        kind.state("host=nowhere.invalid", None).get_creds()


@pytest.mark.parametrize("company_id", [1, b"c1", "c\0", "c\ud83d"])
def test_an_account_is_named_by_text(kind: Any, company_id: Any) -> None:
    with pytest.raises(InvalidInput, match="company_id"):
        kind.state("host=nowhere.invalid", company_id)


def test_bad_arguments_are_refused_before_anything_is_sent(kind: Any) -> None:
    state = kind.state("host=nowhere.invalid")
    for call in (
        lambda: state.save_creds([]),
        lambda: state.save_creds(creds(a=float("nan"))),
        lambda: state.save_creds(CREDS, expected_version="1"),
        lambda: state.set_keys({"session": []}),
        lambda: state.set_keys({}, lease_token=2**63),
        lambda: state.get_keys("session", "1.0"),
        lambda: state.get_keys("session", ["\0"]),
        lambda: state.acquire_lease("me", ttl=60),
        lambda: state.renew_lease(None),
        lambda: state.list_keys("session", limit="all"),
        lambda: state.cleanup_expired_keys(batch_size=2**31),
    ):
        with pytest.raises(InvalidInput) as caught:
            call()
        assert caught.value.sqlstate == "WA001"


def test_what_the_database_refuses_is_the_same_exception(state: Any) -> None:
    for call in (
        lambda: state.set_keys({"": {"1": 1}}),
        lambda: state.set_keys({"session": {"x" * 2000: 1}}),
        lambda: state.list_keys("session", limit=0),
        lambda: state.acquire_lease(""),
        lambda: state.acquire_lease("me", ttl=timedelta(0)),
    ):
        with pytest.raises(InvalidInput) as caught:
            call()
        assert caught.value.company_id == "c1"
        assert caught.value.detail


def test_no_right_is_an_error_and_not_an_empty_account(kind: Any, db: Any) -> None:
    db.conn.execute("drop role if exists stranger; create role stranger login")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        kind.state(db.server.url(db.name, "stranger")).get_creds()
    db.conn.execute("drop role stranger")


def test_no_installation_is_an_error_and_not_an_empty_account(kind: Any, empty_db: Any) -> None:
    with pytest.raises(psycopg.errors.UndefinedFunction):
        kind.state(empty_db.dsn).get_creds()


def test_it_may_live_in_a_schema_of_any_name(kind: Any, empty_db: Any) -> None:
    name = 'we"ird % schéma'
    install(empty_db.installer_dsn, name)
    state = kind.state(empty_db.installer_dsn, schema=name)
    assert state.status().schema == name
    state.save_creds(PAIRED)
    assert state.get_creds() == PAIRED
