"""What a caller has set for its session changes nothing about what is stored or who may call."""

from __future__ import annotations

import json

import psycopg
import pytest

from harness.attacks import CALLS
from harness.cluster import INSTALL_SQL, Database
from harness.creds import creds_json
from harness.installing import count

TWO_CLUSTERS = pytest.mark.parametrize("cluster", ["pg15-superuser", "pg18-login"], indirect=True)


@TWO_CLUSTERS
def test_old_style_strings_change_no_grant_of_an_install(empty_db: Database) -> None:
    with empty_db.connect(empty_db.cluster.installer) as conn:
        conn.execute("set standard_conforming_strings = off")
        conn.execute(INSTALL_SQL.read_bytes())
    granted = empty_db.conn.execute(
        """
        select count(*) filter (where starts_with(p.proname, 'auth')),
               count(*) filter (where starts_with(p.proname, '_'))
        from pg_proc p where p.proowner = 'auth_state_owner'::regrole
        and has_function_privilege('auth_state_service', p.oid, 'execute')
        """
    ).fetchone()
    assert granted is not None
    assert granted[0] > 20
    assert granted[1] == 0


@TWO_CLUSTERS
def test_old_style_strings_change_no_call(db: Database) -> None:
    with db.connect("app") as conn:
        conn.execute("set standard_conforming_strings = off")
        conn.execute("set auth_state.lock_wait = '500'")
        conn.execute(
            "select auth_set_keys('acme', %s)",
            [json.dumps({"lid-mapping": {"1": "2", "2_reverse": "1"}})],
        )
        conn.execute("select auth_import('copy', auth_export('acme'))")
        with db.connect("app", autocommit=False) as other:
            other.execute("select auth_set_keys('acme', '{}')")
            with pytest.raises(psycopg.errors.LockNotAvailable, match="500 ms"):
                conn.execute("select auth_set_keys('acme', '{}')")


# PostgreSQL refuses some statements while it works in parallel; a plan comes to that by itself.
@TWO_CLUSTERS
def test_every_public_function_works_where_parallel_plans_are_forced(db: Database) -> None:
    with db.connect("app") as conn:
        for turn in range(2):
            conn.execute(
                "select auth_save_state('acme', %s, '{\"session\": {\"1.0\": 1}}')",
                [creds_json(turn=turn)],
            )
        token = count(conn, "select token from auth_acquire_lease('acme', 'me', '1 hour')")
        version = count(conn, "select max(version) from auth_creds_history('acme')")
        calls = [
            call.format(c="'acme'", t=token, v=version)
            for calls in CALLS.values()
            for call in (calls if isinstance(calls, list) else [calls])
        ]

        def outcome(call: str) -> str:
            try:
                with conn.transaction(force_rollback=True):
                    conn.execute(f"select * from {call}")
            except psycopg.Error as error:
                return f"{call}: {error.sqlstate}"
            return f"{call}: ok"

        before = [outcome(call) for call in calls]
        assert sum(line.endswith("ok") for line in before) > 30, before
        name = "force_parallel_mode" if db.cluster.version == 15 else "debug_parallel_query"
        conn.execute(f"set {name} = on")
        conn.execute("set parallel_setup_cost = 0; set parallel_tuple_cost = 0")
        conn.execute("set min_parallel_table_scan_size = 0; set min_parallel_index_scan_size = 0")
        conn.execute("discard plans")
        assert [outcome(call) for call in calls] == before


# A day of the clocks' change has 23 or 25 hours in some places.
@TWO_CLUSTERS
def test_a_ttl_of_days_is_the_same_time_in_every_time_zone(db: Database) -> None:
    with db.connect("app") as conn:
        conn.execute("set timezone = 'America/New_York'")
        conn.execute(
            "select auth_import('acme', %s)",
            [
                json.dumps(
                    {
                        "format": 1,
                        "keys": {"lid-mapping": {"1": "2"}},
                        "times": {"lid-mapping": {"1": ["2025-10-30T12:00:00Z"]}},
                    }
                )
            ],
        )
        exported = conn.execute("select auth_export('acme') #>> '{times,lid-mapping,1,1}'")
        assert exported.fetchone() == ("2025-11-06T12:00:00.000000Z",)
        assert conn.execute("select auth_set_ttl('lid-mapping', '7 days')").fetchone() == (0,)


@TWO_CLUSTERS
def test_a_replacing_import_of_many_keys_spills_nothing_to_disk(db: Database) -> None:
    state = {"format": 1, "keys": {"session": {str(n): {"k": "x" * 200} for n in range(3000)}}}
    with db.connect("app") as conn:
        for turn in range(2):
            state["keys"]["session"]["0"] = turn  # type: ignore[index]
            conn.execute("select auth_import('acme', %s, 'replace')", [json.dumps(state)])
        conn.execute("select pg_stat_force_next_flush()")
    spilled = db.conn.execute(
        "select temp_bytes from pg_stat_database where datname = current_database()"
    ).fetchone()
    assert spilled == (0,)


@TWO_CLUSTERS
def test_a_plan_made_while_the_table_was_small_does_not_read_it_whole(db: Database) -> None:
    db.conn.execute("select auth_set_keys('acme', '{\"session\": {\"0\": 0}}')")
    db.conn.execute("alter table whatsapp_keys set (autovacuum_enabled = off)")
    db.conn.execute("analyze whatsapp_keys")
    with db.connect("app") as conn:
        for batch in range(4):
            keys = {str(n): n for n in range(batch * 500, batch * 500 + 500)}
            conn.execute("select auth_set_keys('acme', %s)", [json.dumps({"session": keys})])
            conn.execute("select auth_get_keys('acme', 'session', array['1', '2'])")
        conn.execute("select pg_stat_force_next_flush()")
    read = db.conn.execute(
        "select seq_tup_read from pg_stat_user_tables where relname = 'whatsapp_keys'"
    ).fetchone()
    assert read is not None
    assert read[0] < 1000


# With it somebody could plant an operator that our functions would prefer to PostgreSQL's.
@TWO_CLUSTERS
def test_a_schema_in_which_everybody_may_create_is_refused(empty_db: Database) -> None:
    empty_db.conn.execute("grant create on schema public to public")
    with (
        empty_db.connect(empty_db.cluster.installer) as conn,
        pytest.raises(psycopg.Error) as caught,
    ):
        conn.execute(INSTALL_SQL.read_bytes())
    assert caught.value.sqlstate == "WA006"
    assert caught.value.diag.message_detail == "CREATE is granted to: public"
    assert "revoke create on schema public from public" in (caught.value.diag.message_hint or "")


@TWO_CLUSTERS
def test_a_role_that_may_create_in_the_schema_is_named(empty_db: Database) -> None:
    empty_db.conn.execute(
        "do $$ begin create role maker; exception when duplicate_object then end $$;"
        " grant create on schema public to maker"
    )
    warnings: list[str] = []
    with empty_db.connect(empty_db.cluster.installer) as conn:
        conn.add_notice_handler(
            lambda notice: warnings.append(f"{notice.severity}: {notice.message_primary}")
        )
        conn.execute(INSTALL_SQL.read_bytes())
        status = conn.execute("select auth_status() ->> 'warnings'").fetchone()
    assert any(line.startswith("WARNING") and "maker" in line for line in warnings)
    assert status is not None
    assert "maker may create objects" in status[0]
