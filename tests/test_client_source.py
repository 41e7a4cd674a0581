"""The package as a package: generated sources, typing, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pg_auth_state

ROOT = Path(__file__).parents[1]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT)


def test_the_synchronous_client_is_what_is_generated_from_the_asynchronous() -> None:
    checked = python("python/generate_sync.py", "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_package_is_typed() -> None:
    assert Path(pg_auth_state.__file__).with_name("py.typed").exists()


@pytest.mark.parametrize("name", pg_auth_state.__all__)
def test_everything_that_is_promised_is_there(name: str) -> None:
    assert getattr(pg_auth_state, name) is not None
    assert name in dir(pg_auth_state)


def test_what_is_not_there_is_said_as_of_any_module() -> None:
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = pg_auth_state.no_such_thing


def test_install_is_the_function_also_after_its_module_was_imported() -> None:
    code = (
        "import pg_auth_state.cli, pg_auth_state._install as m; from pg_auth_state import install"
    )
    assert python("-c", f"{code}; assert install is m.install").returncode == 0


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import pg_auth_state", ["psycopg", "typer", "rich", "asyncio"]),
        ("from pg_auth_state import AuthState", ["pg_auth_state._async", "typer", "psycopg_pool"]),
        ("import pg_auth_state.cli", ["psycopg", "rich", "cronsim"]),
    ],
)
def test_nothing_is_imported_that_is_not_needed(statement: str, absent: list[str]) -> None:
    code = f"import sys; {statement}; print([m for m in {absent!r} if m in sys.modules])"
    assert python("-c", code).stdout.strip() == "[]"
