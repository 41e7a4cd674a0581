"""Tries every attack and writes how it ended into docs/security.md.

.venv/bin/python tests/write_security_table.py
"""

from __future__ import annotations

from harness import attacks
from harness.attackers import make_roles
from harness.cluster import Cluster
from harness.server import remove_copied_programs


def main() -> None:
    cluster = Cluster("pg18-login")
    try:
        make_roles(cluster)
        attacks.write(attacks.table(attacks.start(cluster)))
    finally:
        cluster.remove()
        remove_copied_programs()


if __name__ == "__main__":
    main()
