"""What the SQL that is run holds, whatever it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cluster import INSTALL_SQL, ROOT, UNINSTALL_SQL

SOURCES = [*sorted(ROOT.glob("sql/**/*.sql")), *sorted(ROOT.glob("functions/**/*.sql"))]


# psql would send anything else in the client's encoding, and a database that is not UTF8 could
# refuse the message that says so.
@pytest.mark.parametrize("path", [INSTALL_SQL, UNINSTALL_SQL], ids=lambda path: path.name)
def test_no_line_of_what_is_run_holds_a_character_beyond_ascii(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.isascii()] == []


def changes(text: str) -> Iterator[str]:
    """Every UPDATE and DELETE of this text, up to its end."""
    text = re.sub(r"--.*|'(?:[^']|'')*'", "", text)
    for begun in re.finditer(
        r"\bupdate\s+\w+(?:\s+\w+)?\s+set\b|\bdelete\s+from\s+\w+", text, re.I
    ):
        depth = 0
        for end in range(begun.end(), len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth < 0 or text[end] == ";" or text[end] == "$":
                break
        yield text[begun.start() : end]


def has_where(statement: str) -> bool:
    """Outside of any bracket."""
    while (flat := re.sub(r"\([^()]*\)", "", statement)) != statement:
        statement = flat
    return re.search(r"\bwhere\b", statement, re.I) is not None


# Some servers refuse it to everybody (safeupdate).
def test_no_update_and_no_delete_lacks_a_where() -> None:
    found = [(path.name, change) for path in SOURCES for change in changes(path.read_text())]
    assert len(found) > 30
    assert [(name, change) for name, change in found if not has_where(change)] == []


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ("update t set a = 1;", False),
        ("update t k set a = (select 1 from u where true);", False),
        ("with x as (delete from t returning 1) select 1 where true;", False),
        ("update t set a = 'where';", False),
        ("update t set a = 1 where true;", True),
        ("with x as (delete from t u where u.a) select 1;", True),
    ],
)
def test_a_where_counts_where_it_is_the_statements_own(text: str, is_good: bool) -> None:
    (change,) = changes(text)
    assert has_where(change) is is_good
