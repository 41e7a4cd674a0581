"""What attackers try, and one word for how it ends.

`refused`      42501, or an object that the attacker cannot even name
`nothing`      allowed, and shows or changes nothing
`no data`      an answer that is about no company
`no values`    ids, numbers and names of every company, never creds or a value
`own only`     its own company, and refused for any other, whether there is one or not
`all`          every company
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from harness.attackers import NOBODY, OWN, SECRETS, VICTIM, Attacker, attackers, literal, scene
from harness.cluster import Cluster, Database
from harness.creds import creds_json

# Creds of the attacker's, in a text that is formatted.
LOOT = creds_json(loot=1).replace("{", "{{").replace("}", "}}")

# Every public function by its signature: its call for a company, and in a list
# also for all of them or none. The attacker knows the victim's lease token and creds versions.
CALLS = {
    "auth_acquire_lease(text,text,interval,boolean,bigint)": (
        "auth_acquire_lease({c}, 'thief', '1 hour', true)"
    ),
    "auth_bind_role(name,text)": ["auth_bind_role('stranger', {c})"],
    "auth_cleanup_job()": ["auth_cleanup_job()"],
    "auth_clear_keys(text,text,bigint)": "auth_clear_keys({c}, null, {t})",
    "auth_configure(text,text)": ["auth_configure('history_versions', '1')"],
    "auth_creds_history(text)": "auth_creds_history({c})",
    "auth_creds_version(text)": "auth_creds_version({c})",
    "auth_delete_company(text,bigint)": "auth_delete_company({c}, {t})",
    "auth_export(text)": "auth_export({c})",
    "auth_get_creds(text)": "auth_get_creds({c})",
    "auth_get_keys(text,jsonb)": 'auth_get_keys({c}, \'{{"session": ["1.0"]}}\')',
    "auth_get_keys(text,text,text[])": "auth_get_keys({c}, 'session', '{{1.0}}')",
    "auth_import(text,jsonb,text,bigint,boolean)": (
        "auth_import({c}, '{{\"format\": 1, \"keys\": {{}}}}', 'replace', {t}, true)"
    ),
    "auth_init_creds(text,jsonb,bigint)": f"auth_init_creds({{c}}, '{LOOT}', {{t}})",
    "auth_list_audit(text,timestamp with time zone,integer)": [
        "auth_list_audit({c})",
        "auth_list_audit()",
    ],
    "auth_list_companies(text,integer)": ["auth_list_companies()"],
    "auth_list_keys(text,text,text,integer,boolean)": "auth_list_keys({c}, 'session')",
    "auth_list_leases(text,integer)": ["auth_list_leases()"],
    "auth_release_lease(text,bigint)": "auth_release_lease({c}, {t})",
    "auth_renew_lease(text,bigint,interval)": "auth_renew_lease({c}, {t}, '1 hour')",
    "auth_forget_history(text,text,bigint)": "auth_forget_history({c}, null, {t})",
    "auth_restore_creds(text,bigint,bigint)": "auth_restore_creds({c}, {v}, {t})",
    "auth_save_creds(text,jsonb,bigint,bigint,boolean)": (
        f"auth_save_creds({{c}}, '{LOOT}', null, {{t}}, true)"
    ),
    "auth_save_state(text,jsonb,jsonb,bigint,bigint,boolean)": (
        f"auth_save_state({{c}}, '{LOOT}',"
        ' \'{{"session": {{"1.0": null}}}}\', {t}, null, true)'
    ),
    "auth_schedule_cleanup(text)": ["auth_schedule_cleanup()"],
    "auth_schema_version()": ["auth_schema_version()"],
    "auth_set_keys(text,jsonb,bigint)": (
        'auth_set_keys({c}, \'{{"session": {{"1.0": 9, "2.0": null}}}}\', {t})'
    ),
    "auth_set_ttl(text,interval,boolean)": ["auth_set_ttl('session', '1 day', true)"],
    "auth_stats(text)": ["auth_stats({c})", "auth_stats()"],
    "auth_status()": ["auth_status()"],
    "auth_unbind_role(name)": ["auth_unbind_role('victim_bot')"],
    "auth_unschedule_cleanup()": ["auth_unschedule_cleanup()"],
    "cleanup_expired_keys(integer,boolean,text)": [
        "cleanup_expired_keys(10, false, {c})",
        "cleanup_expired_keys()",
    ],
}

FOR_MONITORS = {"auth_stats", "auth_list_audit", "auth_list_leases"}
# What these answer is about no company: their own jobs, and a version.
ABOUT_NOBODY = {"auth_cleanup_job", "auth_schema_version", "auth_unschedule_cleanup"}

MAY_END = {
    "nothing": {"refused", "nothing", "no data"},
    "own": {"refused", "nothing", "no data", "own only"},
    "monitor": {"refused", "nothing", "no data", "no values"},
    # pg_read_all_data reads pg_statistic, and so what is frequent in columns that have statistics.
    "statistics": {"refused", "nothing", "no data", "no values"},
    "all": {"refused", "nothing", "no data", "all"},
    "owner": {"refused", "nothing", "no data", "all"},
}

INSERTS = {
    "whatsapp_auth": "(company_id, creds, version, created_at, updated_at)"
    " values ({c}, '1', 1, now(), now())",
    "whatsapp_auth_history": (
        "(company_id, version, creds, saved_at, replaced_at, ends_identity)"
        " values ({c}, {v}, '1', now(), now(), true)"
    ),
    "whatsapp_audit": "(company_id, at, action, login, role) values ({c}, now(), 'x', 'x', 'x')",
    "whatsapp_key_ttl": "(key_type, ttl) values ({c}, '1 second')",
    "whatsapp_keys": (
        "(company_id, key_type, key_id, value, created_at, updated_at)"
        " values ({c}, 'session', '1.0', '1', now(), now())"
    ),
    "whatsapp_leases": (
        "(company_id, holder, token, acquired_at, expires_at) values ({c}, 'x', 1, now(), now())"
    ),
    "whatsapp_migrations": "(number, name) values (1, {c})",
    "whatsapp_settings": "(name, value) values ('history_versions', {c})",
    "whatsapp_tenant_roles": "(role_name, company_id) values ('victim_bot', {c})",
}

READS = {
    "select": "select * from public.{table}",
    "count": "select count(*) from public.{table}",
    "copy": "copy (select * from public.{table}) to stdout",
    "explain": "explain (analyze, verbose) select * from public.{table}",
    "select for update": "select 1 from public.{table} for update",
}
WRITES = {
    "insert": "insert into public.{table} {row}",
    "insert on conflict": "insert into public.{table} {row} on conflict do nothing",
    "update": "update public.{table} set {column} = 'x'",
    "delete": "delete from public.{table}",
    "truncate": "truncate public.{table}",
    "lock table": "lock table public.{table} in access exclusive mode",
    "merge": ("merge into public.{table} t using (select 1) s on true when matched then delete"),
}
CHANGES = {
    "create trigger": (
        "create trigger t before insert on public.{table}"
        " execute function suppress_redundant_updates_trigger()"
    ),
    "create policy": "create policy evil on public.{table} using (true)",
    "create rule": "create rule evil as on insert to public.{table} do instead nothing",
    "create index": "create index on public.{table} ({column})",
    "create statistics": "create statistics evil_stats on ctid, {column} from public.{table}",
    "create publication": "create publication evil_pub for table public.{table}",
    "comment on": "comment on table public.{table} is 'x'",
    "inherits": "create temporary table evil_child () inherits (public.{table})",
    "like": "create temporary table evil_copy (like public.{table} including all)",
    "foreign key": "create table evil.fk (x text references public.{table})",
    "no row-level security": "alter table public.{table} disable row level security",
    "alter table": "alter table public.{table} add column evil text",
    "grant": "grant all on public.{table} to public",
}
ON_FUNCTIONS = [
    "alter function public.auth_get_creds(text) security invoker",
    "alter function public._confined_to() owner to current_user",
    "alter function public._confined_to() set search_path = evil",
    "grant execute on function public._confined_to() to public",
    "drop function public.auth_get_creds(text) cascade",
    "create or replace function public._confined_to() returns text"
    " language sql as 'select null::text'",
    "create or replace function public.auth_get_creds(p_company_id text) returns jsonb"
    " language sql as 'select null::jsonb'",
    "create operator public.<> (leftarg = text, rightarg = text, function = evil.no)",
    "create function public.pg_has_role(name, text, text) returns boolean"
    " language sql as 'select true'",
    "alter default privileges for role auth_state_owner grant select on tables to public",
    "create event trigger evil on ddl_command_start execute function auth_get_creds()",
    "alter role auth_state_owner login",
    "alter role stranger rename to auth_state_evil",
    "grant auth_state_service to current_user",
    "grant auth_state_tenant to current_user",
    "grant auth_state_owner to current_user",
    "drop owned by auth_state_owner",
    "reassign owned by auth_state_owner to current_user",
    "create extension dblink",
]
SEQUENCE = {
    "nextval": "select nextval('public.whatsapp_audit_audit_id_seq')",
    "currval": "select currval('public.whatsapp_audit_audit_id_seq')",
    "setval": "select setval('public.whatsapp_audit_audit_id_seq', 1)",
    "read": "select * from public.whatsapp_audit_audit_id_seq",
}
# Whatever PostgreSQL shows of itself: nothing in it may name the victim.
VIEWS = [
    "pg_stats where schemaname = 'public'",
    "pg_stats_ext",
    "pg_stats_ext_exprs",
    "pg_statistic",
    "pg_statistic_ext_data",
    "pg_stat_user_tables",
    "pg_statio_user_tables",
    "pg_stat_user_indexes",
    "pg_stat_user_functions",
    "pg_stat_activity",
    "pg_stat_all_tables",
    "pg_sequences",
    "pg_locks",
    "pg_prepared_statements",
    "pg_prepared_xacts",
    "pg_cursors",
    "pg_class",
    "pg_proc where proowner = 'auth_state_owner'::regrole",
    "pg_policies",
    "pg_roles",
    "pg_authid",
    "pg_auth_members",
    "pg_db_role_setting",
    "pg_settings",
    "pg_file_settings",
    "pg_hba_file_rules",
    "pg_largeobject",
    "pg_description",
    "pg_replication_slots",
    "pg_publication_tables",
    "pg_shmem_allocations",
    "pg_backend_memory_contexts",
    "information_schema.tables",
    "information_schema.routines where routine_schema = 'public'",
    "information_schema.column_privileges",
]
SIDES = [
    "select pg_total_relation_size('public.whatsapp_keys')",
    "select reltuples from pg_class where relname = 'whatsapp_keys'",
    "select pg_relation_filepath('public.whatsapp_keys')",
    "select pg_read_file('base/1/PG_VERSION')",
    "select pg_current_logfile()",
    "select pg_logical_slot_get_changes('x', null, null)",
    "select pg_stat_get_live_tuples('public.whatsapp_auth'::regclass)",
    "select query_to_xml('select * from public.whatsapp_auth', true, true, '')",
    "select table_to_xml('public.whatsapp_auth', true, true, '')",
    "select schema_to_xml('public', true, true, '')",
    "select ts_stat.* from ts_stat('select to_tsvector(creds::text) from public.whatsapp_auth')",
    "analyze public.whatsapp_keys",
    "set session_replication_role = replica",
    "set session authorization postgres",
    "set role auth_state_owner",
    "set role postgres",
    "copy (select 1) to program 'id'",
]
AROUND_A_CALL = [
    "set local row_security = off; {call}",
    "set local auth_state.now = '2000-01-01'; {call}",
    "set local auth_state.now = 'garbage'; {call}",
    "set local auth_state.history_versions = 'garbage'; {call}",
    "set local auth_state.audit_retention = 'garbage'; {call}",
    "set local auth_state.lock_wait = 'garbage'; {call}",
    "set local search_path = ''; {call}",
    "set local search_path = pg_temp, evil; {call}",
    "set local check_function_bodies = off; {call}",
    "set local standard_conforming_strings = off; {call}",
    "set local client_min_messages = debug5; set local debug_print_plan = on; {call}",
    "set transaction read only; {call}",
    "set transaction isolation level serializable; {call}",
    "set local plan_cache_mode = force_generic_plan; deallocate all;"
    " prepare p as {call}; execute p",
    "declare c cursor with hold for {call}; fetch all from c",
    "explain (analyze, verbose) {call}",
    "do $$ begin perform * from ({call}) c; end $$",
    "do $$ begin begin perform 1 / 0; exception when others then"
    " perform * from ({call}) c; end; end $$",
]

REFUSALS = {
    "42501",
    "42883",  # a function that the attacker's search_path does not have
    "42P01",
    "42704",
    "0LP01",  # invalid grant operation
}
# How PostgreSQL refuses what has nothing to do with us.
OTHER_REFUSALS = {
    "55000",  # currval is not defined yet; logical decoding is off
    "0A000",
    "42P13",
    "42809",
}


class NotAsExpected(AssertionError):
    pass


@dataclass(frozen=True)
class Answer:
    sqlstate: str | None
    message: tuple[str | None, ...]  # message, detail, hint, context
    rows: list[str]
    affected: int
    notices: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join([*filter(None, self.message), *self.rows, *self.notices])

    def about(self, company: str) -> tuple[object, ...]:
        """The same for every company, when nothing is to be learned from it."""
        return self.sqlstate, tuple(m and m.replace(company, "…") for m in self.message)


@dataclass
class Session:
    """An attacker's connection; each attempt is a transaction of its own."""

    attacker: Attacker
    conn: psycopg.Connection
    notices: list[str] = field(default_factory=list)

    def run(self, statement: str, *, keep: bool = True) -> Answer:
        self.notices.clear()
        rows: list[str] = []
        affected = 0
        try:
            self.conn.execute("begin;" + self.attacker.settings)
            if statement.startswith("copy ("):
                with self.conn.cursor() as cursor, cursor.copy(statement) as copy:
                    rows = [bytes(block).decode() for block in copy]
            else:
                cursor = self.conn.execute(statement)
                while True:
                    affected = max(affected, cursor.rowcount)
                    if cursor.description:
                        rows += [str(row) for row in cursor]
                    if not cursor.nextset():
                        break
            self.conn.execute("commit" if keep else "rollback")
        except psycopg.Error as error:
            self.conn.execute("rollback")
            diag = error.diag
            message = (
                diag.message_primary,
                diag.message_detail,
                diag.message_hint,
                diag.context,
                diag.internal_query,
            )
            return Answer(error.sqlstate or "?", message, rows, 0, tuple(self.notices))
        return Answer(None, (), rows, affected, tuple(self.notices))


@dataclass
class Scene:
    """A database with a victim, and what each attacker could do there, tried once."""

    database: Database
    tokens: dict[str, int]
    versions: dict[str, int]
    _outcomes: dict[str, dict[str, str]] = field(default_factory=dict)

    def session(self, attacker: Attacker) -> Session:
        session = Session(attacker, attacker.connect(self.database))

        def note(diag: psycopg.errors.Diagnostic) -> None:
            parts = (diag.message_primary, diag.message_detail, diag.message_hint, diag.context)
            session.notices.append(" ".join(filter(None, parts)))

        session.conn.add_notice_handler(note)
        return session

    def statement(self, call: str, company: str) -> str:
        return "select * from public." + call.format(
            c=literal(company),
            t=self.tokens.get(company, self.tokens[VICTIM]),
            v=self.versions.get(company, self.versions[VICTIM]),
        )

    def digest(self) -> str:
        """Of all that is not the attackers' own."""
        parts = []
        for table in tables(self.database):
            row = self.database.conn.execute(
                f"select coalesce(md5(string_agg(t::text, '|' order by t::text)), '')"
                f" from public.{table} t"
                " where coalesce(to_jsonb(t) ->> 'company_id', '') <> %s",
                [OWN],
            ).fetchone()
            parts.append(f"{table} {row}")
        return "\n".join(parts)

    def of_functions(self, attacker: Attacker) -> dict[str, str]:
        """The same for the functions alone, and not kept."""
        session = self.session(attacker)
        with session.conn:
            return dict(_functions(self, session))

    def outcomes(self, attacker: Attacker) -> dict[str, str]:
        """A word for each object and verb; raises where more is seen or changed than may be."""
        if attacker.name not in self._outcomes:
            before = self.digest()
            session = self.session(attacker)
            with session.conn:
                found = dict(_functions(self, session))
                if attacker.tries_all:
                    found |= dict(_tables(self, session))
                    if attacker.entitled != "owner":
                        found |= dict(_sides(self, session))
            if self.digest() != before:
                raise NotAsExpected(f"{attacker.name} changed the rows of others")
            for what, word in found.items():
                if word not in MAY_END[attacker.entitled]:
                    raise NotAsExpected(f"{attacker.name}, {what}: {word}")
            self._outcomes[attacker.name] = found
        return self._outcomes[attacker.name]


def start(cluster: Cluster) -> Scene:
    """In a database of its own; the roles are there."""
    database = scene(cluster)
    token: dict[str, int] = dict(
        database.conn.execute("select company_id, token from whatsapp_leases").fetchall()
    )
    history = "select company_id, min(version) from whatsapp_auth_history group by company_id"
    return Scene(database, token, dict(database.conn.execute(history).fetchall()))


def tables(database: Database) -> list[str]:
    query = (
        "select relname from pg_class"
        " where relowner = 'auth_state_owner'::regrole and relkind = 'r'"
    )
    return sorted(name for (name,) in database.conn.execute(query))


def functions(database: Database, *, public: bool) -> list[str]:
    query = (
        "select p.oid::regprocedure::text from pg_proc p"
        " where proowner = 'auth_state_owner'::regrole"
        " and starts_with(proname, '_') <> %s order by 1"
    )
    return [name for (name,) in database.conn.execute(query, [public])]


def _unseen(attacker: Attacker, answer: Answer, words: Iterable[str], what: str) -> None:
    for word in words:
        if word in answer.text:
            raise NotAsExpected(f"{attacker.name}, {what}: shows {word!r}\n{answer.text[:2000]}")


def _functions(scene: Scene, session: Session) -> Iterator[tuple[str, str]]:
    for signature, calls in CALLS.items():
        name = signature.partition("(")[0]
        for call in [calls] if isinstance(calls, str) else calls:
            label = (
                name
                if "{c}" in call or len(calls) == 1 or isinstance(calls, str)
                else f"{name} of all"
            )
            if signature.endswith("text[])"):
                label += " of one type"
            yield label, _call(scene, session, name, call)


def _call(scene: Scene, session: Session, name: str, call: str) -> str:
    attacker = session.attacker
    keep = attacker.entitled not in ("all", "owner")
    victim = session.run(scene.statement(call, VICTIM), keep=keep)
    if attacker.entitled != "all":
        allowed = ("H0LDER",) if attacker.entitled == "monitor" else ()
        _unseen(attacker, victim, set(SECRETS) - set(allowed), call)
    if "{c}" not in call:
        return _of_all(attacker, name, call, victim)
    nobody = session.run(scene.statement(call, NOBODY), keep=keep)
    if attacker.entitled == "all":
        if victim.sqlstate:
            raise NotAsExpected(f"{attacker.name}, {call}: {victim.text}")
        return "all"
    if victim.sqlstate == "42501":
        if victim.about(VICTIM) != nobody.about(NOBODY):
            raise NotAsExpected(f"{attacker.name}, {call}: {victim.text}\nis not\n{nobody.text}")
        own = session.run(scene.statement(call, OWN), keep=False)
        if own.sqlstate == "42501":
            return "refused"
        if own.sqlstate:
            raise NotAsExpected(f"{attacker.name}, its own {call}: {own.text}")
        return "own only"
    if victim.sqlstate is None and attacker.entitled == "monitor" and name in FOR_MONITORS:
        return "no values"
    raise NotAsExpected(f"{attacker.name}, {call}: {victim.sqlstate} {victim.text}")


def _of_all(attacker: Attacker, name: str, call: str, answer: Answer) -> str:
    if answer.sqlstate == "42501":
        return "refused"
    if name in ABOUT_NOBODY and answer.sqlstate in (None, "WA006"):
        _unseen(attacker, answer, (VICTIM, OWN), call)
        return "no data"
    if attacker.entitled == "all" and answer.sqlstate in (None, "WA006"):
        return "all"
    if answer.sqlstate:
        raise NotAsExpected(f"{attacker.name}, {call}: {answer.sqlstate} {answer.text}")
    if VICTIM in answer.text:
        if attacker.entitled != "monitor" or name not in FOR_MONITORS:
            raise NotAsExpected(f"{attacker.name}, {call}: {answer.text}")
        return "no values"
    if attacker.entitled == "nothing" and not answer.rows:
        return "nothing"
    if OWN not in answer.text:
        raise NotAsExpected(f"{attacker.name}, {call}: not even its own: {answer.text}")
    return "own only"


def _tables(scene: Scene, session: Session) -> Iterator[tuple[str, str]]:
    attacker = session.attacker
    for table in tables(scene.database):
        column = {
            "whatsapp_key_ttl": "key_type",
            "whatsapp_migrations": "name",
            "whatsapp_settings": "name",
        }.get(table, "company_id")
        verbs = READS | WRITES
        if not attacker.owns_schema and attacker.entitled != "owner":
            verbs = verbs | CHANGES
        for verb, template in verbs.items():

            def filled(
                company: str, table: str = table, column: str = column, template: str = template
            ) -> str:
                row = INSERTS[table].format(c=literal(company), v=scene.versions[VICTIM])
                return template.format(table=table, column=column, row=row)

            answer = session.run(
                filled(VICTIM), keep=attacker.entitled != "owner" and verb not in CHANGES
            )
            what = f"{verb} {table}"
            if attacker.entitled == "owner":
                yield what, "all"
                if answer.sqlstate not in (None, "23505"):
                    raise NotAsExpected(f"{attacker.name}, {what}: {answer.text}")
                continue
            if "{row}" in template:
                other = session.run(filled(NOBODY))
                if answer.about(VICTIM) != other.about(NOBODY):
                    raise NotAsExpected(
                        f"{attacker.name}, {what}: {answer.text}\nis not\n{other.text}"
                    )
            yield what, _ended(attacker, answer, what)


def _ended(
    attacker: Attacker, answer: Answer, what: str, words: Iterable[str] = (VICTIM, OWN, *SECRETS)
) -> str:
    """Of what nobody but the owner may do: refused, or without effect."""
    if "insert" in what or "creds(" in what or "migrations" in what:
        words = SECRETS  # the attempt itself names the company
    _unseen(attacker, answer, words, what)
    if answer.sqlstate in REFUSALS | OTHER_REFUSALS:
        return "refused"
    if answer.sqlstate:
        raise NotAsExpected(f"{attacker.name}, {what}: {answer.sqlstate} {answer.text}")
    touched = [row for row in answer.rows if row != "(0,)"]
    if what.startswith("explain"):
        if re.search(r"actual.* rows=0", answer.text):
            return "nothing"
    elif not touched and answer.affected <= len(answer.rows):
        return "nothing"
    raise NotAsExpected(f"{attacker.name}, {what}: {answer.affected} rows\n{answer.text[:2000]}")


def _sides(scene: Scene, session: Session) -> Iterator[tuple[str, str]]:
    attacker = session.attacker
    for helper in functions(scene.database, public=False):
        name, _, types = helper.rstrip(")").partition("(")
        nulls = ", ".join(f"null::{kind}" for kind in types.split(",") if kind)
        answer = session.run(f"select public.{name}({nulls})")
        yield f"helper {name}", _ended(attacker, answer, f"{helper} creds(")
    if not attacker.owns_schema:
        for statement in ON_FUNCTIONS:
            answer = session.run(statement, keep=False)
            yield f"ours {statement}", _ended(attacker, answer, f"{statement} creds(")
    for verb, statement in SEQUENCE.items():
        answer = session.run(statement)
        _unseen(attacker, answer, SECRETS, statement)
        if answer.sqlstate and answer.sqlstate not in REFUSALS | OTHER_REFUSALS:
            raise NotAsExpected(f"{attacker.name}, {statement}: {answer.text}")
        word = "refused" if answer.sqlstate else "no data"
        yield f"sequence {verb}", word
    for view in VIEWS:
        yield _side(attacker, session.run(f"select * from {view}"), f"view {view}")
    for statement in SIDES:
        yield _side(attacker, session.run(statement), f"side {statement}")
    if attacker.entitled != "all":
        for around in AROUND_A_CALL:
            for call in ("auth_get_creds({c})", "auth_set_keys({c}, '{{}}', {t})"):
                answers = {
                    company: session.run(around.format(call=scene.statement(call, company)))
                    for company in (VICTIM, NOBODY)
                }
                answer = answers[VICTIM]
                _unseen(attacker, answer, SECRETS, around)
                if answer.sqlstate is None and not around.startswith("explain"):
                    raise NotAsExpected(f"{attacker.name}, {around} {call}: {answer.text}")
                if answer.about(VICTIM) != answers[NOBODY].about(NOBODY):
                    raise NotAsExpected(f"{attacker.name}, {around} {call}: {answer.text}")
        if not attacker.may_switch:
            for role in ("auth_state_service", "auth_state_tenant", "service_role"):
                for keyword in ("", "local "):
                    statement = scene.statement("auth_get_creds({c})", VICTIM)
                    answer = session.run(f"set {keyword}role {role}; {statement}")
                    if not attacker.login.startswith("authenticator"):  # may be what it likes
                        yield f"switch {role}", _ended(attacker, answer, "creds(")


def _side(attacker: Attacker, answer: Answer, what: str) -> tuple[str, str]:
    if attacker.entitled == "statistics" and what == "view pg_statistic":
        _unseen(attacker, answer, ('S3CRET"',), what)
        return what, "no values"
    _unseen(attacker, answer, (VICTIM, *SECRETS), what)
    if answer.sqlstate and answer.sqlstate not in REFUSALS | OTHER_REFUSALS:
        raise NotAsExpected(f"{attacker.name}, {what}: {answer.sqlstate} {answer.text}")
    return what, "no data"  # whether PostgreSQL shows it to this login or not


DOCUMENT = Path(__file__).parents[2] / "docs/security.md"
BEGIN, END = "<!-- attack table: begin -->", "<!-- attack table: end -->"

_FAMILIES = {
    "helper": "every private function, called directly",
    "ours": "changing, owning or replacing our functions and roles",
    "side": "functions that run SQL, files, logs, replication, session authorization",
    "view": "PostgreSQL's statistics and catalog views",
    "sequence": "the sequence of the audit log",
    "switch": "`set role` to a role it was not granted",
}


def table(scene: Scene) -> str:
    """Every kind of attacker by what it tried; what ended alike for all of them is one column."""
    rows: dict[str, dict[str, str]] = {}
    for attacker in attackers(scene.database.cluster.installer):
        known = rows.setdefault(attacker.row, {})
        for what, word in scene.outcomes(attacker).items():
            if known.setdefault(what, word) != word:
                raise NotAsExpected(
                    f"{attacker.name}, {what}: {word}, and {known[what]} for others"
                )
    columns = {what: None for found in rows.values() for what in found}
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for what in columns:
        alike[tuple(found.get(what, "") for found in rows.values())].append(what)
    merged = _merge(alike)
    letters = [chr(ord("A") + number) for number in range(len(merged))]
    lines = [
        "| | " + " | ".join(letters) + " |",
        "|---" * (len(letters) + 1) + "|",
    ]
    for number, row in enumerate(rows):
        words = [column[number] or "not tried" for column, _ in merged]
        lines.append(f"| {row} | " + " | ".join(words) + " |")
    lines.append("")
    for letter, (_, whats) in zip(letters, merged, strict=True):
        lines.append(f"- **{letter}**: {_summary(whats, list(columns))}")
    return "\n".join(lines)


def _merge(alike: dict[tuple[str, ...], list[str]]) -> list[tuple[tuple[str, ...], list[str]]]:
    """Columns that differ only in who tried them are one, where those who tried agree."""
    merged: list[tuple[tuple[str, ...], list[str]]] = []
    for words, whats in alike.items():
        for number, (other, others) in enumerate(merged):
            if all(a == b or not a or not b for a, b in zip(words, other, strict=True)):
                merged[number] = (
                    tuple(a or b for a, b in zip(words, other, strict=True)),
                    others + whats,
                )
                break
        else:
            merged.append((words, whats))
    return merged


def _summary(whats: list[str], everything: list[str]) -> str:
    """Names of functions, verbs with their tables, and of the rest what it is."""
    functions_, families = [], defaultdict(list)
    for what in whats:
        if what.split()[0] in _FAMILIES or " whatsapp_" in what:
            key = (
                "table"
                if " whatsapp_" in what and what.split()[0] not in _FAMILIES
                else what.split()[0]
            )
            families[key].append(what)
        else:
            functions_.append(
                f"`{what}`" if " " not in what else f"`{what.split()[0]}` {what.split(' ', 1)[1]}"
            )
    parts = [", ".join(functions_)] if functions_ else []
    for family, members in families.items():
        if family == "table":
            verbs: dict[str, list[str]] = defaultdict(list)
            for what in members:
                verb, _, name = what.rpartition(" ")
                verbs[verb].append(name)
            by_tables: dict[tuple[str, ...], list[str]] = defaultdict(list)
            for verb, names in verbs.items():
                by_tables[tuple(names)].append(verb)
            all_tables = {
                w.rpartition(" ")[2]
                for w in everything
                if " whatsapp_" in w and w.split()[0] not in _FAMILIES
            }
            for names, list_ in by_tables.items():
                on = (
                    "every table"
                    if set(names) == all_tables
                    else ", ".join(f"`{n}`" for n in names)
                )
                parts.append(f"{', '.join(list_)} on {on}")
            continue
        of_all = [what for what in everything if what.split()[0] == family]
        if len(members) == len(of_all):
            parts.append(_FAMILIES[family])
        else:
            most = len(members) > len(of_all) / 2
            named = [what for what in of_all if what not in members] if most else members
            shown = ", ".join(f"`{what.partition(' ')[2]}`" for what in named)
            parts.append(f"{_FAMILIES[family]}{' but' if most else ':'} {shown}")
    return "; ".join(parts)


def documented() -> str:
    """The table as docs/security.md has it."""
    return DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def write(text: str) -> None:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")
