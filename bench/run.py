"""Measures everything and writes docs/benchmarks.md: what `make bench` runs.

    .venv/bin/python bench/run.py [--quick] [--postgres 18] [--only functions]

With `--only` a part of it is measured and printed, and nothing is written.
"""

from __future__ import annotations

import argparse
import importlib
import os
import time
from collections.abc import Iterator

import report
from figures import Curve, Figure, Matrix
from servers import ROOT, Bench, missing_packages

PARTS = ("functions", "clients", "encryption", "growth", "cleanup", "scaling")

# No measurement may end up in a database of whoever runs it.
for name in list(os.environ):
    if name == "DATABASE_URL" or name.startswith("PG"):
        del os.environ[name]


def measured(part: str, bench: Bench) -> Iterator[Figure | Curve | Matrix]:
    started = time.monotonic()
    bench.say(f"{part} …")
    with bench:
        for result in importlib.import_module(part).run(bench):
            if isinstance(result, Figure):
                bench.say(report.table([result]).splitlines()[-1])
            yield result
    bench.say(f"{part}: {time.monotonic() - started:.0f} s")


def server(bench: Bench) -> tuple[str, dict[str, str]]:
    """Its version, and the settings that matter and are not the defaults of PostgreSQL."""
    with bench, bench.postgresql().server.connect() as conn:
        row = conn.execute("select version()").fetchone()
        assert row
        settings: dict[str, str] = dict(
            conn.execute(
                "select name, setting from pg_settings where source = 'command line'"
                " and name not in ('config_file', 'data_directory', 'hba_file', 'ident_file',"
                "                  'port', 'listen_addresses', 'unix_socket_directories')"
            ).fetchall()
        )
        return str(row[0]).split(" on ")[0], settings


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, fewer rows")
    parser.add_argument("--postgres", type=int, choices=(15, 18), default=18)
    parser.add_argument("--only", choices=PARTS, action="append", help="print this part")
    given = parser.parse_args()

    started = time.monotonic()
    load, *_ = os.getloadavg()
    bench = Bench(quick=given.quick, postgres=given.postgres)
    results = [result for part in given.only or PARTS for result in measured(part, bench)]
    if given.only:
        print(report.table([result for result in results if isinstance(result, Figure)]))
        return
    version, settings = server(bench)
    run = report.Run(
        command="make bench" + (" QUICK=1" if given.quick else ""),
        postgres=version,
        settings=settings,
        minutes=(time.monotonic() - started) / 60,
        load=load,
        missing=[f"what needs {package}" for package in missing_packages()],
    )
    report.write(ROOT / "docs/benchmarks.md", run, results)


if __name__ == "__main__":
    main()
