"""Values that are encrypted before they are sent: the format, and both Python clients with it."""

from __future__ import annotations

import json
import pickle
import subprocess
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from jwcrypto import jwe, jwk

from harness.clients import Async, Sync, cluster  # noqa: F401
from harness.cluster import ROOT
from harness.creds import JWE
from harness.installing import run_program
from pg_auth_state import (
    DecryptionError,
    IdentityChangeRefused,
    InvalidInput,
    Keyring,
    PlaintextRefused,
    _wire,
    errors,
)
from pg_auth_state._identity import header, identity, is_paired
from pg_auth_state._sealing import Sealing

VECTORS = json.loads((ROOT / "tests/vectors/encryption.json").read_text())
JWKS = {"keys": VECTORS["keys"]}


def named(kind: str) -> Any:
    return pytest.mark.parametrize("vector", VECTORS[kind], ids=lambda vector: vector["name"])


def shown(plain: Any) -> Any:
    """A value of the vectors as it is in Python."""
    if isinstance(plain, dict):
        if set(plain) == {"$bytes"}:
            return b64decode(plain["$bytes"])
        return {name: shown(item) for name, item in plain.items()}
    return [shown(item) for item in plain] if isinstance(plain, list) else plain


def keyring(current: str | None = None, **options: Any) -> Keyring:
    return Keyring.from_jwks(JWKS, current, **options)


def read_by_another(sealed: str) -> tuple[dict[str, Any], str]:
    """Header and plaintext by another implementation of JOSE."""
    keys = {key["kid"]: jwk.JWK(**key) for key in VECTORS["keys"]}
    token = jwe.JWE()
    token.deserialize(sealed, keys[header(sealed)["kid"]])
    return json.loads(token.objects["protected"]), token.payload.decode()


# The format


@named("values")
def test_a_value_is_read_as_the_vectors_say(vector: Any) -> None:
    opening = Sealing(keyring(), vector["company"]).opening()
    stored = opening(vector["type"], vector["id"], vector["stored"])
    assert stored == json.loads(vector["text"])
    assert _wire.decoded(stored) == shown(vector["plain"])
    assert not opening.is_doubtful
    assert read_by_another(vector["stored"])[1] == vector["text"]


@named("values")
def test_a_value_is_written_for_every_implementation(vector: Any) -> None:
    sealing = Sealing(keyring(vector["kid"]), vector["company"])
    batch = {vector["type"]: {vector["id"]: shown(vector["plain"])}}
    sealed = sealing.batch(_wire.encoded_keys(batch))[vector["type"]][vector["id"]]
    protected, text = read_by_another(sealed)
    assert text == vector["text"]
    place = {name: vector[name] for name in ("company", "type", "id", "kid")}
    assert protected == {"alg": "dir", "enc": "A256GCM", "typ": "pg-auth-state", **place}
    assert sealed != vector["stored"], "under a nonce of its own"


@named("creds")
def test_creds_are_read_and_written_as_the_vectors_say(vector: Any) -> None:
    sealing = Sealing(keyring(vector["kid"]), vector["company"])
    stored = sealing.opened_creds(vector["stored"])
    assert _wire.decoded(json.loads(json.dumps(stored))) == shown(vector["plain"])
    assert sealing.complete == vector["complete"]

    sealing.forget()
    sealed = sealing.creds(
        _wire.encoded(shown(vector["plain"]), "creds"), complete=sealing.complete
    )
    sealed_complete = sealing.creds(stored, complete=vector["complete"])
    assert read_by_another(sealed)[1] == vector["text"]
    protected, text = read_by_another(sealed_complete)
    assert (text, protected) == (vector["text"], header(vector["stored"]))


@named("creds")
def test_the_database_and_the_client_judge_creds_alike(vector: Any, db: Any) -> None:
    plain = json.dumps(json.loads(vector["text"]))
    for creds in (plain, json.dumps(vector["stored"])):
        judged = "select _is_paired(%s::jsonb), _identity(%s::jsonb)"
        assert db.conn.execute(judged, [creds, creds]).fetchone() == (
            vector["paired"],
            vector["identity"],
        )
        stored = json.loads(creds)
        assert (is_paired(stored), identity(stored)) == (vector["paired"], vector["identity"])


@named("refused")
def test_what_is_damaged_moved_or_planted_is_refused(vector: Any) -> None:
    sealing = Sealing(keyring(allow_plaintext=vector.get("allow_plaintext")), vector["company"])
    sealing.complete = vector.get("complete", False)
    place = (vector["type"], vector["id"]) if "id" in vector else ()
    read = sealing.opening() if place else sealing.opened_creds
    with pytest.raises(DecryptionError) as caught:
        read(*place, vector["stored"])
    error = pickle.loads(pickle.dumps(caught.value))
    assert type(error) is getattr(errors, vector["error"])
    assert (error.company_id, error.key_type) == (vector["company"], vector["type"])
    assert (error.key_id, error.kid) == (vector.get("id"), vector["kid"])
    assert error.hint
    for name in ("company", "type", "id", "kid"):
        assert str(vector.get(name) or "") in str(error)
    assert "v1" not in str(error)
    assert caught.value.__cause__ is None


def test_a_keyring_shows_no_key() -> None:
    shown = repr(keyring()) + repr(vars(keyring()))
    assert "2026-11" in shown
    for key in VECTORS["keys"]:
        assert key["k"] not in shown
        assert repr(urlsafe_b64decode(key["k"] + "=")) not in shown


@pytest.mark.parametrize(
    "make",
    [
        lambda: Keyring({}, "a"),
        lambda: Keyring({"a": b"short"}, "a"),
        lambda: Keyring({"a": "A" * 32}, "a"),  # type: ignore[dict-item]
        lambda: Keyring({"a": b"A" * 32}, "b"),
        lambda: Keyring({"": b"A" * 32}, ""),
        # What jsonb cannot read, or is beyond what a header may be: not guarded, or not read again.
        lambda: Keyring({"a\0b": b"A" * 32}, "a\0b"),
        lambda: Keyring({"a\ud83d": b"A" * 32}, "a\ud83d"),
        lambda: Keyring({"a" * 257: b"A" * 32}, "a" * 257),
        lambda: Keyring({"a": b"A" * 32}, "a", plain_types="lid-mapping"),
        lambda: Keyring.from_jwks('{"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]}'),
        lambda: Keyring.from_jwks('{"keys": []}'),
        lambda: Keyring.from_jwks("{"),
        lambda: Keyring.from_jwks({"keys": [*VECTORS["keys"], VECTORS["keys"][0]]}),
        lambda: keyring("unknown"),
    ],
)
def test_a_keyring_that_is_none_is_refused(make: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        make()
    assert "AAAA" not in str(caught.value)


# Both clients

PLAIN = {
    "session": {"5511900000302.0": {"version": "v1", "n": b"plain-session-bytes"}},
    "pre-key": {"7": {"public": b"plain-public", "private": b"plain-private"}},
    "lid-mapping": {"5511900000302": "100000000000310", "100000000000310_reverse": "5511900000302"},
    "sender-key": {"g@g.us::5511900000301::0": b"plain-sender-key"},
    "some-future-type": {"u": "Ana\0Maria \ud83d", "n": 1.5, "l": [True, None], "e": {}},
}
FRESH = {
    "noiseKey": {"public": b"n" * 32, "private": b"plain-noise-private"},
    "signedIdentityKey": {"public": b"s" * 32, "private": b"plain-identity-private"},
    "advSecretKey": "plain-adv-secret",
}
PAIRED = {**FRESH, "me": {"id": "5511900000301:7@s.whatsapp.net", "name": "plain-name Jo\xe3o"}}


@pytest.fixture(params=[Sync, Async], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind = request.param()
    yield kind
    kind.close()


@pytest.fixture
def state(kind: Any, db: Any) -> Any:
    return kind.state(db.service_dsn, encryption=keyring())


def stored_keys(db: Any) -> dict[tuple[str, str], Any]:
    rows = db.conn.execute("select key_type, key_id, value from whatsapp_keys").fetchall()
    return {(key_type, key_id): value for key_type, key_id, value in rows}


def stored_header(db: Any) -> Any:
    creds = db.conn.execute("select creds from whatsapp_auth").fetchone()[0]
    return header(creds) if isinstance(creds, str) else None


def test_an_account_lives_encrypted(state: Any, kind: Any, db: Any) -> None:
    assert state.get_creds() is None
    assert state.init_creds(FRESH) == FRESH
    assert state.set_keys(PLAIN) == 9
    version = state.save_creds(PAIRED)
    assert state.get_creds() == PAIRED
    assert state.get_keys({name: list(ids) for name, ids in PLAIN.items()}) == PLAIN
    assert state.get_keys("session", ["5511900000302.0", "other"]) == {
        "5511900000302.0": PLAIN["session"]["5511900000302.0"],
        "other": None,
    }
    assert {row.key_id: row.value for row in state.list_keys("pre-key")} == PLAIN["pre-key"]
    assert [row.value for row in state.list_keys("pre-key", values=False)] == [None]

    assert all(str(value).startswith("eyJ") for value in stored_keys(db).values())
    assert stored_header(db)["complete"] is True
    assert state.save_state(PAIRED | {"n": 1}, {"pre-key": {"7": None}}) > version
    assert stored_header(db)["complete"] is True
    assert state.get_keys("pre-key", ["7"]) == {"7": None}
    assert state.status().encrypted == 1
    assert sum(stats.keys for stats in state.stats()) == 8

    other = kind.state(db.service_dsn, encryption=keyring())
    assert other.get_creds() == PAIRED | {"n": 1}
    with pytest.raises(IdentityChangeRefused):
        other.save_creds({**PAIRED, "noiseKey": {"public": b"o" * 32}})
    assert state.delete_company() == 9
    assert state.get_creds() is None


def test_a_dump_of_the_database_holds_no_plain_value(state: Any, db: Any, tmp_path: Path) -> None:
    state.init_creds(FRESH)
    state.set_keys(PLAIN)
    for turn in range(3):
        state.save_creds({**PAIRED, "turn": f"plain-turn-{turn}"})
    state.set_keys({"session": {"5511900000302.0": {"version": "plain-version"}}})
    state.import_state(state.export(), mode="replace")
    run_program(db, "pg_dump", "-f", str(tmp_path / "dump.sql"))
    dump = (tmp_path / "dump.sql").read_text()
    assert "whatsapp_auth_history" in dump
    assert "eyJ" in dump
    for value in _leaves([PLAIN, FRESH, PAIRED, {"turn": "plain-turn-0"}, "plain-version"]):
        for spelling in _spellings(value):
            assert spelling not in dump


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, (str, bytes)) and len(value) > 2:
        yield value


def _spellings(value: str | bytes) -> list[str]:
    """As it stands, and as base64."""
    if isinstance(value, bytes):
        return [b64encode(value).decode()]
    if value in ("100000000000310", "5511900000302"):
        return [f'"{value}"']  # a value; as an id it is plain
    encoded = _wire.encoded(value, "value")
    return [encoded["data"] if isinstance(encoded, dict) else encoded]


ATTEMPTS: list[tuple[str, tuple[Any, ...]]] = [
    ("get_creds", ()),
    ("get_keys", ("session", ["5511900000302.0"])),
    ("get_keys", ({"session": ["5511900000302.0"]},)),
    ("list_keys", ("session",)),
    ("init_creds", (PAIRED,)),
]


def test_without_keys_what_is_encrypted_is_an_error_and_never_missing(
    state: Any, kind: Any, db: Any
) -> None:
    state.init_creds(PAIRED)
    state.set_keys(PLAIN)
    without = kind.state(db.service_dsn)
    wrong = kind.state(db.service_dsn, encryption=Keyring({"2026-11": b"w" * 32}, "2026-11"))
    later = kind.state(db.service_dsn, encryption=Keyring({"2027-01": b"w" * 32}, "2027-01"))
    for other in (without, wrong, later):
        for method, arguments in ATTEMPTS:
            with pytest.raises(DecryptionError) as caught:
                getattr(other, method)(*arguments)
            assert caught.value.kid == "2026-11"
            assert caught.value.company_id == "c1"
            assert "plain" not in str(caught.value)
        with pytest.raises(DecryptionError):
            other.export(decrypt=True)
        assert other.get_keys("session", ["none"]) == {"none": None}
    assert state.get_creds() == PAIRED


# It said "Nothing was changed" after it had stored the creds.
def test_without_keys_encrypted_creds_are_stored_by_either_method(kind: Any, db: Any) -> None:
    for company, methods in (("c1", ("init_creds", "save_creds")), ("c2", ("init_creds",) * 2)):
        without = kind.state(db.service_dsn, company)
        first = getattr(without, methods[0])(JWE)
        assert first == JWE
        version = without.creds_version()
        again = getattr(without, methods[1])(JWE)
        assert again == (version if methods[1] == "save_creds" else JWE)
        assert without.creds_version() == version
        with pytest.raises(DecryptionError, match="Nothing was changed"):
            without.init_creds(JWE + "A")
        assert without.creds_version() == version


def test_what_is_unchanged_is_not_written_again(state: Any, kind: Any, db: Any) -> None:
    state.init_creds(FRESH)
    version = state.save_creds(FRESH)
    assert state.save_creds(FRESH) == version
    state.set_keys(PLAIN)
    assert state.set_keys(PLAIN) == 0

    # What was read counts as well, whoever wrote it.
    other = kind.state(db.service_dsn, encryption=keyring())
    assert other.save_creds(other.get_creds()) == version
    other.get_keys({name: list(ids) for name, ids in PLAIN.items()})
    assert other.set_keys(PLAIN) == 0
    assert other.set_keys({"pre-key": {"7": {"public": b"another"}}}) == 1

    # What somebody else has changed since is not taken for unchanged.
    assert state.set_keys({"pre-key": PLAIN["pre-key"]}) == 1
    assert other.get_keys("pre-key", ["7"]) == PLAIN["pre-key"]

    # A client that has not seen it writes.
    fresh = kind.state(db.service_dsn, encryption=keyring())
    assert fresh.set_keys({"pre-key": PLAIN["pre-key"]}) == 1
    # Under another key it is another one.
    rotated = kind.state(db.service_dsn, encryption=keyring("2025-02"))
    rotated.get_keys("pre-key", ["7"])
    assert rotated.set_keys({"pre-key": PLAIN["pre-key"]}) == 1


def test_the_memory_of_what_was_written_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pg_auth_state._sealing.MEMORY", 10_000)
    sealing = Sealing(keyring(), "c1")
    first = sealing.sealed("session", "0", '"x"')
    for number in range(1, 100):
        sealing.sealed("session", str(number), '"x"')
    last = sealing.sealed("session", "99", '"x"')
    assert last == sealing.sealed("session", "99", '"x"')
    assert first != sealing.sealed("session", "0", '"x"')
    assert len(sealing._remembered) < 60


def test_types_that_are_left_plain_are_and_no_others(kind: Any, db: Any) -> None:
    state = kind.state(db.service_dsn, encryption=keyring(plain_types=["lid-mapping"]))
    state.init_creds(FRESH)
    state.set_keys(PLAIN)
    stored = stored_keys(db)
    assert stored["lid-mapping", "5511900000302"] == "100000000000310"
    assert str(stored["pre-key", "7"]).startswith("eyJ")
    assert state.get_keys("lid-mapping", ["5511900000302"]) == {"5511900000302": "100000000000310"}
    with pytest.raises(PlaintextRefused):
        kind.state(db.service_dsn, encryption=keyring()).list_keys("lid-mapping")


def test_plain_values_are_read_until_everything_is_encrypted(kind: Any, db: Any) -> None:
    without = kind.state(db.service_dsn)
    without.init_creds(PAIRED)
    without.set_keys(PLAIN)
    state = kind.state(db.service_dsn, encryption=keyring())
    assert state.get_creds() == PAIRED
    assert state.get_keys("pre-key", ["7"]) == PLAIN["pre-key"]
    state.save_creds(PAIRED)
    assert stored_header(db).get("complete") is None
    assert state.get_keys("pre-key", ["7"]) == PLAIN["pre-key"]
    state.set_keys(PLAIN)

    # Somebody else completes it, as rekey does.
    other = kind.state(db.service_dsn, encryption=keyring())
    other.import_state(other.export(), mode="replace")
    assert stored_header(db)["complete"] is True
    assert state.get_keys("pre-key", ["7"]) == PLAIN["pre-key"]
    # A client that saw it incomplete does not undo that.
    state.save_creds({**PAIRED, "turn": 2})
    assert stored_header(db)["complete"] is True

    # Somebody who can write to the database, and has no key.
    db.conn.execute("update whatsapp_keys set value = '\"planted\"' where key_type = 'pre-key'")
    for reader in (state, kind.state(db.service_dsn, encryption=keyring())):
        with pytest.raises(PlaintextRefused) as caught:
            reader.get_keys("pre-key", ["7"])
        assert (caught.value.key_type, caught.value.key_id) == ("pre-key", "7")
        with pytest.raises(PlaintextRefused):
            reader.export(decrypt=True)
    allowing = kind.state(db.service_dsn, encryption=keyring(allow_plaintext=True))
    allowing.get_creds()
    assert allowing.get_keys("pre-key", ["7"]) == {"7": "planted"}


def test_creds_that_are_made_plain_are_refused_by_whoever_saw_them_encrypted(
    state: Any, kind: Any, db: Any
) -> None:
    state.init_creds(PAIRED)
    kind.state(db.service_dsn).save_creds({**PAIRED, "by": "somebody without keys"})
    with pytest.raises(PlaintextRefused):
        state.get_creds()
    with pytest.raises(PlaintextRefused):
        kind.state(db.service_dsn, encryption=keyring(allow_plaintext=False)).get_creds()


def test_a_value_that_was_moved_in_the_database_is_refused(state: Any, db: Any) -> None:
    state.init_creds(FRESH)
    state.set_keys({"session": {"1.0": {"version": "v1"}, "2.0": {"version": "v2"}}})
    db.conn.execute(
        "update whatsapp_keys k set value = o.value from whatsapp_keys o "
        "where k.key_id = '1.0' and o.key_id = '2.0'"
    )
    with pytest.raises(DecryptionError) as caught:
        state.get_keys("session", ["1.0", "2.0"])
    assert caught.value.key_id == "1.0"
    assert state.get_keys("session", ["2.0"]) == {"2.0": {"version": "v2"}}


def test_large_values_are_encrypted_too(state: Any) -> None:
    state.init_creds(FRESH)
    large = {"1.0": {"data": b"\x01" * 3_000_000}}
    state.set_keys({"session": large})
    assert state.get_keys("session", ["1.0"]) == large


def test_an_export_stays_encrypted_unless_asked(state: Any, kind: Any, db: Any) -> None:
    state.init_creds(PAIRED)
    state.set_keys(PLAIN)
    sealed = state.export()
    assert sealed == kind.state(db.service_dsn).export()
    assert sealed["creds"].startswith("eyJ")
    assert sealed["keys"]["pre-key"]["7"].startswith("eyJ")
    opened = state.export(decrypt=True)
    assert (opened["creds"], opened["keys"]) == (PAIRED, PLAIN)

    # As it is, by somebody without keys, and into another account by somebody with them.
    state.delete_company()
    kind.state(db.service_dsn).import_state(sealed)
    assert state.get_creds() == PAIRED
    assert state.export() == sealed
    elsewhere = kind.state(db.service_dsn, "c2", encryption=keyring("2025-02"))
    with pytest.raises(DecryptionError):
        elsewhere.import_state(sealed)
    elsewhere.import_state(opened)
    assert elsewhere.export(decrypt=True)["keys"] == PLAIN
    assert {header(value)["kid"] for value in elsewhere.export()["keys"]["session"].values()} == {
        "2025-02"
    }


def test_creds_that_cannot_be_guarded_are_refused(state: Any) -> None:
    for creds in ({"account": {}, "noiseKey": b"n"}, "a string"):
        with pytest.raises(InvalidInput):
            state.save_creds(creds)
        with pytest.raises(InvalidInput):
            state.init_creds(creds)


def test_under_a_lease_all_is_encrypted_as_well(state: Any, db: Any) -> None:
    with state.lease("worker-1"):
        state.init_creds(FRESH)
        state.set_keys(PLAIN)
        state.save_creds(PAIRED)
    assert state.get_creds() == PAIRED
    assert stored_header(db)["complete"] is True


def test_over_a_pool_and_in_a_transaction_of_the_callers_too(kind: Any, db: Any) -> None:
    connection = kind.connection(db.service_dsn)
    for source in (kind.pool(db.service_dsn, min_size=1), connection):
        state = kind.state(source, encryption=keyring())
        with connection.transaction() if source is connection else nullcontext():
            state.save_creds(PAIRED)
            state.set_keys(PLAIN)
            assert state.get_keys("pre-key", ["7"]) == PLAIN["pre-key"]
            assert state.get_creds() == PAIRED
        assert stored_header(db)["complete"] is True
        assert state.delete_company() == 10


def test_the_vectors_are_as_their_maker_writes_them(tmp_path: Path) -> None:
    maker = ROOT / "tests/vectors/make_encryption.py"
    copy = tmp_path / maker.name
    copy.write_text(maker.read_text())
    subprocess.run([ROOT / ".venv/bin/python", copy], check=True)
    assert json.loads((tmp_path / "encryption.json").read_text()) == VECTORS
