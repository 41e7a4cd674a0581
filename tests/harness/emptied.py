"""One database for all tests of a module, emptied after each: much faster than one for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.clients import cluster
from harness.cluster import Cluster, Database

__all__ = ["cluster", "emptied_db", "module_db"]


@pytest.fixture(scope="module")
def module_db(cluster: Cluster) -> Iterator[Database]:
    database = cluster.new_database()
    yield database
    database.drop()


@pytest.fixture(name="db")
def emptied_db(module_db: Database) -> Iterator[Database]:
    """A database with pg-auth-state installed and no account in it."""
    yield module_db
    module_db.conn.execute("truncate whatsapp_auth, whatsapp_keys, whatsapp_leases")
