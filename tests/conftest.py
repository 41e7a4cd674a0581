"""Servers and databases for the tests; CONTRIBUTING.md says how to use them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import coverage
from harness.cluster import COMBINATIONS, MEASURED, Cluster, Clusters, Database
from harness.installing import install, schema
from harness.pgtap import CLUSTERS, PgTapFile, PgTapItem
from harness.server import remove_copied_programs, what_is_missing

PGTAP_FILES = Path(__file__).parent / "pgtap"

# No test may end up in a database of whoever runs the tests.
for name in list(os.environ):
    if name == "DATABASE_URL" or name.startswith("PG"):
        del os.environ[name]


def pytest_sessionstart(session: pytest.Session) -> None:
    if missing := what_is_missing():
        pytest.exit(missing, returncode=1)
    session.config.stash[CLUSTERS] = Clusters()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PgTapFile | None:
    if file_path.suffix == ".sql" and file_path.is_relative_to(PGTAP_FILES):
        return PgTapFile.from_parent(parent, path=file_path)
    return None


def pytest_runtestloop(session: pytest.Session) -> None:
    if not session.config.option.collectonly:
        session.config.stash[CLUSTERS].start({*map(_cluster_of, session.items)} - {None})


def _cluster_of(item: pytest.Item) -> str | None:
    if isinstance(item, PgTapItem):
        return item.name
    return item.callspec.params.get("cluster") if hasattr(item, "callspec") else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"a test that cannot run is a failure: {report.longrepr}"
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if clusters := session.config.stash.get(CLUSTERS, None):
        if clusters[MEASURED].has_pgtap_database:
            coverage.collect(clusters[MEASURED].pgtap_database().dsn)
        clusters.remove()
        remove_copied_programs()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if lines := coverage.report():
        terminalreporter.section("PL/pgSQL coverage")
        terminalreporter.write_line("\n".join(lines))


@pytest.fixture(scope="session", params=COMBINATIONS)
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """A running server of each version, with pg-auth-state installed by each kind of installer."""
    return request.config.stash[CLUSTERS][request.param]


@pytest.fixture
def db(cluster: Cluster) -> Iterator[Database]:
    """A fresh database with pg-auth-state installed."""
    database = cluster.new_database()
    yield database
    database.drop()


@pytest.fixture
def empty_db(cluster: Cluster) -> Iterator[Database]:
    """A fresh database with nothing in it."""
    database = cluster.new_database(template="template0")
    yield database
    database.drop()


@pytest.fixture
def cron_db(cluster: Cluster) -> Iterator[Database]:
    """The database in which pg_cron lives, with pg-auth-state installed; PostgreSQL 15 only."""
    database = cluster.cron_database()
    yield database
    if cluster.name == MEASURED:
        coverage.collect(database.dsn)


def _started(**options: Any) -> Iterator[Callable[[str], Cluster]]:
    clusters = []

    def start(name: str) -> Cluster:
        clusters.append(Cluster(name, **options))
        return clusters[-1]

    yield start
    for cluster in clusters:
        cluster.remove()


@pytest.fixture
def own_cluster() -> Iterator[Callable[[str], Cluster]]:
    """Starts a durable server of the test's own, which it may stop and kill."""
    yield from _started(durable=True)


@pytest.fixture
def new_cluster() -> Iterator[Callable[[str], Cluster]]:
    """Starts a server in which nobody has installed yet, and no role of ours is."""
    yield from _started()


@pytest.fixture(scope="session")
def fresh_schema(cluster: Cluster) -> str:
    database = cluster.new_database(template="template0")
    install(database)
    text = schema(database)
    database.drop()
    return text
