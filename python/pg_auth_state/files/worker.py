"""The process of one job: imports the folders that `jobs` gives it, until there are no more."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .database import Database
from .jobs import Task, company_of, import_one, seldom_collect_garbage


def serve(connection: Connection[Any, Any]) -> None:
    """Import and answer. What is not committed when the parent process ends is taken back."""
    parent = os.getppid()
    seldom_collect_garbage()
    task: Task
    task, wants_steps = connection.recv()
    with Database(task.conninfo, task.schema, task.keyring) as database:
        while True:
            path: Path = connection.recv()
            outcome = import_one(
                database,
                path,
                company_of(path),
                task.options,
                on_step=connection.send if wants_steps else None,
                may_commit=lambda: os.getppid() == parent,
            )
            connection.send(outcome)


if __name__ == "__main__":
    with suppress(EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        serve(Connection(int(sys.argv[1])))
