"""The functions do what a model of their promises does, call after call."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from psycopg.types.json import set_json_loads

from fuzz import json_texts, runs, tally
from fuzz.json_texts import mostly, object_of, string, weighted
from fuzz.model import DAY, Event, Key, Model, Place, Refused, loads
from fuzz.scripts import literal
from harness.cluster import Cluster, Database

pytestmark = runs.BOTH_SERVERS

BEGIN = datetime(2030, 1, 1, tzinfo=timezone.utc)
COMPANIES = ("acme", "b\"'\\%s\n😀")
INSTANT = timedelta(milliseconds=1)  # between two calls: versions and tokens are of the clock
EVERYTHING = 10_000  # keys in a batch of the cleanup

companies = mostly(st.just(COMPANIES[0]), st.just(COMPANIES[1]))
ttls = st.sampled_from([timedelta(minutes=1), timedelta(hours=1), 3 * DAY, 7 * DAY, 40 * DAY])
steps_of_time = st.sampled_from(
    [
        *(timedelta(seconds=20), timedelta(seconds=40), timedelta(minutes=10), timedelta(hours=13)),
        *(3 * DAY, 8 * DAY, 35 * DAY),
    ]
)
chances = mostly(st.just(False), st.just(True))
tokens = st.sampled_from(["none", "none", "right", "right", "right", "stale"])

# Creds: two identities, paired or not, plain or encrypted


def _creds(identity: str, is_paired: bool, shape: str, turn: int) -> str:
    if shape == "encrypted":
        header = {"paired": is_paired, "kid": f"k{turn % 2}", "identity": _FINGERPRINTS[identity]}
        return json_texts.sealed(json.dumps(header), f"..aXY.{turn}.dGFn")
    creds: dict[str, Any] = {"turn": turn, "noiseKey": 1, "signedIdentityKey": {"public": identity}}
    if shape == "buffers":
        creds |= {name: json_texts.key_pair(identity + name) for name in _KEYS}
    if is_paired:
        creds |= {"account": {}} if turn % 2 else {"me": {"id": "5511:23@s.whatsapp.net"}}
    else:
        creds |= {"account": None, "me": {"id": "5511@s.whatsapp.net"}}
    return json.dumps(creds)


_KEYS = ("noiseKey", "signedIdentityKey")
_FINGERPRINTS = {"A": "a" * 32, "B": "not a fingerprint", "C": None}
creds = st.builds(
    _creds,
    st.sampled_from("AAAAABC"),
    st.booleans(),
    weighted((3, st.just("plain")), (1, st.just("buffers")), (1, st.just("encrypted"))),
    st.integers(0, 2),
)

# Keys, LID pairs among them


_users = st.sampled_from(["1", "2", "3"])
_lids = st.sampled_from(["71", "72"])
_others = mostly(
    st.sampled_from(["1", "71", "72", "eyJ.."]).map(string), st.just(f'"{"x" * 41}"'), st.just("{}")
)
_plain_values = weighted(
    (3, st.sampled_from(["1", "1.0", "true", '"1"', '{"a":1}', '{"a":1.00}', "[null]"])),
    (1, json_texts.good_values),
)
_key = st.one_of(
    st.tuples(
        st.just("session"),
        st.one_of(
            st.builds("{}.{}".format, st.one_of(_users, _lids), st.sampled_from(["0", "9"])),
            st.builds("{}_1.{}".format, st.one_of(_users, _lids), st.just("0")),
            st.builds("{}.1.2".format, _users),
        ),
        _plain_values,
    ),
    st.tuples(st.just("lid-mapping"), _users, st.one_of(_lids.map(string), _others)),
    st.tuples(
        st.just("lid-mapping"),
        _lids.map("{}_reverse".format),
        st.one_of(_users.map(string), _others),
    ),
    st.tuples(st.just("lid-mapping-reverse"), _lids, st.one_of(_users.map(string), _others)),
    st.tuples(
        st.sampled_from(["device-list", "pre-key"]),
        mostly(st.sampled_from(["7", "8"]), st.just("é\n"), json_texts.long(1024)),
        _plain_values,
    ),
)


def _pair(user: str, lid: str) -> list[tuple[str, str, str]]:
    return [
        ("lid-mapping", user, string(lid)),
        ("lid-mapping", f"{lid}_reverse", string(user)),
    ]


_some_keys = st.one_of(
    st.lists(_key, max_size=4),
    st.builds(_pair, _users, _lids),
    st.lists(st.builds(_pair, _users, _lids), max_size=3).map(
        lambda pairs: [key for pair in pairs for key in pair]
    ),
)


def _batch(keys: list[tuple[str, str, str]], *, nulls: bool) -> str:
    types: dict[str, dict[str, str]] = {}
    for position, (key_type, key_id, value) in enumerate(keys):
        is_null = nulls and position % 3 == 2
        types.setdefault(key_type, {})[key_id] = "null" if is_null else value
    return object_of(
        [
            (string(key_type), object_of([(string(name), value) for name, value in ids.items()]))
            for key_type, ids in types.items()
        ]
    )


batches = st.builds(lambda keys: _batch(keys, nulls=True), _some_keys)
ages = st.sampled_from([None, timedelta(0), DAY, 6 * DAY, 8 * DAY, 50 * DAY, -DAY])


class FunctionsAndModel(RuleBasedStateMachine):
    """Each rule makes a call on both sides; after it both have the same."""

    database: Database  # of the class that a test makes

    def __init__(self) -> None:
        super().__init__()
        self.conn = self.database.conn
        self.model = Model(BEGIN)
        self.calls: list[str] = []
        self.stale_tokens = [1]
        self.batch: str | None = None  # the last that was set
        self.conn.execute(
            "delete from whatsapp_auth; delete from whatsapp_keys; delete from whatsapp_leases;"
            "delete from whatsapp_auth_history; delete from whatsapp_audit;"
            "delete from whatsapp_settings; delete from whatsapp_key_ttl where key_type !~ '^lid';"
            "update whatsapp_key_ttl set ttl = '7 days', changed_at = null; set timezone = 'UTC'"
        )
        self._set_clock()

    # Both sides

    def _set_clock(self) -> None:
        statement = f"set auth_state.now = '{self.model.now.isoformat()}'"
        self.calls.append(statement)
        self.conn.execute(statement)

    def _pass(self, step: timedelta) -> None:
        self.model.now += step
        self._set_clock()

    def compare(self, function: str, arguments: dict[str, Any], expected: Any) -> None:
        """Calls the function; `expected` calls the model."""
        before = self.model.copy()
        try:
            wanted = expected()
        except Refused as refused:
            self.model, wanted = before, refused.code
        found = self.answer(function, arguments)
        assert found == wanted, self._script(f"it answered {found!r}, the model {wanted!r}")

    def answer(self, function: str, arguments: dict[str, Any]) -> Any:
        """What the function answers, or the code."""
        tally.count_input("calls of the model")
        spelled = ", ".join(f"{name} => {_spelled(value)}" for name, value in arguments.items())
        self.calls.append(f"select * from {function}({spelled})")
        given = ", ".join(f"{name} => %s" for name in arguments)
        try:
            cursor = self.conn.execute(
                f"select * from {function}({given})", list(arguments.values())
            )
        except psycopg.Error as error:
            tally.count(function, error.sqlstate or "")
            return error.sqlstate
        tally.count(function, tally.RESULT)
        answer = cursor.fetchone()
        assert answer is not None
        return answer if len(answer) > 1 else answer[0]

    def _script(self, fault: str) -> str:
        return "\n".join(["", fault, "", *[f"{call};" for call in self.calls]])

    def _token(self, company: str, kind: str) -> int | None:
        lease = self.model.account(company).lease
        if kind == "right" and lease is not None:
            return lease.token
        return self.stale_tokens[-1] if kind == "stale" else None

    def _remember_token(self, company: str) -> None:
        lease = self.model.account(company).lease
        if lease is not None:
            self.stale_tokens.append(lease.token)

    # What is the same after each call

    @invariant()
    def both_have_the_same(self) -> None:
        for company in COMPANIES:
            self._same_account(company)
        self._same("leases", _LEASES, self._leases())
        found = sorted(Event(*row) for row in self.conn.execute(_AUDIT))
        wanted = sorted(self.model.audit)
        assert found == wanted, self._script(f"the audit log has {found}, the model {wanted}")

    def _same(self, what: str, query: str, wanted: Any, *arguments: Any) -> None:
        found = self.conn.execute(query, arguments).fetchall()
        assert found == wanted, self._script(f"{what}: {found}, the model has {wanted}")

    def _same_account(self, company: str) -> None:
        account = self.model.account(company)
        found = self._exported(company)
        wanted = (
            None
            if not self.model.exists(company)
            else (
                account.creds and (account.creds.value, account.creds.updated_at),
                {
                    place: Key(key.value, key.updated_at, key.expires_at)
                    for place, key in account.keys.items()
                },
            )
        )
        assert found == wanted, self._script(f"{company}: {found}, the model has {wanted}")
        version = account.creds.version if account.creds else None
        self._same("version", "select auth_creds_version(%s)", [(version,)], company)
        self._same(
            f"history of {company}",
            "select version, saved_at from auth_creds_history(%s)",
            [(each.creds.version, each.creds.updated_at) for each in account.history],
            company,
        )

    def _exported(self, company: str) -> Any:
        try:
            row = self.conn.execute("select auth_export(%s)::text", [company]).fetchone()
        except psycopg.Error as error:
            if error.sqlstate == "WA004":
                return None
            raise AssertionError(self._script(str(error))) from error
        assert row is not None
        state = loads(row[0])
        creds = state["creds"]
        keys = {
            (key_type, key_id): Key(value, *map(_time, state["times"][key_type][key_id]))
            for key_type, values in state["keys"].items()
            for key_id, value in values.items()
        }
        return creds and (creds, _time(state["creds_updated_at"])), keys

    def _leases(self) -> list[tuple[Any, ...]]:
        return [
            (
                company,
                lease.holder,
                lease.acquired_at,
                lease.expires_at,
                self.model.is_live(company),
            )
            for company in sorted(COMPANIES)
            for lease in [self.model.account(company).lease]
            if lease is not None
        ]

    # What there is at the beginning

    @initialize(
        saves=st.lists(creds, max_size=4),
        batches=st.lists(batches, max_size=2),
        ttl=mostly(ttls, st.none()),
    )
    def there_is_an_account(
        self, saves: list[str], batches: list[str], ttl: timedelta | None
    ) -> None:
        for each in saves:
            self.save_creds(COMPANIES[0], each, "none", "none", True)
        for batch in batches:
            self.set_keys(COMPANIES[0], batch, "none")
        if ttl is not None:
            self.acquire_lease(COMPANIES[0], "bot-1", ttl, False, "none")

    # Time

    @rule(step=steps_of_time)
    def time_passes(self, step: timedelta) -> None:
        self._pass(step)

    # Creds

    @rule(company=companies, creds=creds, token=tokens)
    def init_creds(self, company: str, creds: str, token: str) -> None:
        self._pass(INSTANT)
        given = self._token(company, token)
        self.compare(
            "auth_init_creds",
            {"p_company_id": company, "p_creds": creds, "p_lease_token": given},
            lambda: self.model.init_creds(company, loads(creds), given),
        )

    def _expected(self, company: str, expects: str) -> int | None:
        kept = self.model.account(company).creds
        return {"none": None, "right": kept.version if kept else 1, "wrong": 2}[expects]

    @rule(
        company=companies,
        creds=creds,
        expects=st.sampled_from(["none", "none", "right", "wrong"]),
        token=tokens,
        allow=chances,
    )
    def save_creds(self, company: str, creds: str, expects: str, token: str, allow: bool) -> None:
        self._pass(INSTANT)
        given, version = self._token(company, token), self._expected(company, expects)
        self.compare(
            "auth_save_creds",
            {
                "p_company_id": company,
                "p_creds": creds,
                "p_expected_version": version,
                "p_lease_token": given,
                "p_allow_new_identity": allow,
            },
            lambda: self.model.save_creds(company, loads(creds), version, given, allow),
        )

    @rule(
        company=companies,
        creds=creds,
        batch=batches,
        expects=st.sampled_from(["none", "none", "right", "wrong"]),
        token=tokens,
        allow=chances,
    )
    def save_state(
        self, company: str, creds: str, batch: str, expects: str, token: str, allow: bool
    ) -> None:
        self._pass(INSTANT)
        given, version = self._token(company, token), self._expected(company, expects)
        self.compare(
            "auth_save_state",
            {
                "p_company_id": company,
                "p_creds": creds,
                "p_data": batch,
                "p_lease_token": given,
                "p_expected_version": version,
                "p_allow_new_identity": allow,
            },
            lambda: self.model.save_state(
                company, loads(creds), loads(batch), given, version, allow
            ),
        )

    @precondition(lambda self: self.model.account(COMPANIES[0]).history)
    @rule(company=companies, nth=st.integers(0, 5), token=tokens)
    def restore_creds(self, company: str, nth: int, token: str) -> None:
        self._pass(INSTANT)
        history = self.model.account(company).history
        version = history[nth].creds.version if nth < len(history) else 1
        given = self._token(company, token)
        self.compare(
            "auth_restore_creds",
            {"p_company_id": company, "p_version": version, "p_lease_token": given},
            lambda: self.model.restore_creds(company, version, given),
        )

    @precondition(lambda self: self.model.account(COMPANIES[0]).history)
    @rule(company=companies, kid=st.sampled_from([None, "k0", "k1"]), token=tokens)
    def forget_history(self, company: str, kid: str | None, token: str) -> None:
        self._pass(INSTANT)
        given = self._token(company, token)
        self.compare(
            "auth_forget_history",
            {"p_company_id": company, "p_kept_kid": kid, "p_lease_token": given},
            lambda: self.model.forget_history(company, kid, given),
        )

    # Keys

    @rule(company=companies, batch=batches, token=tokens)
    def set_keys(self, company: str, batch: str, token: str) -> None:
        self.batch = batch
        self._pass(INSTANT)
        given = self._token(company, token)
        self.compare(
            "auth_set_keys",
            {"p_company_id": company, "p_data": batch, "p_lease_token": given},
            lambda: self.model.set_keys(company, loads(batch), given),
        )

    @precondition(lambda self: self.batch is not None)
    @rule(company=companies, token=tokens)
    def set_the_same_keys_again(self, company: str, token: str) -> None:
        assert self.batch is not None
        self.set_keys(company, self.batch, token)

    @rule(company=companies, ids=st.lists(st.sampled_from(["1.0", "1_1.0", "72.9"]), max_size=3))
    def get_keys(self, company: str, ids: list[str]) -> None:
        wanted = self.model.get_keys(company, "session", ids)
        for query, given in (
            ("auth_get_keys(%s, 'session', %s::text[])::text", ids),
            ("auth_get_keys(%s, %s::jsonb) ->> 'session'", json.dumps({"session": ids})),
        ):
            row = self.conn.execute(f"select {query}", [company, given]).fetchone()
            assert row is not None
            assert loads(row[0]) == wanted, self._script(f"{query} of {ids} gave {row[0]}")

    @rule(
        company=companies, key_type=st.sampled_from([None, "session", "lid-mapping"]), token=tokens
    )
    def clear_keys(self, company: str, key_type: str | None, token: str) -> None:
        self._pass(INSTANT)
        given = self._token(company, token)
        self.compare(
            "auth_clear_keys",
            {"p_company_id": company, "p_key_type": key_type, "p_lease_token": given},
            lambda: self.model.clear_keys(company, key_type, given),
        )

    @rule(company=companies, token=tokens)
    def delete_company(self, company: str, token: str) -> None:
        self._pass(INSTANT)
        given = self._token(company, token)
        self._remember_token(company)
        self.compare(
            "auth_delete_company",
            {"p_company_id": company, "p_lease_token": given},
            lambda: self.model.delete_company(company, given),
        )

    # Import

    @rule(
        company=companies,
        keys=st.lists(st.tuples(_key, ages), max_size=4)
        | st.builds(
            lambda pair, age: [(key, age) for key in pair], st.builds(_pair, _users, _lids), ages
        ),
        creds=mostly(creds, st.just("null")),
        creds_age=ages,
        mode=st.sampled_from(["new", "merge", "replace"]),
        token=tokens,
        allow=chances,
    )
    def import_state(
        self,
        company: str,
        keys: list[tuple[tuple[str, str, str], timedelta | None]],
        creds: str,
        creds_age: timedelta | None,
        mode: str,
        token: str,
        allow: bool,
    ) -> None:
        self._pass(INSTANT)
        now = self.model.now
        creds_at = None if creds_age is None else now - creds_age
        times: dict[str, dict[str, datetime]] = {}
        for (key_type, key_id, _), age in keys:
            times.setdefault(key_type, {}).pop(key_id, None)
            if age is not None:
                times[key_type][key_id] = now - age
        batch = _batch([key for key, _ in keys], nulls=False)
        state = object_of(
            [
                ('"format"', "1"),
                ('"creds"', creds),
                ('"creds_updated_at"', json.dumps(creds_at and creds_at.isoformat())),
                ('"keys"', batch),
                (
                    '"times"',
                    json.dumps(
                        {
                            key_type: {key_id: [at.isoformat(), None] for key_id, at in ids.items()}
                            for key_type, ids in times.items()
                        }
                    ),
                ),
            ]
        )
        self._import(
            company,
            state,
            {
                "creds": loads(creds),
                "creds_updated_at": creds_at,
                "keys": loads(batch),
                "times": times,
            },
            mode,
            token,
            allow,
        )

    @rule(company=companies, mode=st.sampled_from(["new", "merge", "replace"]), token=tokens)
    def import_the_export_of_the_other(self, company: str, mode: str, token: str) -> None:
        self._pass(INSTANT)
        other = COMPANIES[1 - COMPANIES.index(company)]
        if not self.model.exists(other):
            return
        row = self.conn.execute("select auth_export(%s)::text", [other]).fetchone()
        assert row is not None
        account = self.model.account(other)
        keys: dict[str, dict[str, Any]] = {}
        times: dict[str, dict[str, datetime]] = {}
        for (key_type, key_id), key in account.keys.items():
            keys.setdefault(key_type, {})[key_id] = key.value
            times.setdefault(key_type, {})[key_id] = key.updated_at
        state = {
            "creds": account.creds.value if account.creds else None,
            "creds_updated_at": account.creds.updated_at if account.creds else None,
            "keys": keys,
            "times": times,
        }
        self._import(company, row[0], state, mode, token, True)

    def _import(
        self, company: str, text: str, state: dict[str, Any], mode: str, token: str, allow: bool
    ) -> None:
        given = self._token(company, token)
        self.compare(
            "auth_import",
            {
                "p_company_id": company,
                "p_state": text,
                "p_mode": mode,
                "p_lease_token": given,
                "p_allow_new_identity": allow,
            },
            lambda: self.model.import_state(company, state, mode, given, allow),
        )

    # Leases

    @rule(
        company=companies,
        holder=st.sampled_from(["bot-1", "bot-1", "bot-2"]),
        ttl=ttls,
        steal=chances,
        token=st.sampled_from(["none", "none", "none", "right", "stale"]),
    )
    def acquire_lease(
        self, company: str, holder: str, ttl: timedelta, steal: bool, token: str
    ) -> None:
        self._pass(INSTANT)
        given = self._token(company, token)
        self._remember_token(company)
        self.compare(
            "auth_acquire_lease",
            {
                "p_company_id": company,
                "p_holder": holder,
                "p_ttl": ttl,
                "p_steal": steal,
                "p_token": given,
            },
            lambda: self.model.acquire_lease(company, holder, ttl, steal, given),
        )

    @precondition(lambda self: self.model.account(COMPANIES[0]).lease)
    @rule(company=companies, ttl=ttls, token=st.sampled_from(["right", "right", "stale"]))
    def renew_lease(self, company: str, ttl: timedelta, token: str) -> None:
        self._pass(INSTANT)
        given = self._token(company, token) or 1
        self.compare(
            "auth_renew_lease",
            {"p_company_id": company, "p_token": given, "p_ttl": ttl},
            lambda: self.model.renew_lease(company, given, ttl),
        )

    @precondition(lambda self: self.model.account(COMPANIES[0]).lease)
    @rule(company=companies, token=st.sampled_from(["right", "right", "stale"]))
    def release_lease(self, company: str, token: str) -> None:
        self._pass(INSTANT)
        given = self._token(company, token) or 1
        self.compare(
            "auth_release_lease",
            {"p_company_id": company, "p_token": given},
            lambda: self.model.release_lease(company, given),
        )

    # Settings and expiry

    @rule(versions=st.sampled_from([None, "1", "2", "5"]))
    def configure_the_history(self, versions: str | None) -> None:
        self._pass(INSTANT)
        self.compare(
            "auth_configure",
            {"p_name": "history_versions", "p_value": versions},
            lambda: self.model.configure("history_versions", versions, "5"),
        )

    @rule(
        key_type=st.sampled_from(["lid-mapping", "lid-mapping-reverse", "device-list", "session"]),
        ttl=st.sampled_from([None, DAY, 7 * DAY]),
        force=chances,
    )
    def set_ttl(self, key_type: str, ttl: timedelta | None, force: bool) -> None:
        self._pass(INSTANT)
        self.compare(
            "auth_set_ttl",
            {"p_key_type": key_type, "p_ttl": ttl, "p_force": force},
            lambda: self.model.set_ttl(key_type, ttl, force),
        )

    @rule(
        batch=st.sampled_from([EVERYTHING, EVERYTHING, 1, 2, 3]),
        company=mostly(st.none(), companies),
        is_dry=chances,
    )
    def cleanup(self, batch: int, company: str | None, is_dry: bool) -> None:
        self._pass(INSTANT)
        fates = self.model.fates(company)
        units: dict[Any, set[Place]] = {}
        for place, fate in fates.items():
            if fate is None:
                units.setdefault(self.model.unit(place), set()).add(place)
        whole = [unit for unit in units.values() if len(unit) <= batch]
        before = self._all_keys()
        count = self.answer(
            "cleanup_expired_keys",
            {"p_batch_size": batch, "p_dry_run": is_dry, "p_company_id": company},
        )
        after = self._all_keys()
        removed = before.keys() - after.keys()
        renewed = {place for place in after if after[place] != before[place]}

        fits = sum(map(len, whole))
        wanted = f"{count} of {fits} in batches of {batch}: {removed} removed, {renewed} renewed"
        assert isinstance(count, int), self._script(f"cleanup answered {count}")
        assert (count > 0) == (fits > 0), self._script(wanted)
        assert count <= batch, self._script(wanted)
        assert count == fits or batch < sum(map(len, units.values())), self._script(wanted)
        if is_dry:
            assert before == after, self._script(f"a dry run changed {removed} {renewed}")
            return
        assert len(removed) == count, self._script(wanted)
        assert all(fates.get(place, place) is None for place in removed), self._script(
            f"removed {removed}, and may have removed {fates}"
        )
        assert all(unit <= removed or not unit & removed for unit in units.values()), self._script(
            f"a pair is torn: {removed} of {list(units.values())}"
        )
        assert all(after[place] == fates.get(place) for place in renewed), self._script(
            f"renewed {[(place, after[place]) for place in renewed]}, not {fates}"
        )
        if batch == EVERYTHING:
            kept = {place for place, fate in fates.items() if fate is not None}
            assert kept == renewed, self._script(f"renewed {renewed}, not {kept}")
        self.model.cleaned(company, removed, renewed)

    def _all_keys(self) -> dict[Place, Key]:
        return {
            (company, *place): key
            for company in COMPANIES
            for found in [self._exported(company)]
            if found is not None
            for place, key in found[1].items()
        }

    # Refused whole

    @rule(
        company=companies,
        call=st.sampled_from(
            [
                ("auth_save_creds", {"p_creds": "{}"}),
                ("auth_save_creds", {"p_creds": '{"noiseKey":1,"signedIdentityKey":null}'}),
                ("auth_save_state", {"p_creds": "[]", "p_data": "{}"}),
                ("auth_set_keys", {"p_data": '{"session":{"1.0":1,"":2}}'}),
                ("auth_set_keys", {"p_data": '{"session":{"1.0":1},"pre-key":1}'}),
                ("auth_import", {"p_state": '{"format":1,"keys":{"session":{"1.0":null}}}'}),
                ("auth_import", {"p_state": '{"format":2,"keys":{}}', "p_mode": "replace"}),
                ("auth_acquire_lease", {"p_holder": ""}),
                ("auth_acquire_lease", {"p_holder": "bot-1", "p_ttl": "0"}),
            ]
        ),
    )
    def bad_input(self, company: str, call: tuple[str, dict[str, Any]]) -> None:
        self._pass(INSTANT)
        code = self.answer(call[0], {"p_company_id": company, **call[1]})
        assert code in ("WA001", "WA002"), self._script(f"it answered {code}")


_AUDIT = """
select at, company_id, action, holder, rows, details - 'ttl'
  from auth_list_audit(null, null, 100000)
"""
_LEASES = "select company_id, holder, acquired_at, expires_at, is_live from auth_list_leases()"


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | int) else literal(_text(value))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def test_the_functions_do_what_the_model_does(cluster: Cluster) -> None:
    database = cluster.new_database()
    set_json_loads(loads, database.conn)

    class Machine(FunctionsAndModel):
        pass

    Machine.database = database
    settings = runs.examples(runs.MODEL, inputs_each=runs.STEPS)
    try:
        run_state_machine_as_test(runs.seeded(cluster)(Machine), settings=settings)
    finally:
        database.drop()
