"""Any account, out to files and in again; and what the real library reads from such files."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harness.cluster import Database as TestedDatabase
from harness.creds import CREDS
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.folders import Sample, carried, samples
from harness.library import Library, library  # noqa: F401 (a fixture)
from pg_auth_state import AuthState, _wire
from pg_auth_state.files.database import Database
from pg_auth_state.files.exporting import export_folder
from pg_auth_state.files.importing import Options, import_folder
from pg_auth_state.files.names import KNOWN_TYPES, file_name
from pg_auth_state.files.values import text_for_file

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)

settings.register_profile(
    "database",
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
of_database = settings(settings.get_profile("database"))


@pytest.fixture
def database(db: TestedDatabase) -> Iterator[Database]:
    with Database(db.service_dsn) as database:
        yield database


storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
any_text = st.text(st.characters(codec=None, categories=None), max_size=12)
numbers = (
    st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    st.booleans() | numbers | any_text | st.binary(max_size=40),
    lambda inner: (
        st.lists(inner | st.none(), max_size=3)
        | st.dictionaries(storable, inner | st.none(), max_size=3)
    ),
    max_leaves=8,
)
digits = st.from_regex(r"[0-9]{1,15}", fullmatch=True)
users = st.from_regex(r"[0-9]{1,15}(_1|_128|_129)?", fullmatch=True)
groups = st.from_regex(r"([0-9]{5,15}-)?[0-9]{5,18}@g\.us|status@broadcast", fullmatch=True)
base64 = st.from_regex(r"[A-Za-z0-9+/]{2,12}={0,2}", fullmatch=True)
ids = (
    digits
    | st.builds("{}.{}".format, users, digits)
    | st.builds("{}::{}::{}".format, groups, users, digits)
    | st.builds("{}_reverse".format, digits)
    | groups
    | base64
    | storable.filter(bool)
)
types = st.sampled_from(KNOWN_TYPES) | storable.filter(bool)
creds = st.none() | st.dictionaries(storable, values | st.none(), max_size=5).map(
    lambda members: {**members, **CREDS}
)
accounts = st.tuples(
    creds, st.dictionaries(types, st.dictionaries(ids, values, max_size=6), max_size=5)
)


def has_names_of_its_own(keys: dict[str, dict[str, Any]]) -> bool:
    names = [file_name(key_type, key_id) for key_type, ids in keys.items() for key_id in ids]
    short = all(len(name.encode()) <= 255 for name in names)
    return short and len(set(names)) == len(names) and "creds.json" not in names


numbered = itertools.count()


@of_database
@given(accounts)
def test_any_account_is_the_same_after_export_and_import(
    db: TestedDatabase, database: Database, account: tuple[Any, dict[str, dict[str, Any]]]
) -> None:
    stored_creds, keys = account
    assume(stored_creds is not None or any(keys.values()))
    assume(has_names_of_its_own(keys))
    company = f"c{next(numbered)}"
    with AuthState(db.service_dsn, company) as state:
        state.import_state({"format": 1, "creds": stored_creds, "keys": keys})
        before = state.export()
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "out")
        export_folder(database, company, folder, whole_bytes=10**9 if len(keys) % 2 else -1)
        options = Options(backup=False, without_creds=True, chunk=100)
        report = import_folder(database, folder, f"{company} again", options)
    assert report.skipped == []
    with AuthState(db.service_dsn, f"{company} again") as state:
        after = state.export()
    if not len(keys) % 2:  # the time of creds is not read page by page
        before["creds_updated_at"] = after["creds_updated_at"] = None
    assert after == before


# What the v7 library takes for a Buffer is written and read as it is: both sides revive it.
@of_database
@given(accounts)
def test_the_real_library_reads_any_account_out_of_an_export(
    db: TestedDatabase,
    database: Database,
    library: Library,  # noqa: F811
    account: tuple[Any, dict[str, dict[str, Any]]],
) -> None:
    stored_creds, keys = account
    assume(stored_creds is not None or any(keys.values()))
    assume(has_names_of_its_own(keys))
    assume("__proto__" not in json.dumps([json.loads(_wire.dumps(keys, "x")), list(keys)]))
    company = f"c{next(numbered)}"
    with AuthState(db.service_dsn, company) as state:
        # What fromObject refuses, the library refuses from its own files too.
        keys.pop("app-state-sync-key", None)
        state.import_state({"format": 1, "creds": stored_creds or CREDS, "keys": keys})
    stored = db.conn.execute("select auth_export(%s)", [company]).fetchone()[0]
    plain = {
        key_type: {key_id: json.loads(text_for_file(value)) for key_id, value in ids.items()}
        for key_type, ids in stored["keys"].items()
    }
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "out")
        export_folder(database, company, folder)
        creds = json.loads(text_for_file(stored["creds"]))
        assert library.differing(folder, creds, plain) == []


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_the_real_library_reads_the_same_account_out_of_an_export(
    database: Database,
    library: Library,  # noqa: F811
    tmp_path: Path,
    sample: Sample,
) -> None:
    options = Options(backup=False, lid_ttl=None)
    import_folder(database, sample.copy(tmp_path), "c", options)
    export_folder(database, "c", tmp_path / "out")
    creds = sample.expected.get("creds_current", sample.expected["creds"])
    assert carried(creds) == sample.creds
    assert library.differing(tmp_path / "out", creds, sample.keys) == []
    # The test can fail.
    (tmp_path / "out/pre-key-2.json").write_text("{}")
    wrong = {"pre-key": {"2": sample.creds["noiseKey"]}}
    assert library.differing(tmp_path / "out", None, wrong) == ["pre-key 2"]


@pytest.mark.parametrize(
    ("version", "name"),
    [("6", "company_962304"), ("617", "company_962305"), ("7rc4", "company_962306")],
)
def test_the_version_that_wrote_a_folder_reads_it_out_of_an_export(
    database: Database, tmp_path: Path, version: str, name: str
) -> None:
    sample = next(each for each in samples() if each.name == name)
    import_folder(database, sample.copy(tmp_path), "c", Options(backup=False, lid_ttl=None))
    export_folder(database, "c", tmp_path / "out")
    keys = dict(sample.keys)
    if version == "7rc4":
        del keys["app-state-sync-key"]  # rc.1 to rc.5 read only a form that no other version reads
    real = Library(version)
    try:
        assert real.differing(tmp_path / "out", sample.expected["creds"], keys) == []
    finally:
        real.close()
