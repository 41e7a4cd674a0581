"""Folders as useMultiFileAuthState would never leave them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from fuzz import json_texts
from fuzz.json_texts import mostly, string, weighted
from fuzz.markers import SENT

LINK, DANGLING, FOLDER = "a link to a file outside", "a link to nothing", "a folder"


@dataclass(frozen=True)
class File:
    content: bytes
    written_at: int = 1_790_000_000
    kind: str = "a file"

    def __repr__(self) -> str:
        shown = repr(self.content[:80]) + ("…" if len(self.content) > 80 else "")
        return f"{shown} of {self.written_at}, {self.kind}"


_good_names = st.sampled_from(
    [
        *("creds.json", "session-5511.0.json", "session-5511_1.0.json", "pre-key-1.json"),
        *("lid-mapping-5511.json", "lid-mapping-71_reverse.json", "device-list-5511.json"),
        *("app-state-sync-key-AAAA__A==.json", "sender-key-1@g.us--5511--0.json"),
        *("sender-key-memory-1@g.us.json", "tctoken-__index.json"),
    ]
)
_hostile_names = st.sampled_from(
    [
        *("session-.json", "session-\x1b[2J.json", "session-\n.json", "session-\u202e.json"),
        *("-.json", ".json", "json", "creds.json.tmp", "creds.json.bak", "CREDS.JSON", "a-b.json"),
        *("[bold]-x.json", "pre-key-é.json", "pre-key-1.JSON", "notes.txt", "session-%s.json"),
        *(
            "session-5511.0 .json",
            "x" * 200 + "-y.json",
            "pg-auth-state.names",
            "session-a\\b.json",
        ),
    ]
) | st.binary(min_size=1, max_size=6).map(
    lambda name: os.fsdecode(b"session-" + name.replace(b"\0", b"").replace(b"/", b"") + b".json")
)
_contents = weighted(
    (5, json_texts.good_values.map(str.encode)),
    (2, json_texts.values.map(lambda text: text.encode("utf-8", "surrogatepass"))),
    (1, json_texts.broken.map(str.encode)),
    (
        1,
        st.sampled_from(
            [
                *(b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf{}", string(SENT).encode("utf-16")),
                *(b'"' + SENT.encode() + b'\xff"', b"\x1f\x8b\x08", b"NaN"),
            ]
        ),
    ),
)
_times = st.sampled_from([1_790_000_000, 0, -1, 2**33, 1])
_files = st.builds(
    File,
    _contents,
    mostly(st.just(1_790_000_000), _times),
    weighted((12, st.just("a file")), (1, st.sampled_from([LINK, DANGLING, FOLDER]))),
)
_creds = st.builds(
    File, weighted((5, json_texts.good_creds), (1, json_texts.bad_creds)).map(str.encode)
)
folders = st.builds(
    lambda files, creds: files if creds is None else {**files, "creds.json": creds},
    st.dictionaries(mostly(_good_names, _hostile_names), _files, max_size=5),
    mostly(_creds, st.none()),
)


def write(folder: Path, files: Mapping[str, File]) -> None:
    """Make the folder with these files."""
    folder.mkdir()
    outside = folder.parent / "outside"
    for name, file in files.items():
        path = folder / name
        if file.kind == FOLDER:
            path.mkdir()
        elif file.kind == DANGLING:
            path.symlink_to(folder / "nothing")
        elif file.kind == LINK:
            outside.write_bytes(file.content)
            path.symlink_to(outside)
        else:
            path.write_bytes(file.content)
            os.utime(path, (file.written_at, file.written_at))
