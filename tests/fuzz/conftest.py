"""The database that is fuzzed, and which seed the inputs came from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fuzz import runs, tally
from fuzz.store import Store
from harness.cluster import Cluster


@pytest.fixture(scope="session")
def store(cluster: Cluster) -> Iterator[Store]:
    store = Store(cluster)
    yield store
    store.remove()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not tally.has_inputs():
        return
    terminalreporter.section("fuzz")
    terminalreporter.write_line(
        f"seed {runs.SEED}: {tally.summary()}\n"
        f"the same inputs again: make fuzz INPUTS={runs.INPUTS} SEED={runs.SEED}"
    )
    if runs.IS_TOLD_TO_REPORT:
        terminalreporter.write_line("\n".join(["", *tally.table()]))
