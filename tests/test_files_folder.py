"""What makes a folder unreadable, and that its files are named and never shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.folders import NAMES, SMALL, sample
from pg_auth_state import InvalidInput
from pg_auth_state.files.folder import Account, read_account
from pg_auth_state.files.problems import FolderError

SECRET = "c2VjcmV0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return sample(SMALL).copy(tmp_path)


def problems(folder: Path, **options: bool) -> dict[str, str]:
    with pytest.raises(FolderError) as caught:
        read_account(folder, **options)
    assert SECRET not in str(caught.value)
    assert caught.value.sqlstate == "WA001"
    found = {note.file: note.reason for note in caught.value.problems}
    assert len(found) == len(caught.value.problems)
    return found


def keys(account: Account) -> set[tuple[str, str]]:
    return {(entry.type, entry.key_id) for entry in account.keys}


def test_all_files_at_fault_are_named_at_once(folder: Path) -> None:
    (folder / "session-1.0.json").write_text("")
    (folder / "session-2.0.json").write_text('{"a":"' + SECRET)
    (folder / "creds.json").write_text("creds " + SECRET)
    found = problems(folder)
    assert found.keys() == {"session-1.0.json", "session-2.0.json", "creds.json"}
    assert found["session-1.0.json"] == "is empty"
    assert found["session-2.0.json"].startswith("is torn")


def test_a_folder_without_creds_is_no_account_unless_that_is_meant(folder: Path) -> None:
    (folder / "creds.json").unlink()
    assert problems(folder) == {"creds.json": "is missing"}
    assert read_account(folder, without_creds=True).creds is None


@pytest.mark.parametrize("content", ["null", "[]", "1"])
def test_creds_that_are_none_are_refused(folder: Path, content: str) -> None:
    (folder / "creds.json").write_text(content)
    assert problems(folder, without_creds=True).keys() == {"creds.json"}


def test_encrypted_creds_are_a_string(folder: Path) -> None:
    (folder / "creds.json").write_text('"eyJhIjoxfQ..aQ.YQ.YQ"')
    assert read_account(folder).creds is not None


def test_a_key_that_is_null_is_none(folder: Path) -> None:
    (folder / "session-1.0.json").write_text("null")
    account = read_account(folder)
    assert ("session", "1.0") not in keys(account)
    assert [note.file for note in account.ignored] == ["session-1.0.json"]


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    outside = folder.parent / "secret.json"
    outside.write_text(f'"{SECRET}"')
    (folder / "session-1.0.json").symlink_to(outside)
    (folder / "session-2.0.json").symlink_to("../secret.json")
    found = problems(folder)
    assert found.keys() == {"session-1.0.json", "session-2.0.json"}
    assert set(found.values()) == {"is a symbolic link out of the folder"}


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    (folder / "session-1.0.json").symlink_to("session-5511900000602.0.json")
    assert ("session", "1.0") in keys(read_account(folder))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.mkdir, "is not a regular file"),
        (os.mkfifo, "is not a regular file"),
        (lambda path: path.symlink_to("nothing.json"), "cannot be read: No such file"),
        (lambda path: path.symlink_to(path.name), "symbolic link"),
    ],
    ids=["folder", "fifo", "dangling", "circular"],
)
def test_what_cannot_be_read_is_named(
    folder: Path, make: Callable[[Path], object], reason: str
) -> None:
    make(folder / "session-1.0.json")
    assert reason in problems(folder)["session-1.0.json"]


def test_an_unreadable_file_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests may run as root, to whom no file is unreadable.
    really_open = os.open

    def refusing(path: object, *arguments: int) -> int:
        if str(path).endswith("session-5511900000602.0.json"):
            raise PermissionError(13, "Permission denied", path)
        return really_open(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refusing)
    assert problems(folder) == {"session-5511900000602.0.json": "cannot be read: Permission denied"}


def test_two_files_that_are_one_key_are_named(tmp_path: Path) -> None:
    folder = sample(NAMES).copy(tmp_path)
    name = "sender-key-120363000000000201@g.us--100000000000201_1--9.json"
    (folder / name.replace("--", "::")).write_text("{}")
    found = problems(folder)
    assert list(found) == [name.replace("--", "::")]
    assert found[name.replace("--", "::")] == f"is the same key as {name}"


def test_types_that_are_not_known_are_refused_unless_that_is_meant(folder: Path) -> None:
    (folder / "new-thing-1.json").write_text("{}")
    (folder / "package.json").write_text("{}")
    assert problems(folder).keys() == {"new-thing-1.json", "package.json"}
    assert problems(folder, allow_unknown=True).keys() == {"package.json"}
    (folder / "package.json").unlink()
    assert ("new-thing", "1") in keys(read_account(folder, allow_unknown=True))


def test_a_name_that_is_not_utf_8_is_refused(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/session-\xff.json")).write_text("{}")
    assert problems(folder) == {"session-\\udcff.json": "has a name that is not UTF-8"}


def test_files_that_the_library_does_not_read_are_left_alone(folder: Path) -> None:
    for name in ("creds.json.bak", "session-1.0.json.tmp", "README"):
        (folder / name).write_text(SECRET)
    (folder / "media").mkdir()
    account = read_account(folder)
    names = {note.file for note in account.ignored}
    assert names == {"creds.json.bak", "session-1.0.json.tmp", "README", "media"}
    assert len(account.keys) == 14


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="there is no folder"):
        read_account(tmp_path / "nothing")
    with pytest.raises(InvalidInput, match="Not a directory"):
        read_account(tmp_path / "file")


# A client that is still running would be copied in the middle of a step.
@pytest.mark.parametrize("change", ["rewritten", "added", "removed"])
def test_a_folder_that_changes_while_it_is_read_is_refused(folder: Path, change: str) -> None:
    def interfering(name: str, content: bytes, mtime_ns: int) -> None:
        if name == "session-5511900000602.0.json":
            if change == "rewritten":
                (folder / "creds.json").write_text('{"another": "identity"}')
            elif change == "added":
                (folder / "session-1.0.json").write_text("{}")
            else:
                (folder / "pre-key-2.json").unlink()

    with pytest.raises(FolderError, match="changed while it was read"):
        read_account(folder, sink=interfering)


def test_what_was_not_kept_in_memory_is_read_again_and_must_be_the_same(folder: Path) -> None:
    kept, again = read_account(folder), read_account(folder, kept_bytes=0)
    assert again.creds is not None
    assert again.creds.kept is None
    assert [again.content(e) for e in again.keys] == [kept.content(e) for e in kept.keys]
    (folder / again.keys[0].name).write_text("{}")
    with pytest.raises(FolderError, match="changed while it was read"):
        again.content(again.keys[0])
