"""`pg-auth-state status`."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import Any

import typer

from .._sync.client import AuthState
from ..rows import CleanupJob, KeyTypeStatus, Status
from .options import counted
from .output import MOST, named, printable


def show(conninfo: str, schema: str, *, as_json: bool) -> None:
    with AuthState(conninfo, schema=schema) as state:
        status, job = state.status(), state.cleanup_job()
    upcoming = next_run(job, datetime.now(timezone.utc))
    if as_json:
        document = {**asdict(status), "cleanup": {**asdict(job), "next_run": upcoming}}
        typer.echo(json.dumps(document, indent=2, default=datetime.isoformat))
    else:
        _print(status, job, upcoming)


def next_run(job: CleanupJob, now: datetime) -> datetime | None:
    """When pg_cron runs the job next, if its time zone is GMT, as it is unless set otherwise."""
    if job.schedule is None or not job.active:
        return None
    if seconds := re.fullmatch(r"(\d+) seconds?", job.schedule.strip()):
        return (job.last_run or now) + timedelta(seconds=int(seconds[1]))

    from cronsim import CronSim, CronSimError

    try:
        # pg_cron calls the last day of the month $, cronsim L.
        return next(CronSim(job.schedule.replace("$", "L"), now))
    except (CronSimError, StopIteration):
        return None


def _print(status: Status, job: CleanupJob, upcoming: datetime | None) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    where = f"in schema {named(status.schema)}, PostgreSQL {status.server}"
    console.print(printable(f"pg-auth-state {status.version} {where}"))
    console.print()
    facts = Table.grid(padding=(0, 3))
    facts.add_row(
        "Accounts",
        f"{status.accounts:,}, {status.paired:,} paired, {status.encrypted or 0:,} encrypted",
    )
    facts.add_row("Leases", f"{status.live_leases:,} live")
    facts.add_row("On disk", size(status.relation_bytes))
    expiring = sum(keys.expiring for keys in status.keys)
    expired = sum(keys.expired for keys in status.keys)
    facts.add_row("Expiring", f"{expiring:,} keys within a day, {expired:,} expired already")
    for index, line in enumerate(_cleanup_lines(job, upcoming)):
        facts.add_row("" if index else "Cleanup", printable(line))
    console.print(facts)

    if status.keys:
        console.print()
        console.print(_keys_table(status.keys))
    for warning in status.warnings:
        console.print()
        console.print(printable(f"Warning: {warning}"), style="yellow")


def _keys_table(keys: list[KeyTypeStatus]) -> Any:
    """The largest types; anybody who writes an account can make any number of them."""
    from rich import box
    from rich.table import Table

    shown = sorted(keys, key=lambda row: row.bytes, reverse=True)[:MOST]
    shown.sort(key=lambda row: row.key_type)
    more = len(keys) - len(shown)
    total = "all" if more == 0 else f"all, and {counted(more, 'type')} more"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=len(keys) > 1)
    columns = [
        ("Keys by type", "left", [named(row.key_type, 40) for row in shown], total),
        ("Number", "right", [f"{row.keys:,}" for row in shown], f"{sum(r.keys for r in keys):,}"),
        ("Size", "right", [size(row.bytes) for row in shown], size(sum(r.bytes for r in keys))),
        ("Largest", "right", [size(r.largest) for r in shown], size(max(r.largest for r in keys))),
        (
            "Expired",
            "right",
            [f"{r.expired:,}" for r in shown],
            f"{sum(r.expired for r in keys):,}",
        ),
        ("Expire after", "right", [row.ttl or "never" for row in shown], ""),
    ]
    for title, justify, _, footer in columns:
        table.add_column(title, footer, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for row in zip(*(cells for _, _, cells, _ in columns), strict=True):
        table.add_row(*row)
    return table


def _cleanup_lines(job: CleanupJob, upcoming: datetime | None) -> list[str]:
    if job.job_id is None:
        return {
            "here": ["not scheduled: pg-auth-state schedule"],
            "elsewhere": [
                f"pg_cron lives in database {job.cron_database}, where its jobs can be seen"
            ],
            "absent": ["no pg_cron: pg-auth-state cleanup --every 6h, or any scheduler"],
        }.get(job.pg_cron, [job.pg_cron])
    lines = [f"{job.schedule}, job {job.job_id} of pg_cron"]
    if not job.active:
        lines[0] += ", switched off"
    if upcoming is not None:
        lines.append(f"next {upcoming:%Y-%m-%d %H:%M} GMT")
    if job.last_run is not None:
        lines.append(
            f"last {job.last_run.astimezone(timezone.utc):%Y-%m-%d %H:%M} GMT: {job.last_status}"
        )
        if job.last_status == "failed" and job.last_message:
            lines.append(job.last_message.strip())
    else:
        lines.append("has not run yet")
    return lines


def size(number: int) -> str:
    """1536 is 1.5 kB."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1024 or unit == "GB":
            break
        value /= 1024
    return f"{value:,.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
