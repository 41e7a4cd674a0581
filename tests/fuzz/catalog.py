"""The public functions, as the catalog has them: a new one is called without a change here."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg


@dataclass(frozen=True)
class Argument:
    name: str
    type: str
    has_default: bool


@dataclass(frozen=True)
class Function:
    name: str
    arguments: tuple[Argument, ...]
    is_table: bool
    only_reads: bool

    def __repr__(self) -> str:
        return f"{self.name}/{len(self.arguments)}"

    @property
    def takes_json(self) -> bool:
        return any(argument.type in ("json", "jsonb") for argument in self.arguments)


_FUNCTIONS = """
select f.proname, f.proretset, f.provolatile in ('s', 'i'), f.pronargdefaults,
       f.proargnames[1:f.pronargs],
       array(select format_type(t.oid, null)
               from unnest(f.proargtypes) with ordinality t (oid, position)
              order by t.position)
  from pg_proc f
 where f.proowner = 'auth_state_owner'::regrole and not starts_with(f.proname, '_')
   and f.pronamespace = 'public'::regnamespace
 order by f.proname, f.pronargs
"""


def public_functions(conn: psycopg.Connection) -> list[Function]:
    return [
        Function(
            name,
            tuple(
                Argument(argument, kind, position >= len(kinds) - defaults)
                for position, (argument, kind) in enumerate(zip(names or [], kinds, strict=True))
            ),
            is_table,
            only_reads,
        )
        for name, is_table, only_reads, defaults, names, kinds in conn.execute(_FUNCTIONS)
    ]
