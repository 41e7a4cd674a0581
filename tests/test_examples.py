"""The examples, run as a user runs them."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.cluster import ROOT, Cluster, Database
from pg_auth_state import AuthState

EXAMPLES = ROOT / "examples"
NODE = ROOT / "node"
LIBRARY = ROOT / "tests/baileys/node_modules/baileys7"

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)

# The real library, connected to a server of this machine.
LOCAL_BAILEYS = f"""
import * as real from '{LIBRARY}/lib/index.js'
export * from '{LIBRARY}/lib/index.js'
if (process.env.WHATSAPP) {{
    const {{ url, root }} = JSON.parse(process.env.WHATSAPP)
    real.WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(root, 'hex')
    var waWebSocketUrl = url
}}
const silent = () => {{}}
const logger = {{ level: 'silent', child: () => logger,
    trace: silent, debug: silent, info: silent, warn: silent, error: silent }}
export const makeWASocket = config => real.makeWASocket({{
    logger, fireInitQueries: false, waWebSocketUrl: waWebSocketUrl ?? 'ws://127.0.0.1:9', ...config
}})
"""

# What the example uses of express, its answer printed.
STUB_EXPRESS = """
export default function express() {
    const routes = []
    const add = method => (path, handler) => routes.push({ method, path, handler })
    return {
        use() {}, get: add('get'), post: add('post'),
        async listen() {
            for (const { method, path, handler } of routes) {
                let status = 200, answer
                const response = {
                    status(code) { status = code; return this },
                    json(body) { answer = body }
                }
                const request = { params: { company: 'acme' }, body: { to: 'x', text: 'y' } }
                do {
                    await handler(request, response)
                    console.log(method, path, status, JSON.stringify(answer))
                    await new Promise(resolve => setTimeout(resolve, 100))
                } while (answer.qr === null)
            }
        }
    }
}
express.json = () => {}
"""


@pytest.fixture(scope="session")
def user_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples, and the package as npm would install it."""
    project = tmp_path_factory.mktemp("user")
    modules = project / "node_modules"
    modules.mkdir()
    packed = subprocess.run(
        ["npm", "pack", "--silent", "--offline", "--pack-destination", project],
        cwd=NODE,
        check=True,
        capture_output=True,
        text=True,
    )
    shutil.unpack_archive(project / packed.stdout.strip(), project)
    (project / "package").rename(modules / "pg-auth-state")
    for installed in (NODE / "node_modules").iterdir():
        if installed.name.startswith("p"):  # pg, and what it needs
            (modules / installed.name).symlink_to(installed)
    for name, source in {"baileys": LOCAL_BAILEYS, "express": STUB_EXPRESS}.items():
        (modules / name).mkdir()
        (modules / name / "package.json").write_text('{"type": "module", "exports": "./index.js"}')
        (modules / name / "index.js").write_text(source)
    for example in EXAMPLES.glob("*.mjs"):
        shutil.copy(example, project)
    return project


class Program:
    """A running program, and the lines that it has printed."""

    def __init__(self, *command: str | Path, **options: object) -> None:
        self.process = subprocess.Popen(  # type: ignore[call-overload]
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            **options,
        )
        self.output = ""

    def wait_for(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.output, re.MULTILINE)):
            assert time.monotonic() < end, f"no {pattern!r} in: {self.output}"
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                read = os.read(self.process.stdout.fileno(), 65536)
                assert read, f"ended without {pattern!r}: {self.output}"
                self.output += read.decode()
        return found

    def say(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


Start = Callable[..., Program]


@pytest.fixture
def start(db: Database, user_project: Path) -> Iterator[Start]:
    programs: list[Program] = []

    def start(*command: str | Path, cwd: Path = user_project, **environment: str) -> Program:
        env = {**os.environ, "DATABASE_URL": db.service_dsn, **environment}
        programs.append(Program(*command, cwd=cwd, env=env))
        return programs[-1]

    yield start
    for program in programs:
        program.process.kill()
        program.process.communicate()


def live_leases(db: Database) -> dict[str, str]:
    with AuthState(db.service_dsn) as state:
        return {row.company_id: row.holder for row in state.list_leases() if row.is_live}


def test_the_bot_is_linked_and_comes_online(db: Database, start: Start) -> None:
    whatsapp = start("node", "test/serve_whatsapp.mjs", cwd=NODE)
    local = whatsapp.wait_for(r"^\{.*\}$").group()
    bot = start("node", "bot.mjs", WHATSAPP=local)
    whatsapp.say(bot.wait_for(r"qrcode-terminal '(.+)'").group(1))
    bot.wait_for("^Online as 5511900000001:7@s.whatsapp.net$")
    bot.process.send_signal(signal.SIGTERM)
    bot.process.wait(30)
    with AuthState(db.service_dsn, "my-bot") as state:
        assert state.get_creds()["me"]["id"] == "5511900000001:7@s.whatsapp.net"
        assert len(state.list_keys("pre-key")) == 812
    assert live_leases(db) == {}

    again = start("node", "bot.mjs", WHATSAPP=local)
    again.wait_for("^Online as")
    assert "Scan" not in again.output


def test_a_bot_that_runs_elsewhere_runs_here_once_that_has_ended(
    db: Database, start: Start
) -> None:
    local = start("node", "test/serve_whatsapp.mjs", cwd=NODE).wait_for(r"^\{.*\}$").group()
    with AuthState(db.service_dsn, "my-bot") as state:
        lease = state.acquire_lease("another machine")
        bot = start("node", "bot.mjs", WHATSAPP=local)
        bot.wait_for('^Standing by: "another machine" holds it until 2')
        assert state.get_creds() is None
        assert state.release_lease(lease.token)
    bot.wait_for("^Scan this")


def test_no_example_shares_the_name_of_its_lease_with_another_live_process(
    cluster: Cluster,
) -> None:
    for example in EXAMPLES.glob("*.mjs"):
        assert "${hostname()}:${process.pid}" in example.read_text()


def test_each_account_runs_on_one_server_and_moves_when_that_dies(
    db: Database, start: Start
) -> None:
    companies = [f"c{number}" for number in range(6)]
    for company in companies:
        with AuthState(db.service_dsn, company) as state:
            state.init_creds({"registrationId": 1, "noiseKey": {}, "signedIdentityKey": {}})

    def server(most: int) -> Program:
        return start("node", "many_sessions.mjs", MAX_SESSIONS=str(most), LEASE_MS="3000")

    def holding(program: Program, number: int) -> None:
        end = time.monotonic() + 60
        suffix = f":{program.process.pid}"
        while sum(h.endswith(suffix) for h in live_leases(db).values()) != number:
            assert time.monotonic() < end, (live_leases(db), program.output)
            time.sleep(0.1)

    first = server(4)
    holding(first, 4)
    second = server(10)
    holding(second, 2)

    mine = first.process.pid
    stolen = next(c for c, holder in live_leases(db).items() if holder.endswith(f":{mine}"))
    with AuthState(db.service_dsn, stolen) as state:
        state.acquire_lease("somebody", steal=True)
    first.wait_for(f"^stop {stolen}: ")

    first.process.kill()
    holding(second, 5)
    assert live_leases(db)[stolen] == "somebody"
    second.process.send_signal(signal.SIGTERM)
    second.process.wait(30)
    assert live_leases(db).keys() == {stolen}


def test_the_http_example_answers(start: Start) -> None:
    local = start("node", "test/serve_whatsapp.mjs", cwd=NODE).wait_for(r"^\{.*\}$").group()
    express = start("node", "express.mjs", WHATSAPP=local)
    express.wait_for(r'^get /:company 200 \{"status":"connecting","qr":null\}$')
    express.wait_for(r'^get /:company 200 \{"status":"connecting","qr":".*ref,[^"]+"\}$')
    express.wait_for(r'^post /:company/messages 503 \{"error":"the account is connecting"\}$')


def test_the_calls_of_psql_give_what_their_comments_say(db: Database, start: Start) -> None:
    psql = start("psql", "-X", "-A", "-d", db.service_dsn, "-v", "ON_ERROR_STOP=1", "-f",
                 EXAMPLES / "calls.sql")  # fmt: skip
    output, _ = psql.process.communicate(timeout=60)
    assert psql.process.returncode == 0, output
    assert "without the token: WA002" in output
    (sessions,) = re.findall(r"^sessions\n(.*)$", output, re.MULTILINE)
    assert json.loads(sessions) == {"5511900000002.0": {"version": "v1"}, "5511900000003.0": None}
    with AuthState(db.service_dsn) as state:
        assert state.list_companies() == []


def test_the_five_calls_of_the_readme_work_one_after_the_other(db: Database) -> None:
    (block,) = re.findall(
        r"## Five SQL calls\n\n```sql\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    calls = re.findall(r"^select .*;$", block, re.MULTILINE)
    with db.connect("app") as conn:
        init, save, set_, get, lease = (conn.execute(call).fetchone() for call in calls)
    assert init[0].keys() == {"noiseKey", "signedIdentityKey"}
    assert save[0] > 0
    assert set_[0] == 1
    answer = {"5511900000002.0": {"version": "v1"}, "5511900000003.0": None}
    assert get[0] == {"session": answer}
    assert lease[0] is True


def test_the_python_of_the_readme_runs(db: Database) -> None:
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert blocks
    for block in blocks:
        code, places = re.subn(r'"postgresql://[^"]*"', repr(db.service_dsn), block)
        assert places == 1
        printed = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout
        assert printed == "{'5511900000002.0': {'version': 'v1'}, '5511900000003.0': None}\n"
    with AuthState(db.service_dsn, "962302") as state:
        assert (state.get_creds() or {})["registrationId"] == 1


def test_php_needs_nothing_but_its_driver(start: Start) -> None:
    php = start("php", EXAMPLES / "calls.php")
    output, _ = php.process.communicate(timeout=60)
    assert php.process.returncode == 0, output
    registration, changed, sessions, conflict = output.splitlines()
    assert (registration, changed) == ("registration id: 1", "rows changed: 2")
    assert json.loads(sessions) == {"session": {"5511900000002.0": {"version": "v1"}, "1.0": None}}
    assert conflict == "somebody saved in between: read again"


def test_every_example_begins_with_what_it_shows_and_how_to_run_it(cluster: Cluster) -> None:
    for example in EXAMPLES.iterdir():
        if example.suffix in {".mjs", ".sql", ".php"}:
            assert example.name in "".join(example.read_text().splitlines()[:2])
