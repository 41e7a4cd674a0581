"""auth_status warns of a setting if and only if the log of a real server shows values with it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg import sql

from harness.cluster import Cluster, Database
from harness.processes import wait_until
from pg_auth_state import AuthState

MARKER = "Zx9-S3CRET-mark-Q7"

# `app` has auth_state_service, as has `asker`, who asks for the status. `stranger` has nothing.
PLACES = {
    "database": "alter database {database}",
    "role": "alter role {caller}",
    "role in database": "alter role {caller} in database {database}",
    "all roles": "alter role all",
    "server": "alter system",
    "asker": "alter role asker",
    "stranger": "alter role stranger",
    "group": "alter role auth_state_service",
    "other database": "alter role {caller} in database postgres",
}


@dataclass(frozen=True)
class Case:
    """Settings by place, and whether a value shows with them when `caller` calls."""

    shows: bool
    settings: dict[str, dict[str, object]]
    caller: str = "app"
    versions: tuple[int, ...] = (15, 18)

    @property
    def name(self) -> str:
        settings = (
            f"{place}: {', '.join(f'{k} = {v}' for k, v in each.items())}"
            for place, each in self.settings.items()
        )
        return "; ".join(settings) + ("" if self.caller == "app" else f" ({self.caller})")


def by(place: str, shows: bool, caller: str = "app", **settings: object) -> Case:
    named = {name.replace("__", "."): value for name, value in settings.items()}
    only_15 = any(name.startswith("pgaudit.") for name in named)  # Debian 12 has it for 15
    return Case(shows, {place: named}, caller, (15,) if only_15 else (15, 18))


def database(shows: bool, caller: str = "app", **settings: object) -> Case:
    return by("database", shows, caller, **settings)


EXPLAINS = {"auto_explain__log_min_duration": 0}
# On 15 it prints no parameters and has no such setting.
NOT_ON_15 = "auto_explain.log_parameter_max_length"
PLANS_ONLY = EXPLAINS | {"auto_explain__log_parameter_max_length": 0}
VERBOSE = PLANS_ONLY | {"auto_explain__log_verbose": "on"}
AUDITS = {"pgaudit__log": "read", "pgaudit__log_parameter": "on"}

CASES = [
    # log_statement
    database(True, log_statement="all"),
    database(False, log_statement="mod"),
    database(False, log_statement="all", log_parameter_max_length=0),
    database(True, log_statement="all", log_parameter_max_length=100),
    database(False, log_statement="all", log_min_messages="fatal"),
    database(True, log_statement="all", log_min_messages="log"),
    database(True, log_statement="all", log_min_messages="panic", client_min_messages="log"),
    database(True, log_statement="ALL", log_parameter_max_length="1kB"),
    database(False, log_statement="all", log_parameter_max_length="0 kB"),
    database(False, log_statement="all", log_error_verbosity="terse"),
    by("server", True, log_statement="all"),
    by("role", True, log_statement="all"),
    by("role in database", True, log_statement="all"),
    by("all roles", True, log_statement="all"),
    by("stranger", False, log_statement="all"),
    by("group", False, log_statement="all"),
    by("other database", False, log_statement="all"),
    # the others that log a statement
    database(True, log_min_duration_statement=0),
    database(True, log_min_duration_statement="0ms"),
    database(False, log_min_duration_statement=-1),
    database(False, log_min_duration_statement=0, log_parameter_max_length=0),
    by("role", True, log_min_duration_statement=0),
    by("server", True, log_min_duration_statement=0),
    database(True, log_min_duration_sample=0),
    database(False, log_min_duration_sample=0, log_statement_sample_rate=0.0),
    by("role in database", True, log_min_duration_sample=0),
    database(True, log_transaction_sample_rate=1),
    database(False, log_transaction_sample_rate="0.0"),
    database(False, log_transaction_sample_rate=1, log_parameter_max_length=0),
    by("server", True, log_transaction_sample_rate=1),
    database(False, log_duration="on", log_lock_waits="on", log_temp_files=0, deadlock_timeout=1),
    # errors
    database(True, log_parameter_max_length_on_error=-1),
    database(True, log_parameter_max_length_on_error=200, log_error_verbosity="terse"),
    by("role", True, log_parameter_max_length_on_error=-1),
    by("all roles", True, log_parameter_max_length_on_error=-1),
    by("server", True, log_parameter_max_length_on_error=-1, log_min_messages="panic"),
    # plans as PostgreSQL prints them
    database(True, debug_print_plan="on"),
    database(True, debug_print_plan="YES", debug_pretty_print="off"),
    database(False, debug_print_plan="FALSE"),
    database(False, debug_print_parse="on", debug_print_rewritten="on"),
    database(False, debug_print_plan="on", log_error_verbosity="terse"),
    by("role", True, debug_print_plan="true"),
    by("server", True, debug_print_plan="on"),
    # auto_explain
    Case(True, {"database": {"auto_explain.log_min_duration": 0}}, versions=(18,)),
    Case(False, {"database": {"auto_explain.log_min_duration": 0}}, versions=(15,)),
    Case(True, {"role": {"auto_explain.log_min_duration": 0}}, versions=(18,)),
    database(False, **PLANS_ONLY),
    database(False, **PLANS_ONLY, auto_explain__log_nested_statements="on"),
    database(False, **PLANS_ONLY, auto_explain__log_analyze="on", auto_explain__log_settings="on"),
    database(False, auto_explain__log_verbose="on"),
    database(True, **VERBOSE),
    database(True, **VERBOSE, auto_explain__log_nested_statements="on"),
    database(True, **VERBOSE, auto_explain__log_format="json"),
    database(True, **VERBOSE, auto_explain__log_level="info"),
    database(True, **VERBOSE, auto_explain__log_level="notice"),
    database(False, **VERBOSE, auto_explain__log_level="debug1"),
    database(True, **VERBOSE, auto_explain__log_level="debug1", log_min_messages="debug1"),
    database(False, **VERBOSE, auto_explain__log_level="notice", client_min_messages="warning"),
    database(False, **VERBOSE, auto_explain__sample_rate=0),
    database(True, **VERBOSE, log_error_verbosity="terse"),
    by("role", True, **VERBOSE),
    by("server", True, **VERBOSE),
    # pgaudit
    database(True, **AUDITS),
    database(False, pgaudit__log="all"),
    database(False, pgaudit__log_parameter="on"),
    database(True, pgaudit__log="ALL", pgaudit__log_parameter="on"),
    database(True, "boss", pgaudit__log="all, -read", pgaudit__log_parameter="on"),
    database(False, "boss", pgaudit__log="all, -read, -write", pgaudit__log_parameter="on"),
    database(True, "boss", pgaudit__log="write", pgaudit__log_parameter="on"),
    by("role", True, "boss", pgaudit__log="write", pgaudit__log_parameter="on"),
    by("role", False, pgaudit__log="write", pgaudit__log_parameter="on"),
    database(
        False,
        "boss",
        pgaudit__log="function, role, ddl, misc, misc_set",
        pgaudit__log_parameter="on",
    ),
    database(False, **AUDITS, pgaudit__log_statement="off"),
    database(False, **AUDITS, log_min_messages="fatal"),
    database(True, **AUDITS, log_error_verbosity="terse"),
    database(True, **AUDITS, pgaudit__log_client="on", pgaudit__log_level="notice"),
    database(False, **AUDITS, pgaudit__log_client="on", pgaudit__log_level="debug1"),
    database(True, **AUDITS, pgaudit__log_client="off", pgaudit__log_level="debug1"),
    database(True, **AUDITS, pgaudit__log_catalog="off", pgaudit__log_statement_once="on"),
    database(True, "boss", pgaudit__role="auditor", pgaudit__log_parameter="on"),
    database(False, "boss", pgaudit__role="stranger", pgaudit__log_parameter="on"),
    by("server", True, **AUDITS),
    by("role", True, **AUDITS),
    # together what neither shows alone, and one over the other
    Case(
        True,
        {
            "server": {"auto_explain.log_min_duration": 0},
            "database": {"auto_explain.log_parameter_max_length": 0},
            "role": {"auto_explain.log_verbose": "on"},
        },
    ),
    Case(
        True,
        {"server": {"pgaudit.log": "read"}, "role": {"pgaudit.log_parameter": "on"}},
        versions=(15,),
    ),
    Case(False, {"server": {"log_statement": "all"}, "database": {"log_statement": "none"}}),
    Case(
        False, {"database": {"log_statement": "all"}, "all roles": {"log_parameter_max_length": 0}}
    ),
    Case(
        True,
        {
            "server": {"log_parameter_max_length": 0},
            "database": {"log_statement": "all"},
            "role": {"log_parameter_max_length": 64_000},
        },
    ),
    Case(
        True,
        {
            "database": {"log_parameter_max_length": 0, "log_statement": "none"},
            "role": {"log_parameter_max_length": -1},
            "role in database": {"log_statement": "all"},
        },
    ),
    # the one who asks has settings of its own, behind which the server's are hidden
    Case(True, {"server": {"log_statement": "all"}, "asker": {"log_statement": "none"}}),
    by("role", True, "asker", debug_print_plan="on"),
    by("role", True, "asker", log_statement="all"),
    Case(False, {"database": {"log_statement": "none"}, "asker": {"log_statement": "none"}}),
]


@dataclass
class Seen:
    """What reached the log, and the client with notices and errors, of some calls."""

    log: str = ""
    client: list[str] = field(default_factory=list)

    @property
    def shows(self) -> bool:
        text = " ".join([*self.log.split(), *self.client])  # plans are wrapped
        raw = MARKER.encode()
        encoded = (base64.b64encode(b"\0" * n + raw)[4 if n else 0 : -4].decode() for n in range(3))
        forms = (MARKER, raw.hex(), " ".join(map(str, raw)), *encoded)
        return any(form in text for form in forms)


def creds(turn: int) -> dict[str, Any]:
    secret = {"private": MARKER, "turn": turn}
    return {"noiseKey": secret, "signedIdentityKey": {"private": MARKER}, "turn": turn}


class Watched:
    """A server with auto_explain and, 15, pgaudit; pg-auth-state in one database of it."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.cluster = Cluster(f"pg{version}-superuser", durable=True, plain=True)
        self.server = self.cluster.server
        self.db: Database = self.cluster.new_database()
        self.admin = self.db.connect()
        libraries = "auto_explain, pgaudit" if version == 15 else "auto_explain"
        self.admin.execute(f"alter system set shared_preload_libraries = {libraries}")
        self.admin.execute(
            "create role asker login; create role stranger login; create role boss login superuser;"
            " create role auditor; grant insert on whatsapp_keys to auditor;"
            " grant auth_state_service to asker"
        )
        self.restart()

    def alter(self, case: Case, action: str) -> None:
        """`action` is set, or reset for all that the case sets."""
        for place, settings in case.settings.items():
            statement = sql.SQL(PLACES[place]).format(  # type: ignore[arg-type]
                database=sql.Identifier(self.db.name), caller=sql.Identifier(case.caller)
            )
            for name, value in settings.items():
                if name == NOT_ON_15 and self.version == 15:
                    continue
                identifier = sql.SQL(".").join(map(sql.Identifier, name.split(".")))
                change = sql.SQL(" reset {}").format(identifier)
                if action == "set":
                    change = sql.SQL(" set {} = {}").format(identifier, str(value))
                self.admin.execute(statement + change)
        if "server" in case.settings:
            self.reload()
        if "asker" in (*case.settings, case.caller):
            self.asker.close()
            self.asker = self.db.connect("asker")

    def reset(self) -> None:
        """Every setting of a role or a database, whoever set it."""
        rows = self.admin.execute(
            "select quote_ident(r.rolname), quote_ident(d.datname) from pg_db_role_setting s"
            " left join pg_roles r on r.oid = s.setrole"
            " left join pg_database d on d.oid = s.setdatabase"
        ).fetchall()
        for role, name in rows:
            within = f"role {role} in database {name}" if name else f"role {role or 'all'}"
            self.admin.execute(
                f"alter {within if role or not name else f'database {name}'} reset all"
            )

    def reload(self) -> None:
        """Until a new session has it: the postmaster has read the file again."""
        before = self.admin.execute("select pg_conf_load_time()").fetchone()
        self.admin.execute("select pg_reload_conf()")

        def is_read() -> bool:
            with self.server.connect() as conn:
                return conn.execute("select pg_conf_load_time()").fetchone() != before

        wait_until(is_read)

    def restart(self) -> None:
        self.server.stop()
        self.server.start()
        self.admin, self.asker = self.db.connect(), self.db.connect("asker")

    def call(self, caller: str, options: str = "") -> Seen:
        """What `caller`'s new session, and the clients in it, let be seen."""
        seen = Seen()
        start = self.server.log.stat().st_size
        options += " -c synchronous_commit=off"  # for speed
        url = self.server.url(self.db.name, caller)
        with psycopg.connect(url, autocommit=True, options=options) as conn:
            conn.add_notice_handler(
                lambda d: seen.client.append(f"{d.message_primary} {d.message_detail} {d.context}")
            )
            state = AuthState(conn, "acme")
            with suppress(psycopg.Error):
                state.delete_company()
            state.init_creds(creds(0))
            for turn in range(1, 3):
                state.save_creds(creds(turn))
            state.set_keys({"session": {"1.0": MARKER, "2.0": MARKER}, "pre-key": {"1": MARKER}})
            state.set_keys({"session": {"1.0": MARKER + "!"}})
            state.set_keys({"session": {"1.0": MARKER, "2.0": None}, "lid-mapping": {"1": MARKER}})
            state.save_state(creds(3), {"session": {"1.0": MARKER + "?"}})
            assert state.get_creds() == creds(3)
            assert state.get_keys("session", ["1.0"]) == {"1.0": MARKER + "?"}
            exported = state.export()
            exported["creds"]["turn"] = 4
            exported["keys"]["session"]["3.0"] = MARKER
            state.import_state(exported, mode="replace")
            state.restore_creds(state.creds_history()[0].version)
            for statement, arguments in (
                ("auth_save_creds(%s, %s, 1)", ["acme", json.dumps(creds(5))]),
                ("auth_save_creds(%s, %s)", ["acme", json.dumps([MARKER])]),
                ("auth_set_keys(%s, %s)", ["acme", json.dumps({"session": MARKER})]),
            ):
                with pytest.raises(psycopg.Error) as caught:
                    conn.execute(f"select {statement}", arguments)
                diagnosis = caught.value.diag
                seen.client += filter(None, [str(caught.value), diagnosis.context])
        with self.server.log.open(errors="replace") as log:
            log.seek(start)
            seen.log = log.read()
        return seen

    def warnings(self) -> list[str]:
        """What `asker` is told, as a rule in a session that began before anything was set."""
        row = self.asker.execute("select auth_status() -> 'warnings'").fetchone()
        assert row is not None
        return list(row[0])

    def follow(self, warnings: Sequence[str]) -> None:
        """Does as they say."""
        for warning in warnings:
            self.admin.execute(warning.rpartition(": ")[2])


@pytest.fixture(scope="module", params=[15, 18], ids="pg{}".format)
def watched(request: pytest.FixtureRequest) -> Iterator[Watched]:
    watched = Watched(request.param)
    try:
        yield watched
    finally:
        watched.cluster.remove()


def test_a_server_as_it_comes_prints_nothing_and_is_not_warned_of(watched: Watched) -> None:
    assert not watched.call("app").shows
    assert watched.warnings() == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_warning_stands_for_a_value_that_shows_and_its_way_out_stops_it(
    watched: Watched, case: Case
) -> None:
    if watched.version not in case.versions:
        return
    watched.alter(case, "set")
    try:
        warnings = watched.warnings()
        assert (watched.call(case.caller).shows, bool(warnings)) == (case.shows, case.shows), (
            warnings
        )
        assert all("print" in warning for warning in warnings)
        if warnings:
            watched.follow(warnings)
            assert not watched.call(case.caller).shows
            assert watched.warnings() == []
    finally:
        watched.alter(case, "reset")
        watched.reset()


def test_a_setting_that_the_askers_own_one_hides_is_told_as_possible(watched: Watched) -> None:
    case = Case(False, {"asker": {"log_statement": "none"}})
    watched.alter(case, "set")
    try:
        (warning,) = watched.warnings()
        assert warning == (
            "PostgreSQL may print parameters of statements, creds among them, because of"
            " log_statement for the server, which the setting of role asker hides:"
            f" alter database {watched.db.name} set log_parameter_max_length = 0"
        )
    finally:
        watched.alter(case, "reset")
    assert watched.warnings() == []


def test_settings_that_a_client_brings_along_are_warned_of_in_its_session(watched: Watched) -> None:
    url = watched.server.url(watched.db.name, "boss")
    with psycopg.connect(url, options="-c log_statement=all") as conn:
        row = conn.execute("select auth_status() -> 'warnings'").fetchone()
    assert row is not None
    assert any("because of log_statement = all in this session:" in text for text in row[0])


def test_a_session_that_began_with_a_setting_is_warned_after_it_was_taken_back(
    watched: Watched,
) -> None:
    case = database(True, log_statement="all")
    watched.alter(case, "set")
    with watched.db.connect("boss") as conn:
        watched.alter(case, "reset")
        row = conn.execute("select auth_status() ->> 'warnings'").fetchone()
    assert row is not None
    assert "because of log_statement = all in this session:" in row[0]
    assert watched.warnings() == []


# What is printed and when, not where to; not what only delays a login.
SWEPT = """
select s.name, s.vartype, s.context, s.boot_val, s.min_val, s.max_val, s.enumvals
from pg_settings s
where
  s.vartype in ('bool', 'enum', 'integer', 'real')
  and (
    s.category ~ '(What to Log|When to Log|Monitoring|Index Statistics)$'
    or s.category in ('Developer Options', 'Customized Options')
    or s.name = 'client_min_messages'
  )
  and s.name not in ('post_auth_delay', 'pre_auth_delay', 'track_activity_query_size')
  and s.context <> 'internal'
order by s.name
"""


def most_talkative(
    kind: str, default: str, lowest: str, highest: str, words: list[str] | None
) -> str:
    if kind == "bool":
        return "off" if default == "on" else "on"
    if words is not None:
        return "debug5" if "debug5" in words else words[-1]
    if default == "-1":
        return "0"
    return "-1" if lowest == "-1" else highest


# So that a setting of a version to come is not missed, nor one that a base makes talk.
@pytest.mark.parametrize(
    ("prefix", "base"),
    [
        ("", {}),
        ("auto_explain.", {"auto_explain.log_min_duration": 0, NOT_ON_15: 0}),
        ("auto_explain.", {"auto_explain.log_verbose": "on", NOT_ON_15: 0}),
        ("pgaudit.", {"pgaudit.log": "all"}),
        ("pgaudit.", {"pgaudit.log_parameter": "on"}),
    ],
    ids=["alone", "auto_explain", "auto_explain verbose", "pgaudit", "pgaudit parameters"],
)
def test_no_setting_of_the_server_prints_values_without_a_warning(
    watched: Watched, prefix: str, base: dict[str, object]
) -> None:
    rows = watched.admin.execute(SWEPT).fetchall()
    wrong, printing = [], set()
    at_start = {}
    for name, kind, context, *rest in rows:
        value = most_talkative(kind, *rest)
        if not name.startswith(prefix) or name in base:
            continue
        if context in ("user", "superuser"):
            case = database(False, **base, **{name: value})
            watched.alter(case, "set")
            shows, warnings = watched.call("app").shows, watched.warnings()
            watched.reset()
        elif context in ("backend", "superuser-backend"):
            shows, warnings = watched.call("boss", f"-c {name}={value}").shows, []
        else:
            at_start[name] = value
            continue
        if shows != bool(warnings):
            wrong.append((name, value, shows, warnings))
        if shows:
            printing.add(name)
    assert wrong == []
    if at_start:
        for name, value in at_start.items():
            watched.admin.execute(f"alter system set {name} = '{value}'")
        try:
            watched.restart()
            assert not watched.call("app").shows
            assert watched.warnings() == []
        finally:
            for name in at_start:
                watched.admin.execute(f"alter system reset {name}")
            watched.restart()
    if not prefix:
        assert {"log_statement", "log_transaction_sample_rate", "debug_print_plan"} < printing
        assert len(rows) > 50
