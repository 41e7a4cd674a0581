"""The npm package, tested by Node's own runner on the servers of this suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.clients import cluster  # noqa: F401
from harness.cluster import Database
from harness.node import NODE, run_node


@pytest.mark.parametrize("file", sorted(NODE.glob("test/*.test.mjs")), ids=lambda file: file.stem)
def test_of_the_npm_package(db: Database, file: Path) -> None:
    printed = run_node(db, "--test", "--test-reporter=spec", file)
    assert "skipped 0" in printed, printed
