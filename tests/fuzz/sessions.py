"""Who calls, and with what set: the expected rights stand beside each."""

from __future__ import annotations

import json
from dataclasses import dataclass

import psycopg
from hypothesis import strategies as st

from fuzz import json_texts
from fuzz.json_texts import seldom, weighted
from fuzz.markers import SENT
from fuzz.store import BOUND_TO, COMPANIES, Store

EVERY, NOTHING = "every", "nothing"


@dataclass(frozen=True)
class Caller:
    """A login, what it sets first, and what it may see: every company, one, numbers or nothing."""

    name: str
    login: str
    sees: str = NOTHING
    role: str | None = None
    company: str | None = None  # of auth_state.company_id
    claims: str | None = None
    sees_numbers: bool = False

    @property
    def settings(self) -> list[tuple[str, str]]:
        chosen = {
            "auth_state.company_id": self.company,
            "request.jwt.claims": self.claims,
            "role": self.role,
        }
        return [(name, value) for name, value in chosen.items() if value is not None]


def _claims(company: object, **others: object) -> str:
    return json.dumps({"company_id": company, "secret": SENT, **others})


_SERVICE = [
    Caller("a service", "app", EVERY),
    Caller("a superuser", "postgres", EVERY),
    Caller("a superuser in the service's role", "postgres", EVERY, role="auth_state_service"),
    Caller("a member that does not inherit", "fuzz_noinherit", EVERY, role="auth_state_service"),
]
_CONFINED = [
    *[
        Caller(f"a service confined to {company}", "app", company, company=company)
        for company in COMPANIES[-3:]
    ],
    Caller("a bound login", "fuzz_bound", BOUND_TO),
    Caller("a bound login, narrowed", "fuzz_bound", BOUND_TO, company="leased"),
    Caller("a bound login with claims", "fuzz_bound", BOUND_TO, claims=_claims("leased")),
    Caller("a bound login with all roles", "fuzz_both", BOUND_TO),
    Caller("a bound login as the service", "fuzz_both", BOUND_TO, role="auth_state_service"),
    Caller("a superuser as a bound login", "postgres", BOUND_TO, role="fuzz_bound"),
    Caller("a superuser, confined", "postgres", "leased", company="leased"),
    Caller("a service as a tenant", "fuzz_narrow", "leased", "auth_state_tenant", "leased"),
    *[
        Caller(f"claims of {company}", "fuzz_proxy", company, "fuzz_user", claims=_claims(company))
        for company in COMPANIES[:3]
    ],
    Caller(
        "claims of metadata",
        "fuzz_proxy",
        "leased",
        "fuzz_user",
        claims=json.dumps({"app_metadata": {"company_id": "leased"}, "secret": SENT}),
    ),
]
_WATCHERS = [
    Caller("a monitor", "fuzz_monitor", sees_numbers=True),
    Caller("a monitor, narrowed", "fuzz_monitor", company=BOUND_TO, sees_numbers=True),
    Caller("a superuser as a monitor", "postgres", role="fuzz_monitor", sees_numbers=True),
]
_NOBODY = [
    Caller("a stranger", "fuzz_stranger"),
    Caller("a stranger with settings", "fuzz_stranger", company=BOUND_TO, claims=_claims(BOUND_TO)),
    Caller("a proxy without a role", "fuzz_proxy", claims=_claims(BOUND_TO)),
    Caller("no claims", "fuzz_proxy", role="fuzz_user"),
    Caller("two claims", "fuzz_proxy", role="fuzz_user", claims=_claims(
        BOUND_TO, app_metadata={"company_id": "leased"})),
    Caller("claims, narrowed to another", "fuzz_proxy", role="fuzz_user", company="leased",
           claims=_claims(BOUND_TO)),
    Caller("a member that does not inherit, without a role", "fuzz_noinherit"),
    Caller("a tenant's role without a company", "postgres", role="auth_state_tenant"),
    Caller("a service as a tenant without a company", "fuzz_narrow", role="auth_state_tenant"),
    Caller("a service as a tenant with claims", "fuzz_narrow", role="auth_state_tenant",
           claims=_claims(BOUND_TO)),
    Caller("the owner", "postgres", role="auth_state_owner"),
]  # fmt: skip


def _garbage_claims() -> st.SearchStrategy[Caller]:
    """Of no company that there is, whatever they are."""
    companies = json_texts.anything | st.just('"nobody at all"')
    texts = json_texts.anything | companies.map(
        lambda company: f'{{"secret":"{SENT}","company_id":{company}}}'
    )
    return texts.map(
        lambda claims: Caller(
            "claims that are none",
            "fuzz_proxy",
            role="fuzz_user",
            claims=claims.replace("\0", ""),
        )
    )


callers = weighted(
    (20, st.sampled_from(_SERVICE)),
    (7, st.sampled_from(_CONFINED)),
    (1, st.sampled_from(_WATCHERS)),
    (1, st.sampled_from(_NOBODY)),
    (1, _garbage_claims()),
)

READ_COMMITTED = "read committed"
LEVELS = ("read uncommitted", "repeatable read", "serializable")
levels = seldom(st.just(READ_COMMITTED), st.sampled_from(LEVELS))

_SETTINGS = {
    "row_security": ["off"],
    "search_path": ["", "pg_temp", '"$user"', "nowhere", "pg_catalog, public", "kept"],
    "DateStyle": ["SQL, DMY", "German", "Postgres, MDY", "ISO, YMD"],
    "IntervalStyle": ["sql_standard", "postgres_verbose", "iso_8601"],
    "TimeZone": ["America/New_York", "Asia/Kathmandu", "<x>-14:59:59", "Antarctica/Troll"],
    "extra_float_digits": ["-15", "3"],
    "standard_conforming_strings": ["off"],
    "backslash_quote": ["on"],
    "escape_string_warning": ["off"],
    "bytea_output": ["escape"],
    "array_nulls": ["off"],
    "transform_null_equals": ["on"],
    "quote_all_identifiers": ["on"],
    "check_function_bodies": ["off"],
    "xmloption": ["document"],
    "force_parallel_mode": ["on", "regress"],
    "debug_parallel_query": ["on", "regress"],
    "max_parallel_workers_per_gather": ["8"],
    "parallel_setup_cost": ["0"],
    "parallel_tuple_cost": ["0"],
    "min_parallel_table_scan_size": ["0"],
    "default_toast_compression": ["pglz", "lz4"],
    "jit_above_cost": ["0"],
    "jit": ["off"],
    "work_mem": ["64kB"],
    "hash_mem_multiplier": ["1"],
    "plan_cache_mode": ["force_custom_plan", "force_generic_plan"],
    "cursor_tuple_fraction": ["0"],
    "enable_indexscan": ["off"],
    "enable_seqscan": ["off"],
    "enable_hashagg": ["off"],
    "enable_hashjoin": ["off"],
    "enable_nestloop": ["off"],
    "enable_sort": ["off"],
    "enable_tidscan": ["off"],
    "enable_material": ["off"],
    "from_collapse_limit": ["1"],
    "join_collapse_limit": ["1"],
    "geqo_threshold": ["2"],
    "constraint_exclusion": ["on"],
    "synchronous_commit": ["off"],
    "plpgsql.extra_errors": ["all", "shadowed_variables", "too_many_rows"],
    "plpgsql.extra_warnings": ["all"],
    "plpgsql.variable_conflict": ["use_variable", "use_column"],
    "plpgsql.print_strict_params": ["on"],
    "session_replication_role": ["replica"],
    "max_stack_depth": ["150kB"],
    "lc_messages": ["C"],
    "application_name": ["", "a'b\\%s", "é" * 20],
    "lock_timeout": ["1ms", "20ms"],
    "statement_timeout": ["1ms", "3ms", "20ms"],
    "auth_state.lock_wait": ["", "1", "5ms", "0", "-1", "infinity", "x", "1 month -29 days", "9 d"],
    "auth_state.on_behalf_of": ["", "maria", "é" * 300, "'; --", "\u202e"],
    "auth_state.uninstall": ["drop data", "x"],
    "auth_state.installer_role": ["postgres"],
    "auth_state.borrowed_owner": ["yes"],
    "auth_state.first_install": ["yes"],
    "auth_state.history_versions": ["0", "x"],
    "auth_state.keep_deleted": ["x"],
    "auth_state.now": ["", "2000-01-01", "infinity", "x"],
}  # fmt: skip

_CLOCK = "auth_state.now"  # a superuser's is believed: it is for tests


Allowed = tuple[list[tuple[str, str]], list[tuple[str, str]]]
"""The settings that any login may set, and those that a superuser may."""


def settable(store: Store) -> Allowed:
    """What this server lets a session set."""
    everybody, superuser = (
        [
            (name, value)
            for name, values in _SETTINGS.items()
            for value in values
            if _lets_set(store.connection(login), name, value)
        ]
        for login in ("app", "postgres")
    )
    return everybody, [setting for setting in superuser if setting[0] != _CLOCK]


def _lets_set(conn: psycopg.Connection, name: str, value: str) -> bool:
    try:
        with conn.transaction(force_rollback=True):
            conn.execute("select set_config(%s, %s, true)", [name, value])
    except psycopg.Error:
        return False
    return True


def settings_of(allowed: Allowed) -> st.SearchStrategy[list[tuple[str, str]]]:
    """A few settings; not every login may set them all."""
    known = list(dict.fromkeys([*allowed[0], *allowed[1]]))
    some = st.lists(
        st.sampled_from(known), min_size=1, max_size=4, unique_by=lambda setting: setting[0]
    )
    return weighted((2, st.just([])), (1, some))
