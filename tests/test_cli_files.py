"""`pg-auth-state import`, `verify` and `export` as a person or a script uses them."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Database as TestedDatabase
from harness.command import Command
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.folders import LARGE, SMALL, account, contents, sample
from pg_auth_state import AuthState

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)


@pytest.fixture
def run(db: TestedDatabase, tmp_path: Path) -> Command:
    return Command(db, tmp_path)


def test_there_and_back(run: Command, tmp_path: Path) -> None:
    folder = sample(LARGE).copy(tmp_path / "baileys_sessions")
    shown = run.good("import", f"baileys_sessions/{LARGE}", "--lid-ttl", "never")
    first, backup = shown.splitlines()
    assert first.startswith(
        f"{account(LARGE)}: imported, creds and 336 keys (3 app-state-sync-key, "
    )
    assert backup.startswith(f"  backup: {tmp_path}/baileys_sessions/{LARGE}-")
    shown = run.good("verify", f"baileys_sessions/{LARGE}")
    assert shown == f"{account(LARGE)}: equal, 337 files\n"
    shown = run.good("export", account(LARGE), "out")
    assert shown.startswith(f"{account(LARGE)}: exported creds and 336 keys (")
    assert shown.endswith("to out\n")
    assert contents(tmp_path / "out") == contents(folder)
    assert (
        run.good("verify", "out", "--company", account(LARGE))
        == f"{account(LARGE)}: equal, 337 files\n"
    )
    assert "out exists already" in run.bad("export", account(LARGE), "out")
    run.good("export", account(LARGE))
    assert (tmp_path / LARGE).is_dir()


def test_a_folder_may_be_named_by_a_dot(run: Command, tmp_path: Path) -> None:
    run.folder = sample(SMALL).copy(tmp_path)
    assert run.good("import", ".", "--no-backup").startswith(f"{account(SMALL)}: imported")


def test_what_is_left_out_is_listed(run: Command, tmp_path: Path) -> None:
    folder = sample(SMALL).copy(tmp_path)
    (folder / "lid-mapping-1.json").write_text('"2"')
    os.utime(folder / "lid-mapping-1.json", (0, 0))
    (folder / "notes.txt").write_text("")
    for arguments in (["--dry-run"], ["--no-backup"]):
        shown = run.good("import", SMALL, *arguments).splitlines()
        assert shown[1:] == [
            "  left out, LID mappings past their time without a session: lid-mapping-1.json",
            "  no part of the account: notes.txt (not a file of keys)",
        ]
    assert "lid-mapping-1.json" in run.good("verify", SMALL)


def test_what_is_wrong_is_named_with_its_file(
    run: Command, db: TestedDatabase, tmp_path: Path
) -> None:
    folder = sample(SMALL).copy(tmp_path)
    (folder / "session-1.0.json").write_text('{"secret":"c2VjcmV0')
    shown = run.bad("import", SMALL)
    assert shown.splitlines() == [
        f"error: {account(SMALL)}: {SMALL} cannot be read as one account",
        "  session-1.0.json: is torn, or no JSON: it cannot be read beyond character 10",
        "  HINT: Stop the client, and restore the file or, if it can be lost, delete it.",
    ]
    assert list(tmp_path.iterdir()) == [folder]
    assert db.conn.execute("select count(*) from whatsapp_keys").fetchone() == (0,)
    assert "there is no folder nowhere" in run.bad("import", "nowhere")


def test_an_account_that_exists(run: Command, db: TestedDatabase, tmp_path: Path) -> None:
    sample(SMALL).copy(tmp_path)
    run.good("import", SMALL, "--no-backup")
    with AuthState(db.service_dsn, account(SMALL)) as state:
        state.set_keys({"pre-key": {"2": None}, "session": {"1.0": 1}})
    assert "exists already" in run.bad("import", SMALL)
    shown = run("verify", SMALL)
    assert shown.returncode == 1
    assert shown.stdout == (
        f"{account(SMALL)}: 2 differences, 14 equal\n"
        "  pre-key-2.json: is only in the folder\n"
        "  session-1.0.json: is only in the database\n"
    )
    assert "; 1 row written" in run.good("import", SMALL, "--merge", "--no-backup")
    shown_dry = run.good("import", SMALL, "--replace", "--dry-run")
    assert "would replace creds and 15 keys" in shown_dry
    assert "replaced creds and 15 keys" in run.good("import", SMALL, "--replace", "--no-backup")
    run.good("verify", SMALL)
    sample("company_962306").copy(tmp_path)
    other = ["import", "company_962306", "--company", account(SMALL), "--replace", "--no-backup"]
    assert "--allow-new-identity" in run.bad(*other)
    run.good(*other, "--allow-new-identity")


def test_many(run: Command, tmp_path: Path) -> None:
    for number in range(5):
        sample(SMALL).copy(tmp_path / "all", f"company_{number}")
    torn = tmp_path / "all/company_3/creds.json"
    good = torn.read_text()
    torn.write_text("")
    done = run("import", "all", "--all", "--backup", "backups", "--jobs", "2")
    assert done.returncode == 1
    assert done.stderr.splitlines()[:2] == [
        "error: 3: all/company_3 cannot be read as one account",
        "  creds.json: is empty",
    ]
    assert "5 folders: " in done.stdout
    assert "4 imported" in done.stdout
    assert "1 failed" in done.stdout
    assert len(list((tmp_path / "backups").iterdir())) == 4
    torn.write_text(good)
    last = run.good("import", "all", "--all", "--no-backup").splitlines()[-1]
    assert "4 there already" in last
    assert "1 imported" in last
    assert run.good("verify", "all", "--all").endswith("5 folders: 5 equal\n")


def test_json_is_for_programs(run: Command, tmp_path: Path) -> None:
    sample(LARGE).copy(tmp_path / "all")
    folder = sample(SMALL).copy(tmp_path / "all")
    (folder / "session-1.0.json").write_text("")
    done = run("import", "all", "--all", "--json")
    assert done.returncode == 1
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["totals"] == {"imported": 1, "failed": 1}
    companies = {each["company_id"]: each for each in document["companies"]}
    assert companies[account(SMALL)]["problems"] == [
        {"file": "session-1.0.json", "reason": "is empty"}
    ]
    assert companies[account(LARGE)]["status"] == "imported"
    assert Path(companies[account(LARGE)]["backup"]).is_file()
    (folder / "session-1.0.json").unlink()
    document = json.loads(run.good("import", f"all/{SMALL}", "--json"))
    assert document["companies"][0]["keys"]["session"] == 1
    document = json.loads(run.good("verify", "all", "--all", "--json"))
    assert document["totals"] == {"equal": 2}
    assert json.loads(run.good("export", account(SMALL), "out", "--json"))["creds"] is True


@pytest.mark.parametrize(
    "arguments",
    [
        ["--merge", "--replace"],
        ["--allow-new-identity"],
        ["--backup", "x", "--no-backup"],
        ["--all", "--company", "x"],
        ["--jobs", "2"],
        ["--lid-ttl", "soon"],
    ],
)
def test_options_that_do_not_go_together(
    run: Command, tmp_path: Path, arguments: list[str]
) -> None:
    sample(SMALL).copy(tmp_path)
    done = run("import", SMALL, *arguments)
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == [tmp_path / SMALL]


def test_one_error_is_enough_when_there_is_no_database(run: Command, tmp_path: Path) -> None:
    for number in range(3):
        sample(SMALL).copy(tmp_path, f"company_{number}")
    run.environment["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    assert run.bad("import", ".", "--all").count("error:") == 1
    assert run.bad("verify", ".", "--all").count("error:") == 1
    assert not list(tmp_path.glob("*.tar.gz"))


def test_a_terminal_shows_progress(run: Command, db: TestedDatabase, tmp_path: Path) -> None:
    for number in range(3):
        sample(LARGE).copy(tmp_path, f"company_{number}")
    ours, theirs = pty.openpty()
    blocker = db.connect("app", autocommit=False)  # one account takes long enough to be seen
    blocker.execute("select auth_set_keys('0', '{}')")
    process = subprocess.Popen(
        [sys.executable, "-m", "pg_auth_state", "import", "--all", tmp_path, "--no-backup"],
        env={**run.environment, "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part
        if b"0, read" in shown:
            blocker.close()
    assert process.wait() == 0
    assert b"all accounts" in shown
    assert b"3/3" in shown
    assert b"0, read" in shown


# README and docs/files.md tell to do exactly this.
def test_every_command_of_the_journey_in_the_documentation_runs(
    run: Command, db: TestedDatabase, tmp_path: Path
) -> None:
    text = (Path(__file__).parents[1] / "docs/files.md").read_text()
    commands = [
        line.partition("#")[0].strip()
        for block in text.split("```sh\n")[1:]
        for line in block.partition("```")[0].splitlines()
        if line.strip() and not line.startswith("#")
    ]
    assert len(commands) > 8
    tree = tmp_path / "baileys_sessions"
    for name in (LARGE, SMALL):
        sample(name).copy(tree)
    environment = {**run.environment, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = "set -euo pipefail\n" + "\n".join(commands)
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tree / LARGE / "creds.json").exists()
    shutil.rmtree(tree)


def test_the_examples_of_the_documentation_run(
    run: Command, db: TestedDatabase, tmp_path: Path
) -> None:
    text = (Path(__file__).parents[1] / "docs/files.md").read_text()
    blocks = [block.partition("```")[0] for block in text.split("```python\n")[1:]]
    assert blocks
    sample(LARGE).copy(tmp_path / "baileys_sessions")
    run.good("import", f"baileys_sessions/{LARGE}", "--lid-ttl", "never")
    for flag in ("false", "true"):
        environment = {**run.environment, "USE_DATABASE_AUTH_STATE": flag}
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(blocks)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
