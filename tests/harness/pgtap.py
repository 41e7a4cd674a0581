"""tests/pgtap/<function>/<behaviour>.sql: a pytest item per file and cluster."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cluster import COMBINATIONS, Clusters
from harness.server import PSQL

CLUSTERS: pytest.StashKey[Clusters] = pytest.StashKey()


class PgTapFailure(Exception):
    """The report of a file that did not pass."""


class PgTapFile(pytest.File):
    def collect(self) -> Iterator[PgTapItem]:
        for name in COMBINATIONS:
            yield PgTapItem.from_parent(self, name=name)


class PgTapItem(pytest.Item):
    def runtest(self) -> None:
        database = self.config.stash[CLUSTERS][self.name].pgtap_database()
        text = self.path.read_text()
        if not re.match(r"(--.*\n|\s)*begin\b", text) or not re.search(r"\nrollback;\s*$", text):
            raise PgTapFailure("the file must begin with `begin` and end with `rollback;`")
        done = subprocess.run(
            [PSQL, "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", self.path.name, database.dsn],
            cwd=self.path.parent,
            env={**os.environ, "PGOPTIONS": "-c search_path=public,tap"},
            capture_output=True,
            text=True,
        )
        if problem := find_problem(done.stdout, done.returncode):
            raise PgTapFailure(f"{problem}\n{done.stdout}{done.stderr}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style=None):  # type: ignore[no-untyped-def]
        if isinstance(excinfo.value, PgTapFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, "short")

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.path.parent.name}: {self.path.stem} [{self.name}]"


def find_problem(output: str, returncode: int) -> str | None:
    """Why this TAP output of psql is no pass."""
    results = re.findall(r"^(ok|not ok) \d+(.*)$", output, re.MULTILINE)
    plans = re.findall(r"^1\.\.(\d+)$", output, re.MULTILINE)
    if returncode != 0:
        return f"psql ended with {returncode}"
    if len(plans) != 1:
        return f"{len(plans)} plans instead of one"
    if any(result == "not ok" for result, _ in results):
        return "a test failed"
    if any(re.search("# (skip|todo)", note, re.IGNORECASE) for _, note in results):
        return "a test was skipped"
    if len(results) != int(plans[0]) or not results:
        return f"{plans[0]} tests planned, {len(results)} run"
    return None
