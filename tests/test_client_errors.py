"""What goes wrong in the database is the right exception, and never shows a value."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from harness.clients import Async, Sync, cluster, writing  # noqa: F401
from harness.creds import CREDS, creds
from pg_auth_state import (
    AuthStateError,
    IdentityChangeRefused,
    InvalidInput,
    LeaseLost,
    NotFound,
    UnsafeRequest,
    VersionConflict,
    _wire,
)

SECRET = "hunter2"  # by name, because a traceback shows the lines of this file
CLASSES = {
    "WA001": InvalidInput,
    "WA002": LeaseLost,
    "WA003": VersionConflict,
    "WA004": NotFound,
    "WA005": IdentityChangeRefused,
    "WA006": UnsafeRequest,
}


@pytest.fixture(params=[Sync, Async], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind = request.param()
    yield kind
    kind.close()


@pytest.mark.parametrize("code", CLASSES)
def test_every_code_has_its_exception(kind: Any, db: Any, code: str) -> None:
    db.conn.execute(
        f"""
        create or replace function auth_get_creds(p_company_id text) returns jsonb
        language plpgsql as $$ begin
          raise exception using errcode = '{code}', message = 'm', detail = 'd', hint = 'h';
        end $$
        """
    )
    with pytest.raises(AuthStateError) as caught:
        kind.state(db.service_dsn).get_creds()
    error = caught.value
    assert type(error) is CLASSES[code]
    assert (error.sqlstate, error.message, error.detail, error.hint) == (code, "m", "d", "h")
    assert error.company_id == "c1"
    assert str(error) == "m\nDETAIL: d\nHINT: h"


def test_other_errors_stay_psycopgs_own(kind: Any, db: Any) -> None:
    db.conn.execute(
        "create or replace function auth_get_creds(p_company_id text) returns jsonb "
        "language plpgsql as $$ begin perform 1 / 0; return null; end $$"
    )
    with pytest.raises(psycopg.errors.DivisionByZero):
        kind.state(db.service_dsn).get_creds()


def test_a_busy_account_is_an_operational_error(kind: Any, db: Any) -> None:
    state = kind.state(kind.connection(db.service_dsn, options="-c auth_state.lock_wait=100ms"))
    with writing(db, "c1", creds(a=1)), pytest.raises(psycopg.errors.LockNotAvailable) as caught:
        state.save_creds(creds(a=2))
    assert caught.value.diag.message_hint


@pytest.mark.parametrize(
    "sent",
    [
        '{"noiseKey": "hunter2", "x": \\}',
        '{"noiseKey": "hunter2\\u0000"}',
        '{"noiseKey": "hunter2\\ud83d"}',
        '{"noiseKey": hunter2}',
        '{"noiseKey": "hunter2"',
        '{"noiseKey": "hunter2", "a": 1e999999}',
    ],
)
def test_json_that_the_server_cannot_read_is_not_quoted(
    kind: Any, db: Any, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The client sends no such thing: this is for the day when it does by mistake.
    monkeypatch.setattr(_wire, "compact", lambda encoded: sent)
    for connection in (
        db.service_dsn,
        kind.connection(db.service_dsn),
        kind.pool(db.service_dsn, min_size=1),
    ):
        with pytest.raises((InvalidInput, psycopg.Error)) as caught:
            kind.state(connection).save_creds(CREDS)
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))
        assert "hunter2" not in str(caught.value)
        seen: BaseException | None = caught.value
        while seen is not None:
            assert "hunter2" not in repr(seen)
            seen = seen.__context__ or seen.__cause__


def test_a_refused_value_is_in_no_error_text(kind: Any, db: Any) -> None:
    state = kind.state(db.service_dsn)
    paired = {"noiseKey": SECRET, "signedIdentityKey": "x", "account": {"a": SECRET}}
    state.save_creds(paired)
    for call in (
        lambda: state.save_creds({**paired, "noiseKey": SECRET + "-other"}),
        lambda: state.save_creds(SECRET),
        lambda: state.set_keys({"x" * 200: {"1": SECRET}}),
        lambda: state.set_keys({"session": {"x" * 2000: SECRET}}),
        lambda: state.set_keys({"session": {"": SECRET}}),
        lambda: state.import_state({"format": SECRET}),
        lambda: state.import_state({"format": 1, "creds": [SECRET], "keys": SECRET}),
    ):
        with pytest.raises(AuthStateError) as caught:
            call()
        assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_an_error_can_be_pickled() -> None:
    error = VersionConflict("m", detail="d", hint="h", company_id="c1")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.company_id) == (VersionConflict, str(error), "c1")
