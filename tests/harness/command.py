"""The command `pg-auth-state` as a script runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from harness.cluster import Database as TestedDatabase


class Command:
    """Runs `pg-auth-state` in a folder."""

    def __init__(self, db: TestedDatabase, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "DATABASE_URL": db.service_dsn}

    def __call__(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pg_auth_state", *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )

    def good(self, *arguments: object) -> str:
        done = self(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def bad(self, *arguments: object) -> str:
        done = self(*arguments)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr
