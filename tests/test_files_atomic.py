"""What is written aside belongs to its writer, whoever tidies up beside it."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from pg_auth_state.files.atomic import Aside, remove_leftovers


# Jobs that start at once tidy up one folder of backups, while the first of them write to it.
@pytest.mark.parametrize("folder", [False, True])
def test_what_is_tidied_up_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: bool
) -> None:
    def tidied_before(fd: int, operation: int) -> None:
        monkeypatch.undo()
        remove_leftovers(tmp_path)
        fcntl.flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", tidied_before)
    aside = Aside(tmp_path / "target", folder=folder)
    assert aside.path.exists()
    aside.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
