"""Many folders in one go."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from harness.cluster import Database as TestedDatabase
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.folders import SMALL, account, sample, samples
from harness.memory import PEAK
from pg_auth_state import AuthState
from pg_auth_state.files import jobs
from pg_auth_state.files.importing import Imported, Options
from pg_auth_state.files.jobs import Failed, Outcome, Step, Task, company_folders, import_all

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)

NO_BACKUP = Options(backup=False, resume=True)


def task(db: TestedDatabase, options: Options = NO_BACKUP) -> Task:
    return Task(db.service_dsn, "public", options)


def by_company(outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    for outcome in outcomes:
        assert outcome.company_id not in found
        found[outcome.company_id] = outcome
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "baileys_sessions"
    for each in samples():
        each.copy(root)
    return root


@pytest.mark.parametrize("count", [1, 2, 5])
def test_one_bad_company_does_not_stop_the_others(
    db: TestedDatabase, root: Path, count: int
) -> None:
    bad = root / SMALL / "creds.json"
    bad.write_text("{")
    outcomes = by_company(import_all(task(db), company_folders(root), count))
    failed = outcomes.pop(account(SMALL))
    assert isinstance(failed, Failed)
    assert [note.file for note in failed.problems] == ["creds.json"]
    assert {o.status for o in outcomes.values() if isinstance(o, Imported)} == {"imported"}
    with AuthState(db.service_dsn) as state:
        assert [company.company_id for company in state.list_companies()] == sorted(outcomes)

    bad.write_text((sample(SMALL).path / "creds.json").read_text())
    outcomes = by_company(import_all(task(db), company_folders(root), count))
    statuses = {name: getattr(o, "status", "failed") for name, o in outcomes.items()}
    assert statuses.pop(account(SMALL)) == "imported"
    assert set(statuses.values()) == {"there already"}


def test_progress_of_every_company_is_told(db: TestedDatabase, root: Path) -> None:
    steps: list[Step] = []
    by_company(import_all(task(db), company_folders(root), 2, steps.append))
    assert {step.company_id for step in steps if step.step == "write"} == {
        account(each.name) for each in samples()
    }


def test_only_folders_of_companies_are_taken(cluster: object, root: Path) -> None:
    (root / "other").mkdir()
    (root / "company_file").write_text("")
    names = sorted(each.name for each in samples())
    assert [path.name for path in company_folders(root)] == names


def test_a_link_out_of_the_folder_is_not_followed(
    db: TestedDatabase, root: Path, tmp_path: Path
) -> None:
    sample(SMALL).copy(tmp_path, "elsewhere")
    (root / "company_in").symlink_to(SMALL)
    (root / "company_out").symlink_to(tmp_path / "elsewhere")
    options = Options(backup=False, within=root)
    outcomes = by_company(import_all(task(db, options), company_folders(root), 2))
    failed = outcomes.pop("out")
    assert isinstance(failed, Failed)
    assert [str(note) for note in failed.problems] == [
        "company_out: is a symbolic link out of the folder"
    ]
    assert all(isinstance(outcome, Imported) for outcome in outcomes.values())
    assert len(outcomes) == 7


# The death of one process may cost one company, and no more.
def test_a_job_that_dies_costs_its_company_only(
    db: TestedDatabase, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_give = jobs._Worker.give

    def killing(self: jobs._Worker, path: Path) -> None:
        if path.name == SMALL:
            self._process.kill()
        really_give(self, path)

    monkeypatch.setattr(jobs._Worker, "give", killing)
    outcomes = by_company(import_all(task(db), company_folders(root), 2))
    failed = outcomes.pop(account(SMALL))
    assert isinstance(failed, Failed)
    assert "ended" in failed.error
    assert all(isinstance(outcome, Imported) for outcome in outcomes.values())
    assert len(outcomes) == 5


def test_a_job_that_dies_last_leaves_none_waiting(
    db: TestedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        sample(SMALL).copy(tmp_path, f"company_{number}")
    really_give = jobs._Worker.give

    def killing(self: jobs._Worker, path: Path) -> None:
        self._process.kill()
        really_give(self, path)

    monkeypatch.setattr(jobs._Worker, "give", killing)
    outcomes = by_company(import_all(task(db), company_folders(tmp_path), 2))
    assert all(isinstance(outcome, Failed) for outcome in outcomes.values())
    assert len(outcomes) == 2


def test_jobs_end_when_nobody_wants_more(db: TestedDatabase, root: Path) -> None:
    outcomes = import_all(task(db), company_folders(root), 2)
    next(iter(outcomes))
    outcomes.close()  # type: ignore[attr-defined]
    script = "import psutil; print(len(psutil.Process().children()))"
    assert script
    children = (
        Path("/proc/self/task").joinpath(Path("/proc/self").resolve().name, "children").read_text()
    )
    assert all(
        "pg_auth_state.files.worker" not in Path(f"/proc/{pid}/cmdline").read_text()
        for pid in children.split()
    )


def test_memory_does_not_grow_with_the_number_of_companies(
    db: TestedDatabase, tmp_path: Path
) -> None:
    code = PEAK + (
        "import sys; from pathlib import Path\n"
        "from pg_auth_state.files.jobs import *\n"
        "from pg_auth_state.files.importing import Options\n"
        "task = Task(sys.argv[1], 'public', Options(backup=False))\n"
        "n = sum(1 for _ in import_all(task, company_folders(Path(sys.argv[2])), 1))\n"
        "print(n, peak())"
    )
    peaks = []
    for count in (5, 60):
        root = tmp_path / str(count)
        for number in range(count):
            sample("company_962304").copy(root, f"company_{count}_{number}")
        command = [sys.executable, "-c", code, db.service_dsn, root]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        number, peak = map(int, done.stdout.split())
        assert number == count
        peaks.append(peak)
        shutil.rmtree(root)
    assert peaks[1] - peaks[0] < 4 * 1024  # kB; the folders of 60 are 11 MB
