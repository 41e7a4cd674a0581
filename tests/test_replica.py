"""A standby: it takes no writes, and what reads works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from harness.cluster import Cluster
from harness.creds import creds, creds_json


@pytest.mark.parametrize("name", ["pg15-superuser", "pg18-login"])
def test_reading_works_on_a_read_replica(own_cluster: Callable[[str], Cluster], name: str) -> None:
    cluster = own_cluster(name)
    database = cluster.new_database()
    database.conn.execute(
        f"select auth_save_state('acme', '{creds_json(a=1)}', %s)", ['{"session": {"1.0": 1}}']
    )
    database.conn.execute("select auth_acquire_lease('acme', 'me', '1 hour')")
    database.conn.close()
    cluster.server.stop()
    Path(cluster.server.get_data_directory(), "standby.signal").touch()
    cluster.server.start()
    with database.connect("app") as conn:
        assert conn.execute("select pg_is_in_recovery()").fetchone() == (True,)
        assert conn.execute("select auth_get_creds('acme')").fetchone() == (creds(a=1),)
        for call in (
            "auth_get_keys('acme', 'session', '{1.0}')",
            "auth_list_keys('acme', 'session')",
            "auth_export('acme')",
            "auth_list_companies()",
            "auth_stats()",
            "auth_status()",
        ):
            assert conn.execute(f"select * from {call}").fetchall(), call
        # About a lease, too, nothing is said: what a standby knows of it may be old.
        for call in (
            "auth_set_keys('acme', '{\"session\": {\"1.0\": 2}}')",
            "auth_set_keys('acme', '{}', 1)",
            "auth_acquire_lease('acme', 'me')",
            "auth_acquire_lease('acme', 'me', p_token => 1)",
            "auth_renew_lease('acme', 1)",
            "auth_release_lease('acme', 1)",
        ):
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as caught:
                conn.execute(f"select * from {call}")
            assert "primary" in str(caught.value.diag.message_hint), call
