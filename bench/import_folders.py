"""How long an import of many folders takes, against a loop that only reads and parses the files.

    .venv/bin/python bench/import_folders.py [--companies 1000] [--rounds 3] [--folder DIR]

Makes copies of the 337 files that the real library wrote in nine days of a small company, and a
PostgreSQL server of its own with fsync on. Each round runs a loop and then, as anybody would,
`pg-auth-state import --all`, backup included, and prints both and their ratio. Loops are two: the
plain one, `json.loads(file.read_text())`, and the leanest, `json.loads(file.read_bytes())`. As root
it drops the caches of the operating system before everything of the first round.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness.cluster import Cluster  # noqa: E402
from harness.folders import LARGE, sample  # noqa: E402

LOOP = """
import json, sys
from pathlib import Path
for folder in sorted(Path(sys.argv[1]).iterdir()):
    for file in folder.glob("*.json"):
        json.loads(file.read_text(encoding="utf-8"))
"""
LEANEST = LOOP.replace('glob("*.json")', "iterdir()").replace('text(encoding="utf-8")', "bytes()")


def timed(command: list[object]) -> float:
    started = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def drop_caches() -> bool:
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--companies", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("options", nargs="*", help="for the import, after --")
    given = parser.parse_args()

    work = Path(tempfile.mkdtemp(prefix="import-folders-", dir=given.folder))
    cluster = Cluster("pg18-login", durable=True, plain=True)
    try:
        folders = work / "folders"
        for number in range(given.companies):
            sample(LARGE).copy(folders, f"company_{number:05}")
        database = cluster.new_database()
        ratios = []
        for number in range(1, given.rounds + 1):
            cold = number == 1 and drop_caches()
            plain = timed([sys.executable, "-c", LOOP, folders])
            if cold:
                drop_caches()
            leanest = timed([sys.executable, "-c", LEANEST, folders])
            if cold:
                drop_caches()
            command = [sys.executable, "-m", "pg_auth_state", "import", "--all", folders]
            command += ["--backup", work / "backups", "--database-url", database.service_dsn]
            moved = timed([*command, *given.options])
            ratios.append(moved / plain)
            print(
                f"{given.companies} companies, {'cold' if cold else 'warm'} caches:"
                f" import {moved:.1f} s; plain loop {plain:.1f} s, ratio {moved / plain:.2f};"
                f" leanest loop {leanest:.1f} s, ratio {moved / leanest:.2f}",
                flush=True,
            )
            count = database.conn.execute("select count(*) from whatsapp_auth").fetchone()
            assert count == (given.companies,), count
            database.conn.execute("truncate whatsapp_auth, whatsapp_keys")
            shutil.rmtree(work / "backups", ignore_errors=True)
        print(json.dumps({"ratio": round(statistics.median(ratios), 2), "rounds": given.rounds}))
    finally:
        cluster.remove()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
