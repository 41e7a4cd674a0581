"""Programs of Node on a database of this suite."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from harness.cluster import ROOT, Database

NODE = ROOT / "node"


def run_node(db: Database, *arguments: str | Path) -> str:
    """What it printed; it has to end well."""
    done = subprocess.run(
        ["node", *arguments],
        cwd=NODE,
        env={**os.environ, "SERVICE_URL": db.service_dsn, "SUPERUSER_URL": db.dsn},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
