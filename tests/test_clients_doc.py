"""docs/clients.md says what is so."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

import pg_auth_state
from harness.cluster import ROOT
from pg_auth_state import AsyncAuthState, AuthState, errors

DOC = (ROOT / "docs/clients.md").read_text()
NODE = ROOT / "node"
TYPES = (NODE / "index.d.ts").read_text()

# What a program has once it opened a state, without a database.
NODE_NAMES = """
import * as module from 'pg-auth-state'
const creds = '{"noiseKey": 1, "signedIdentityKey": 1}'
const client = { query: async () => ({ rows: [{ value: creds, acquired: true, token: 1 }] }) }
const baileys = { BufferJSON: { replacer: (k, v) => v, reviver: (k, v) => v } }
const auth = await module.useDatabaseAuthState(client, 'x', { baileys, bindSignalJobs: false })
const found = name => name.split('.').reduce((it, part) => it?.[part], { ...module, ...auth })
for (const name of JSON.parse(process.argv[1])) {
    if (found(name) === undefined) console.log(name)
}
"""


def table(heading: str, after: str = DOC) -> list[list[str]]:
    section = after.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if re.match(r"\|(?!---)", line)]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def blocks(language: str, *, of: str = DOC) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", of, re.DOTALL | re.MULTILINE)


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([\w.]+)`", cell)


PARITY = table("Parity")
BY_FUNCTION = {quoted(row[0])[0]: row[1:] for row in PARITY if re.match("`(auth|clean)", row[0])}
BEYOND = PARITY[[row[0] for row in PARITY].index("") + 1 :]


def test_every_sql_function_is_in_the_parity_table_and_no_other() -> None:
    functions = re.findall(r"^## (\w+)$", (ROOT / "docs/sql-api.md").read_text(), re.MULTILINE)
    assert functions
    assert sorted(BY_FUNCTION) == sorted(functions)


@pytest.mark.parametrize("function", BY_FUNCTION)
def test_the_python_method_of_a_function_is_there_in_both_clients(function: str) -> None:
    names = quoted(BY_FUNCTION[function][0])
    assert names, "Python has every function"
    for name in names:
        assert callable(getattr(AuthState, name))
        assert callable(getattr(AsyncAuthState, name))


def test_no_python_method_is_missing_from_the_parity_table() -> None:
    in_table = {name for row in BY_FUNCTION.values() for name in quoted(row[0])}
    methods = {
        name
        for name, value in vars(AuthState).items()
        if callable(value) and not name.startswith("_")
    }
    assert methods - in_table == {"close"}


def test_what_node_has_is_there_and_what_it_has_not_says_why() -> None:
    names = set()
    options = set(quoted(" ".join(row[0] for row in table("Options of Node"))))
    for cells in [*BY_FUNCTION.values(), *(row[1:] for row in BEYOND)]:
        node = cells[1]
        assert quoted(node) or node.startswith(("no: ", "at opening"))
        names |= set(quoted(node)) - options
    names |= {"close", "lease", "bindSignalJobs"}
    missing = subprocess.run(
        ["node", "--input-type=module", "-e", NODE_NAMES, json.dumps(sorted(names))],
        cwd=NODE,
        check=True,
        capture_output=True,
        text=True,
    )
    assert missing.stdout == ""


def test_what_python_has_beyond_single_functions_is_there() -> None:
    for _, python, _ in BEYOND:
        assert quoted(python) or python.startswith("no: ")
        for name in quoted(python):
            if name not in ("wait", "encryption"):  # arguments
                assert hasattr(pg_auth_state, name) or hasattr(AuthState, name)


def test_every_option_of_the_types_is_in_the_table_and_no_other() -> None:
    interfaces = re.findall(r"interface (\w*Options)\b[^{]*\{(.*?)^\}", TYPES, re.DOTALL | re.M)
    inner = {"LeaseOptions": "lease.", "EncryptionOptions": "encryption."}
    names = {
        inner.get(interface, "") + option
        for interface, body in interfaces
        for option in re.findall(r"^    (\w+)\??:", body, re.MULTILINE)
    }
    rows = table("Options of Node")[1:]
    assert {quoted(row[0])[0] for row in rows} == names


def test_every_error_code_has_its_class_in_both_clients() -> None:
    rows = {row[0]: quoted(row[1])[0] for row in table("Errors")[1:]}
    classes = [getattr(errors, name) for name in errors.__all__]
    ours = [cls for cls in classes if issubclass(cls, errors.AuthStateError)]
    assert rows == {
        cls.code: cls.__name__ for cls in ours if cls.code and cls.__base__ is not errors.LeaseLost
    }
    source = (NODE / "src/errors.js").read_text()
    assert dict(re.findall(r"^    (WA\d+): (\w+)", source, re.MULTILINE)) == rows


@pytest.mark.parametrize("document", ["docs/clients.md", "node/README.md"])
def test_the_javascript_in_a_document_can_be_parsed(document: str, tmp_path: Path) -> None:
    code = blocks("js", of=(ROOT / document).read_text())
    assert code
    for number, block in enumerate(code):
        file = tmp_path / f"{number}.mjs"
        file.write_text(block)
        subprocess.run(["node", "--check", file], check=True)
        for name in re.findall(r"import \{ ([\w, ]+) \} from 'pg-auth-state'", block):
            for imported in name.split(", "):
                assert re.search(rf"^export .*\b{imported}\b", TYPES, re.MULTILINE)


def test_the_python_in_the_document_can_be_parsed() -> None:
    for block in blocks("python"):
        compile(block, "docs/clients.md", "exec")


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", DOC):
        assert (ROOT / "docs" / target).exists(), target
