"""Stores the sample account, made by the real Baileys, in DATABASE_URL and reads it back.

`make install-db` ends with this. Running it again puts the sample back as it was.
"""

import json
import os
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

from pg_auth_state import AuthState

SAMPLE = Path(__file__).with_name("sample_account.json")


def buffer_to_bytes(value: dict[str, Any]) -> Any:
    is_buffer = value.keys() == {"type", "data"} and value["type"] == "Buffer"
    return b64decode(value["data"]) if is_buffer else value


schema = os.environ.get("PG_AUTH_STATE_SCHEMA", "public")
sample = json.loads(SAMPLE.read_text(encoding="utf-8"), object_hook=buffer_to_bytes)
with AuthState(os.environ["DATABASE_URL"], "sample_account", schema=schema) as state:
    state.import_state(sample, mode="replace")
    stored = state.export()
if stored != sample:
    sys.exit("The sample account came back different from what was stored.")
keys = ", ".join(f"{len(ids)} {key_type}" for key_type, ids in stored["keys"].items())
print(f"Stored sample_account and read it back: creds, {keys}.")
