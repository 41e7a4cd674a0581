"""Every function of an installed pg-auth-state goes through plpgsql_check with all warnings on.

`make lint` runs this. It prints what it finds and ends with 1 if there is anything.
"""

from __future__ import annotations

import sys

from harness.cluster import Cluster
from harness.server import what_is_missing

# Warnings that are wrong: by function and message.
ACCEPTED: set[tuple[str, str]] = set()

FINDINGS = """
select f.oid::regprocedure::text, w.lineno, w.level, w.message, w.detail, w.query
from pg_proc f
cross join lateral plpgsql_check_function_tb(
  f.oid,
  relid => coalesce((select g.tgrelid from pg_trigger g where g.tgfoid = f.oid limit 1), 0),
  fatal_errors => false,
  all_warnings => true
) w
where f.prolang = (select oid from pg_language where lanname = 'plpgsql')
and f.proowner = to_regrole('auth_state_owner')
order by 1, 2
"""


def main() -> int:
    if missing := what_is_missing():
        print(missing, file=sys.stderr)
        return 1
    cluster = Cluster("pg15-superuser")
    try:
        with cluster.cron_database().conn as conn:  # so that what concerns pg_cron resolves
            conn.execute("create extension plpgsql_check schema pg_catalog")
            findings = conn.execute(FINDINGS).fetchall()
    finally:
        cluster.remove()
    found = {(function, message) for function, _, _, message, *_ in findings}
    for function, line, level, message, *more in findings:
        if (function, message) not in ACCEPTED:
            print(f"{function}:{line}: {level}: {' | '.join(filter(None, [message, *more]))}")
    for function, message in ACCEPTED - found:
        print(f"{function}: no longer warned of, and still in ACCEPTED: {message}")
    return 0 if found == ACCEPTED else 1


if __name__ == "__main__":
    sys.exit(main())
