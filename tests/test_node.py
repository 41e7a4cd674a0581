"""The npm package, tested by Node's own runner on the servers of this suite."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from harness.clients import cluster  # noqa: F401
from harness.cluster import Database

NODE = Path(__file__).parents[1] / "node"


@pytest.mark.parametrize("file", sorted(NODE.glob("test/*.test.mjs")), ids=lambda file: file.stem)
def test_of_the_npm_package(db: Database, file: Path) -> None:
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", file],
        cwd=NODE,
        env={**os.environ, "SERVICE_URL": db.service_dsn, "SUPERUSER_URL": db.dsn},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout
    assert "skipped 0" in done.stdout, done.stdout
