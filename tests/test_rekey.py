"""`pg-auth-state rekey`: every value under the current key; stopped at any moment, it goes on."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Database
from harness.command import Command
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.processes import Process
from pg_auth_state import AuthState, DecryptionError, Keyring, PlaintextRefused
from pg_auth_state._identity import header
from pg_auth_state.keyfiles import KeyFile
from pg_auth_state.rekeying import rekey

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)

OLD, NEW = ({"kty": "oct", "kid": kid, "k": kid[0] * 43} for kid in ("old", "new"))
CREDS = {
    "noiseKey": {"public": b"n" * 32},
    "signedIdentityKey": {"public": b"s" * 32},
    "me": {"id": "5511900000301:7@s.whatsapp.net"},
}


def keys_of(number: int, turn: int = 0) -> dict[str, dict[str, Any]]:
    return {
        "session": {
            f"{n}.0": {"version": "v1", "turn": turn, "n": b"s%d" % n} for n in range(number)
        },
        "pre-key": {str(n): {"public": b"p%d" % n} for n in range(number)},
        "lid-mapping": {"5511": "118", "118_reverse": "5511"},
    }


def keyring(*keys: dict[str, str], **options: Any) -> Keyring:
    return Keyring.from_jwks({"keys": list(keys)}, **options)


def state_of(db: Database, *keys: dict[str, str], company: str = "c1", **options: Any) -> AuthState:
    ring = keyring(*keys, **options) if keys else None
    return AuthState(db.service_dsn, company, encryption=ring)


def kids(db: Database) -> set[str | None]:
    """What everything that is stored is encrypted with, earlier creds included."""
    query = (
        "select value from whatsapp_keys union all select creds from whatsapp_auth "
        "union all select creds from whatsapp_auth_history"
    )
    values = [value for (value,) in db.conn.execute(query).fetchall()]
    return {
        header(value)["kid"] if isinstance(value, str) and value.startswith("eyJ") else None
        for value in values
    }


@pytest.fixture
def run(db: Database, tmp_path: Path) -> Command:
    db.conn.execute("truncate whatsapp_auth_history")
    run = Command(db, tmp_path)
    for name, keys in (("keys", [NEW, OLD]), ("old", [OLD]), ("new", [NEW])):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"keys": keys}))
        path.chmod(0o600)
    run.environment["PG_AUTH_STATE_KEYS"] = str(tmp_path / "keys.json")
    return run


def test_a_plain_account_is_encrypted_and_then_plain_values_are_refused(
    run: Command, db: Database
) -> None:
    with state_of(db) as plain:
        plain.init_creds(CREDS)
        plain.set_keys(keys_of(30))
        plain.save_creds({**CREDS, "turn": 1})
    assert "not complete, found 63 plain" in run("rekey", "c1", "--check").stdout
    assert run("rekey", "c1", "--check").returncode == 1
    shown = run.good("rekey", "--all")
    assert shown == (
        "c1: complete, found 63 plain; 63 values encrypted anew, "
        "2 versions of earlier creds forgotten\n"
    )
    assert kids(db) == {"new"}
    assert "complete, found 63 under" in run.good("rekey", "c1", "--check")
    assert '63 under "new"; 0 values encrypted anew' in run.good("rekey", "c1")
    with state_of(db, NEW) as state:
        assert state.get_creds() == {**CREDS, "turn": 1}
        assert state.export(decrypt=True)["keys"] == keys_of(30)
    assert "1 encrypted" in run.good("status")

    with state_of(db) as plain:
        plain.set_keys({"pre-key": {"1": "planted"}})
    with state_of(db, NEW) as state, pytest.raises(PlaintextRefused):
        state.get_creds() and state.get_keys("pre-key", ["1"])
    refusal = run.bad("rekey", "c1")
    assert 'c1: pre-key "1" of company "c1" is not encrypted' in refusal
    assert "planted" not in refusal
    assert 'found 62 under "new", 1 plain; 1 value' in run.good("rekey", "c1", "--allow-plaintext")


def test_another_key_takes_the_place_of_the_old_one(run: Command, db: Database) -> None:
    with state_of(db, OLD) as state:
        state.init_creds(CREDS)
        state.set_keys(keys_of(30))
        state.save_creds({**CREDS, "turn": 1})
    assert kids(db) == {"old"}
    with state_of(db, NEW, OLD) as state:
        state.set_keys({"session": {"0.0": {"version": "v1", "turn": 2}}})
    document = json.loads(run.good("rekey", "c1", "--json"))["companies"][0]
    assert document["found"] == {"old": 62, "new": 1}
    assert (document["written"], document["forgotten"]) == (62, 2)
    assert kids(db) == {"new"}
    with state_of(db, NEW) as state:
        assert state.get_creds() == {**CREDS, "turn": 1}
        assert state.get_keys("session", ["0.0"])["0.0"]["turn"] == 2
        assert state.get_keys("session", ["1.0"])["1.0"] == keys_of(2)["session"]["1.0"]


def test_earlier_creds_of_an_account_that_has_none_now_are_forgotten(
    run: Command, db: Database
) -> None:
    with state_of(db) as plain:
        plain.init_creds(CREDS)
        plain.import_state(
            {"format": 1, "keys": keys_of(1)}, mode="replace", allow_new_identity=True
        )
        assert plain.get_creds() is None
    run.good("rekey", "c1", "--keep-history")
    assert kids(db) == {None, "new"}
    assert "1 version of earlier creds forgotten" in run.good("rekey", "c1")
    assert kids(db) == {"new"}


def test_it_waits_for_nobody_who_uses_the_account(run: Command, db: Database) -> None:
    with state_of(db, OLD) as state:
        state.init_creds(CREDS)
        state.set_keys(keys_of(3))
        with state.lease("worker-1"):
            refusal = run.bad("rekey", "c1")
    assert "worker-1" in refusal
    assert kids(db) == {"old"}


def test_what_cannot_be_read_is_told_and_left(run: Command, db: Database) -> None:
    with state_of(db, OLD) as state:
        state.init_creds(CREDS)
        state.set_keys(keys_of(3))
    lost = {"kty": "oct", "kid": "lost", "k": "x" * 43}
    with state_of(db, lost, OLD) as state:
        state.set_keys({"session": {"1.0": {"version": "lost"}}})
    done = run("rekey", "c1")
    assert done.returncode == 1
    assert "not complete" in done.stdout
    assert 'session "1.0" of company "c1" cannot be decrypted, key "lost"' in done.stderr
    assert kids(db) == {"new", "lost", "old"}, "and so are earlier creds"
    with state_of(db, lost, NEW) as state:
        assert state.get_keys("session", ["1.0"]) == {"1.0": {"version": "lost"}}


def test_types_that_are_to_be_plain_become_plain(run: Command, db: Database) -> None:
    with state_of(db, OLD) as state:
        state.init_creds(CREDS)
        state.set_keys(keys_of(3))
    run.good("rekey", "c1", "--plain-type", "lid-mapping")
    with state_of(db, NEW, plain_types=["lid-mapping"]) as state:
        assert state.get_keys("lid-mapping", ["5511"]) == {"5511": "118"}
    with state_of(db) as state:
        assert state.get_keys("lid-mapping", ["5511"]) == {"5511": "118"}
        with pytest.raises(DecryptionError):
            state.get_keys("session", ["1.0"])


def test_a_file_of_keys_for_each_account(run: Command, db: Database) -> None:
    for company, key in (("c1", "a"), ("c 2", "b")):
        path = run.folder / f"key-{company.replace(' ', '%20')}.json"
        path.write_text(json.dumps({"keys": [{"kty": "oct", "kid": "k", "k": key * 43}]}))
        path.chmod(0o600)
        with state_of(db, company=company) as state:
            state.init_creds(CREDS)
    run.good("rekey", "--all", "--keys", "key-{company}.json")
    with state_of(db, {"kty": "oct", "kid": "k", "k": "b" * 43}, company="c 2") as state:
        assert state.get_creds() == CREDS
    (run.folder / "key-c1.json").unlink()
    assert "cannot be read" in run.bad("rekey", "c1", "--keys", "key-{company}.json")


@pytest.mark.parametrize(
    "content", ["", "{}", '{"keys": [{"kty": "oct", "kid": "k", "k": "SECRET"}]}']
)
def test_a_key_file_that_is_none_is_refused(run: Command, content: str) -> None:
    path = run.folder / "bad.json"
    path.write_text(content)
    path.chmod(0o600)
    refusal = run.bad("rekey", "c1", "--keys", "bad.json")
    assert "JWK Set" in refusal
    assert "SECRET" not in refusal
    path.chmod(0o640)
    assert "chmod 600" in run.bad("rekey", "c1", "--keys", "bad.json")


def test_killed_at_any_moment_it_loses_nothing_and_goes_on(
    run: Command, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small batches, so that most of the time is spent between the first and the last.
    monkeypatch.setattr("pg_auth_state.rekeying._BATCH_ROWS", 5)
    keys = KeyFile(run.environment["PG_AUTH_STATE_KEYS"])

    def job() -> bool:
        return rekey(db.service_dsn, "public", "c1", keys).complete

    def written_plain() -> None:
        db.conn.execute(
            "truncate whatsapp_auth, whatsapp_keys, whatsapp_leases, whatsapp_auth_history"
        )
        with state_of(db) as plain:
            plain.init_creds(CREDS)
            plain.set_keys(keys_of(100))

    written_plain()
    started = time.monotonic()
    assert Process(job).result()
    duration = time.monotonic() - started
    found = []
    moments = random.Random(1)
    for turn in range(16):
        if turn % 2 == 0:  # every other one goes on with what a killed one left
            written_plain()
        process = Process(job)
        if turn == 0:  # for certain one that is under way
            while "new" not in kids(db):
                time.sleep(0.001)
        else:
            time.sleep(moments.uniform(0, duration * 1.1))
        process.kill()
        found.append(kids(db))
        with state_of(db, NEW) as state:
            assert state.get_creds() == CREDS
            assert state.export(decrypt=True)["keys"] == keys_of(100)
    assert {None, "new"} in found
    assert Process(job).result()
    assert kids(db) == {"new"}
    with state_of(db, NEW) as state:
        assert state.export(decrypt=True)["keys"] == keys_of(100)
