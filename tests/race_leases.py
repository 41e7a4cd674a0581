"""Races for leases until the time is up: the first half on PostgreSQL 15, the second on 18.

make race MINUTES=10
"""

from __future__ import annotations

import sys
from collections import Counter

from harness.cluster import Cluster
from harness.lease_race.race import Race, summary
from harness.server import remove_copied_programs, what_is_missing

ROUND = 60.0


def race(name: str, seconds: float) -> Race:
    """On a server of its own, until the time is up or something is wrong."""
    cluster = Cluster(name)
    try:
        race = Race(cluster.new_database())
        raced = 0.0
        while raced < seconds and not race.violations:
            race.run(min(ROUND, seconds - raced))
            raced = min(raced + ROUND, seconds)
            print(f"{name} after {raced:.0f} s: {summary(race.counts)}", flush=True)
        for kind, text in race.violations[:20]:
            print(f"{kind}: {text}", file=sys.stderr)
        race.close()
        return race
    finally:
        cluster.remove()


def main() -> int:
    if missing := what_is_missing():
        sys.exit(missing)
    seconds = float(sys.argv[1]) * 60
    try:
        races = [race(name, seconds / 2) for name in ("pg15-login", "pg18-superuser")]
    finally:
        remove_copied_programs()
    print(f"all: {summary(sum((race.counts for race in races), Counter()))}")
    return int(any(race.violations for race in races))


if __name__ == "__main__":
    sys.exit(main())
