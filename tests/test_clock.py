"""Tests set the clock by auth_state.now; what applications set there is not believed."""

from __future__ import annotations

import psycopg
import pytest

from harness.cluster import Database

LONG_AGO = "2001-01-01 00:00:00+00"
IS_OF_TODAY = "select expires_at > clock_timestamp() from auth_acquire_lease('acme', 'worker-1')"


def set_clock(conn: psycopg.Connection) -> None:
    conn.execute("select set_config('auth_state.now', %s, false)", [LONG_AGO])


def is_of_today(conn: psycopg.Connection) -> bool:
    row = conn.execute(IS_OF_TODAY).fetchone()
    assert row is not None
    return bool(row[0])


def test_a_superuser_sets_the_clock(db: Database) -> None:
    set_clock(db.conn)
    assert not is_of_today(db.conn)


def test_a_superuser_in_an_application_s_role_sets_the_clock(db: Database) -> None:
    db.conn.execute("set role app")
    set_clock(db.conn)
    assert not is_of_today(db.conn)


@pytest.mark.parametrize("role", ["none", "auth_state_service"])
def test_an_application_does_not_set_the_clock(db: Database, role: str) -> None:
    with db.connect("app") as conn:
        conn.execute(f"set role {role}")
        set_clock(conn)
        assert is_of_today(conn)


def test_a_clock_of_an_application_that_is_no_time_is_not_even_read(db: Database) -> None:
    with db.connect("app") as conn:
        conn.execute("set auth_state.now = 'S3CRET'")
        assert is_of_today(conn)


def test_an_application_ends_no_lease_by_its_clock(db: Database) -> None:
    with db.connect("app") as conn:
        conn.execute("select auth_acquire_lease('acme', 'worker-1')")
        conn.execute("set auth_state.now = '2100-01-01 00:00:00+00'")
        with pytest.raises(psycopg.Error) as raised:
            conn.execute("select auth_set_keys('acme', '{}')")
    assert raised.value.sqlstate == "WA002"


def test_the_installer_sets_it_only_as_a_superuser(db: Database) -> None:
    with db.connect(db.cluster.installer) as conn:
        set_clock(conn)
        assert is_of_today(conn) == (db.cluster.installer != "postgres")
