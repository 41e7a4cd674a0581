"""The command `pg-auth-state`. What a command needs beyond its options is imported by it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .errors import Commands
from .output import named, printable, say, set_up

app = typer.Typer(
    cls=Commands,
    help="WhatsApp (Baileys) auth state in PostgreSQL: install it, move in, watch it, clean up.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """The entry point."""
    set_up()
    app()


def _version(wanted: bool) -> None:
    if wanted:
        from .._version import __version__

        say(f"pg-auth-state {__version__}")
        raise typer.Exit


@app.callback()
def _callback(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def _show_notice(notice: str) -> None:
    for line in notice.splitlines():
        say(line, err=True)


@app.command()
def install(database_url: options.DatabaseUrl = None, schema: options.Schema = "public") -> None:
    """Install into the database, or upgrade what is there.

    Running it twice changes nothing. One transaction: a pooler will do.
    """
    from .._install import install

    conninfo = options.conninfo(database_url)
    installed = install(conninfo, schema, on_notice=_show_notice)
    where = options.described(conninfo)
    say(f"pg-auth-state {installed.version} is installed in schema {schema} of {where}.")


@app.command()
def uninstall(
    database_url: options.DatabaseUrl = None,
    schema: options.Schema = "public",
    yes: options.Yes = False,
) -> None:
    """Remove everything, the accounts too, after asking.

    One transaction: a pooler will do.
    """
    from .._install import uninstall
    from .._sync.client import AuthState

    conninfo = options.conninfo(database_url)
    with AuthState(conninfo, schema=schema) as state:
        accounts = state.status().accounts
    where = f"schema {schema} of {options.described(conninfo)}"
    if not yes:
        losing = "no account" if accounts == 0 else options.counted(accounts, "account")
        typer.confirm(printable(f"Remove pg-auth-state, with {losing}, from {where}?"), abort=True)
    uninstall(
        conninfo,
        schema,
        drop_data=accounts > 0,
        on_notice=_show_notice,
    )
    say(f"Removed pg-auth-state and {options.counted(accounts, 'account')} from {where}.")


@app.command()
def status(
    database_url: options.DatabaseUrl = None,
    schema: options.Schema = "public",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Show accounts, keys, sizes and the next cleanup."""
    from . import _status

    _status.show(options.conninfo(database_url), schema, as_json=as_json)


@app.command()
def cleanup(
    database_url: options.DatabaseUrl = None,
    schema: options.Schema = "public",
    every: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Stay, and do it again so often: 6h, 30m, 1h30m. For where there is no pg_cron.",
        ),
    ] = None,
    company: Annotated[
        str | None, typer.Option(metavar="COMPANY", help="Only this account.")
    ] = None,
    batch_size: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=2**31 - 1, help="The most keys of one transaction."),
    ] = 10_000,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Remove nothing, say how many there are.")
    ] = False,
) -> None:
    """Remove expired keys that are not in use, batch by batch."""
    from ._cleanup import Job, seconds, serve

    job = Job(options.conninfo(database_url), schema, company, batch_size)
    if every is not None and dry_run:
        raise typer.BadParameter("--dry-run does not go with --every")
    if every is not None:
        serve(job, seconds(every))
    elif dry_run:
        say(f"{options.counted(job.count(), 'expired key')} would be removed.")
    else:
        say(f"Removed {options.counted(job.run(), 'expired key')}.")


@app.command("import")
def import_(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="What useMultiFileAuthState was given.")
    ],
    database_url: options.DatabaseUrl = None,
    schema: options.Schema = "public",
    company: Annotated[
        str | None,
        typer.Option(
            metavar="COMPANY", help="The account; 962302 for a folder company_962302 unless given."
        ),
    ] = None,
    all_companies: Annotated[
        bool, typer.Option("--all", help="Import every folder company_* in FOLDER.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="So many at once, with --all; twice as many as CPUs."
        ),
    ] = None,
    backup: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the .tar.gz goes; beside the folder if not given."),
    ] = None,
    no_backup: Annotated[bool, typer.Option("--no-backup", help="Make no .tar.gz.")] = False,
    merge: Annotated[
        bool, typer.Option("--merge", help="Into an account that exists: add what is missing.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Over an account that exists: leave nothing of it.")
    ] = False,
    allow_new_identity: Annotated[
        bool,
        typer.Option(
            "--allow-new-identity",
            help="With --replace: even if the one in the database is paired and another one.",
        ),
    ] = False,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Take types of keys that are not known.")
    ] = False,
    without_creds: Annotated[
        bool, typer.Option("--without-creds", help="Take a folder that has no creds.json.")
    ] = False,
    lid_ttl: Annotated[
        str,
        typer.Option(
            metavar="DURATION",
            help="Leave out LID mappings older than this that are not in use; or: never.",
        ),
    ] = "7d",
    keys: options.Keys = None,
    current_key: options.CurrentKey = None,
    plain_type: options.PlainTypes = [],  # noqa: B006 (typer's)
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing, say what would be done.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Bring accounts from files into the database.

    Each is checked, backed up, written and read back whole, or not at all.
    """
    from ._files import duration, run_import

    if merge and replace:
        raise typer.BadParameter("--merge does not go with --replace")
    if allow_new_identity and not replace:
        raise typer.BadParameter("--allow-new-identity goes with --replace")
    if backup is not None and no_backup:
        raise typer.BadParameter("--backup does not go with --no-backup")
    if all_companies and company is not None:
        raise typer.BadParameter("--company does not go with --all")
    if jobs is not None and not all_companies:
        raise typer.BadParameter("--jobs goes with --all")

    from ..files.importing import Options
    from ..files.jobs import Task

    task = Task(
        options.conninfo(database_url),
        schema,
        Options(
            mode="replace" if replace else "merge" if merge else "new",
            backup=False if no_backup else backup,
            allow_new_identity=allow_new_identity,
            allow_unknown=allow_unknown,
            without_creds=without_creds,
            lid_ttl=duration(lid_ttl),
            resume=all_companies,
            within=folder if all_companies else None,
            dry_run=dry_run,
        ),
        options.key_file(keys, current_key, plain_type),
    )
    run_import(task, folder, company, jobs if all_companies else None, all_companies, as_json)


@app.command()
def verify(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="What useMultiFileAuthState was given.")
    ],
    database_url: options.DatabaseUrl = None,
    schema: options.Schema = "public",
    company: Annotated[
        str | None,
        typer.Option(
            metavar="COMPANY", help="The account; 962302 for a folder company_962302 unless given."
        ),
    ] = None,
    all_companies: Annotated[
        bool, typer.Option("--all", help="Compare every folder company_* in FOLDER.")
    ] = False,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Take types of keys that are not known.")
    ] = False,
    lid_ttl: Annotated[
        str,
        typer.Option(metavar="DURATION", help="As import was given."),
    ] = "7d",
    keys: options.Keys = None,
    plain_type: options.PlainTypes = [],  # noqa: B006 (typer's)
    allow_plaintext: options.AllowPlaintext = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Compare a folder with the database, key by key.

    Lists every difference, without values; exit code 1 if there is one.
    """
    from ._files import duration, run_verify

    if all_companies and company is not None:
        raise typer.BadParameter("--company does not go with --all")
    conninfo = options.conninfo(database_url)
    ttl = duration(lid_ttl)
    files = options.key_file(keys, None, plain_type, allow_plaintext=allow_plaintext)
    run_verify(conninfo, schema, folder, company, all_companies, allow_unknown, ttl, files, as_json)


@app.command()
def export(
    company: Annotated[str, typer.Argument(metavar="COMPANY", help="The account.")],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="Must not exist; ./company_COMPANY unless given."),
    ] = None,
    database_url: options.DatabaseUrl = None,
    schema: options.Schema = "public",
    decrypt: Annotated[
        bool,
        typer.Option("--decrypt", help="Of an encrypted account plain files, which wants --keys."),
    ] = False,
    keys: options.Keys = None,
    plain_type: options.PlainTypes = [],  # noqa: B006 (typer's)
    allow_plaintext: options.AllowPlaintext = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Write an account as a folder for useMultiFileAuthState.

    All of it, from one moment, or nothing.
    """
    from ._files import default_folder, run_export

    if decrypt and not keys:
        raise typer.BadParameter("--decrypt goes with --keys")
    run_export(
        options.conninfo(database_url),
        schema,
        company,
        folder or default_folder(company),
        options.key_file(keys, None, plain_type, allow_plaintext=allow_plaintext)
        if decrypt
        else None,
        as_json,
    )


@app.command("rekey")
def rekey_(
    companies: Annotated[
        list[str] | None, typer.Argument(metavar="[COMPANY]...", help="The accounts.")
    ] = None,
    all_companies: Annotated[bool, typer.Option("--all", help="Every account there is.")] = False,
    database_url: options.DatabaseUrl = None,
    schema: options.Schema = "public",
    keys: options.Keys = None,
    current_key: options.CurrentKey = None,
    plain_type: options.PlainTypes = [],  # noqa: B006 (typer's)
    allow_plaintext: options.AllowPlaintext = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write nothing, say which keys things are under. Earlier creds are not seen.",
        ),
    ] = False,
    keep_history: Annotated[
        bool,
        typer.Option(
            "--keep-history",
            help="Leave earlier creds, plain or under an old key as they are: the key must stay.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Encrypt accounts anew under the current key.

    Plain ones, too. Account by account, under its lease; when it was stopped, run it again.
    """
    from ._rekey import run

    if bool(companies) == all_companies:
        raise typer.BadParameter("give accounts, or --all")
    files = options.key_file(keys, current_key, plain_type, allow_plaintext=allow_plaintext)
    if files is None:
        raise typer.BadParameter("give --keys")
    run(
        options.conninfo(database_url),
        schema,
        companies or [],
        files,
        check=check,
        keep_history=keep_history,
        as_json=as_json,
    )


@app.command()
def schedule(
    expression: Annotated[
        str | None,
        typer.Argument(
            metavar="[CRON]", help="When, as a cron expression in GMT; '0 */6 * * *' unless given."
        ),
    ] = None,
    database_url: options.DatabaseUrl = None,
    schema: options.Schema = "public",
) -> None:
    """Let pg_cron remove expired keys.

    Wherever on the server it lives. Safe to repeat.
    """
    from ..scheduling import schedule

    scheduled = schedule(options.conninfo(database_url), schema, expression)
    where = "" if scheduled.database is None else f" of database {scheduled.database}"
    say(f"Cleanup is scheduled: job {scheduled.job_id} of pg_cron{where}.")


@app.command()
def unschedule(database_url: options.DatabaseUrl = None, schema: options.Schema = "public") -> None:
    """Stop the scheduled cleanup."""
    from ..scheduling import unschedule

    removed = unschedule(options.conninfo(database_url), schema)
    say("Cleanup is not scheduled any more." if removed else "Cleanup was not scheduled.")


@app.command()
def delete(
    company: Annotated[str, typer.Argument(metavar="COMPANY", help="The account.")],
    database_url: options.DatabaseUrl = None,
    schema: options.Schema = "public",
    yes: options.Yes = False,
) -> None:
    """Delete an account, after asking.

    Creds and keys: it must be paired again to come back.
    """
    from .._sync.client import AuthState
    from ..errors import NotFound

    with AuthState(options.conninfo(database_url), company, schema=schema) as state:
        keys = sum(stats.keys for stats in state.stats())
        has_creds = state.creds_version() is not None
        if keys == 0 and not has_creds:
            raise NotFound(f"there is no account {named(company)}", company_id=company)
        if not yes:
            what = f"{'creds' if has_creds else 'no creds'} and {options.counted(keys, 'key')}"
            typer.confirm(f"Delete account {named(company)}, {what}, for good?", abort=True)
        rows = state.delete_company()
    say(f"Deleted account {named(company)}: {options.counted(rows, 'row')}.")
