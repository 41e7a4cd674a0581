#!/usr/bin/env python3
"""Write encryption.json from the format in docs/encryption.md with bare AES-GCM: no JOSE library
and no code of either client. Nonces are fixed here, so that it writes the same file again; nowhere
else may they be.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEYS = {
    kid: hashlib.sha256(f"vector key {kid}".encode()).digest()
    for kid in ("2026-11", "2025-02", "läuft_bis/2024+=")
}
CURRENT = "2026-11"
COMPANY = "962304"
TYP = "pg-auth-state"
_nonces = iter(range(1, 1000))


def b64u(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def jwe(header: dict[str, Any] | str, text: str, key: bytes) -> str:
    """RFC 7516, compact, `dir`: header, empty encrypted key, nonce, ciphertext, tag."""
    head = b64u((header if isinstance(header, str) else compact(header)).encode())
    nonce = next(_nonces).to_bytes(12, "big")
    sealed = AESGCM(key).encrypt(nonce, text.encode(), head.encode())
    return f"{head}..{b64u(nonce)}.{b64u(sealed[:-16])}.{b64u(sealed[-16:])}"


def header_of(kid: str, **members: Any) -> dict[str, Any]:
    return {"alg": "dir", "enc": "A256GCM", "kid": kid, "typ": TYP, **members}


def sent(value: Any) -> Any:
    """What a client sends for a value in which bytes are shown as {"$bytes": base64}."""
    if isinstance(value, dict):
        if set(value) == {"$bytes"}:
            return {"type": "Buffer", "data": value["$bytes"]}
        return {name: sent(item) for name, item in value.items()}
    if isinstance(value, list):
        return [sent(item) for item in value]
    if isinstance(value, str) and ("\0" in value or any(0xD800 <= ord(c) < 0xE000 for c in value)):
        utf16 = value.encode("utf-16-le", "surrogatepass")
        return {"type": "Utf16", "data": b64encode(utf16).decode()}
    return value


def some_bytes(what: str, size: int = 32) -> dict[str, str]:
    data = hashlib.shake_128(what.encode()).digest(size)
    return {"$bytes": b64encode(data).decode()}


def value(
    name: str, key_type: str, key_id: str, plain: Any, kid: str = CURRENT, company: str = COMPANY
) -> dict[str, Any]:
    text = compact(sent(plain))
    header = header_of(kid, company=company, type=key_type, id=key_id)
    return {
        "name": name,
        "company": company,
        "type": key_type,
        "id": key_id,
        "kid": kid,
        "plain": plain,
        "text": text,
        "stored": jwe(header, text, KEYS[kid]),
    }


def identity_of(plain: dict[str, Any]) -> str | None:
    keys = [
        sent(plain).get(name, {}).get("public", {}) for name in ("noiseKey", "signedIdentityKey")
    ]
    if not all(keys):
        return None
    return hashlib.sha256(".".join(key["data"] for key in keys).encode()).hexdigest()[:32]


def creds(
    name: str,
    plain: dict[str, Any],
    *,
    paired: bool,
    complete: bool,
    kid: str = CURRENT,
    company: str = COMPANY,
) -> dict[str, Any]:
    text = compact(sent(plain))
    identity = identity_of(plain)
    header = header_of(kid, company=company, type="creds", paired=paired)
    if identity is not None:
        header["identity"] = identity
    if complete:
        header["complete"] = True
    return {
        "name": name,
        "company": company,
        "kid": kid,
        "paired": paired,
        "identity": identity,
        "complete": complete,
        "plain": plain,
        "text": text,
        "stored": jwe(header, text, KEYS[kid]),
    }


def key_pair(what: str) -> dict[str, Any]:
    return {"private": some_bytes(f"{what} private"), "public": some_bytes(f"{what} public")}


FRESH = {
    "noiseKey": key_pair("noise"),
    "signedIdentityKey": key_pair("identity"),
    "advSecretKey": some_bytes("adv")["$bytes"],
    "registrationId": 117,
    "registered": False,
}
PAIRED = {
    **FRESH,
    "me": {"id": "5511900000301:23@s.whatsapp.net", "name": "Padaria \U0001f35e São João"},
    "account": {"details": some_bytes("details", 20)},
    "registered": True,
}

values = [
    value(
        "a session",
        "session",
        "5511900000302.0",
        {"_sessions": {"BQ==": {"n": 1}}, "version": "v1"},
    ),
    value(
        "a session under an earlier key", "session", "5511900000303.0", {"version": "v1"}, "2025-02"
    ),
    value(
        "a kid of more than ASCII",
        "session",
        "5511900000304.0",
        {"version": "v1"},
        "läuft_bis/2024+=",
    ),
    value("buffers", "pre-key", "11", {"public": some_bytes("p"), "private": some_bytes("q")}),
    value(
        "a buffer alone",
        "sender-key",
        "120363000000000301@g.us::5511900000301::11",
        some_bytes("s", 200),
    ),
    value("a bare string", "lid-mapping", "5511900000302", "100000000000310"),
    value("an array", "device-list", "5511900000302", ["0", "12"]),
    value("a number", "some-future-type", "n", 42),
    value("a boolean", "some-future-type", "b", False),
    value("an empty object", "sender-key-memory", "120363000000000301@g.us", {}),
    value(
        "a string that holds NUL, carried as Utf16", "some-future-type", "u", {"name": "Ana\0Maria"}
    ),
    value(
        "a string with half a surrogate pair, carried as Utf16",
        "some-future-type",
        "h",
        "Padaria \ud83c",
    ),
    value("an emoji", "some-future-type", "e", "Padaria \U0001f35e"),
    value(
        "a string that looks like a token",
        "some-future-type",
        "t",
        "eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA",
    ),
    value("an id of base64", "app-state-sync-key", "++8/+=", {"keyData": some_bytes("k")}),
    value("an id with quotes, a backslash and accents", "tctoken", 'são "x"\\', {"timestamp": "1"}),
    value("an id as long as ids may be", "session", "5" * 1024, {"version": "v1"}),
    value("a key of type creds", "creds", "1", {"version": "v1"}),
    value(
        "a company with quotes", "session", "1.0", {"version": "v1"}, company='a","paired":true,"b'
    ),
]
values.append(
    {
        **values[0],
        "name": "a header in another order, with spaces and a member that is not known",
        "stored": jwe(
            f'{{"id": "{values[0]["id"]}", "kid" : "{CURRENT}", "later": [1], "type": "session",'
            f' "company": "{COMPANY}", "typ": "{TYP}", "enc": "A256GCM", "alg": "dir" }}',
            values[0]["text"],
            KEYS[CURRENT],
        ),
    }
)

all_creds = [
    creds("fresh creds", FRESH, paired=False, complete=True),
    creds("paired creds", PAIRED, paired=True, complete=True),
    creds(
        "paired creds of an account that is being changed over", PAIRED, paired=True, complete=False
    ),
    creds("paired creds under an earlier key", PAIRED, paired=True, complete=True, kid="2025-02"),
    creds(
        "a pairing code is pending: a me without a device",
        {**FRESH, "me": {"id": "5511900000301@s.whatsapp.net"}},
        paired=False,
        complete=True,
    ),
    creds(
        "a me with a device is paired",
        {**FRESH, "me": {"id": "5511900000301:7@s.whatsapp.net"}},
        paired=True,
        complete=True,
    ),
    creds(
        "creds without keys have no identity", {"registrationId": 1}, paired=False, complete=True
    ),
]


def refused(
    name: str,
    stored: Any,
    *,
    error: str = "DecryptionError",
    kid: str | None = CURRENT,
    **more: Any,
) -> dict[str, Any]:
    place = {"company": COMPANY, "type": "session", "id": "5511900000302.0"}
    if more.pop("creds", False):
        place = {"company": COMPANY, "type": "creds"}
    return {"name": name, "error": error, **place, "kid": kid, **more, "stored": stored}


def flipped(token: str, segment: int) -> str:
    parts = token.split(".")
    first = parts[segment][0]
    parts[segment] = ("A" if first != "A" else "B") + parts[segment][1:]
    return ".".join(parts)


def resealed(header: dict[str, Any], text: str = '{"version":"v1"}') -> str:
    return jwe(header, text, KEYS[CURRENT])


def changed(token: str, header: dict[str, Any]) -> str:
    return ".".join([b64u(compact(header).encode()), *token.split(".")[1:]])


first, paired = values[0]["stored"], all_creds[1]["stored"]
place = {"company": COMPANY, "type": "session", "id": "5511900000302.0"}
good = header_of(CURRENT, **place)
refusals = [
    refused("moved from another id", values[1]["stored"], kid="2025-02"),
    refused("moved from another type", resealed({**good, "type": "identity-key"})),
    refused("moved from another company", resealed({**good, "company": "962305"})),
    refused("creds in the place of a key", paired),
    refused("a key in the place of creds", first, creds=True),
    refused("a key of type creds in the place of creds", values[17]["stored"], creds=True),
    refused(
        "creds of another company",
        creds("", PAIRED, paired=True, complete=True, company="962305")["stored"],
        creds=True,
    ),
    refused("a tampered tag", flipped(first, 4)),
    refused("a tampered ciphertext", flipped(first, 3)),
    refused("a tampered nonce", flipped(first, 2)),
    refused(
        "a tampered header: creds that are paired no more",
        changed(paired, {**header_of(CURRENT, company=COMPANY, type="creds"), "paired": False}),
        creds=True,
    ),
    refused("a key that is not known", resealed({**good, "kid": "2024-01"}), kid="2024-01"),
    refused(
        "another key under that name",
        jwe(good, '{"version":"v1"}', hashlib.sha256(b"other").digest()),
    ),
    refused(
        "no kid", resealed({name: item for name, item in good.items() if name != "kid"}), kid=None
    ),
    refused("another typ", resealed({**good, "typ": "JWT"})),
    refused("another enc", resealed({**good, "enc": "A128GCM"})),
    refused("another alg", resealed({**good, "alg": "A256KW"})),
    refused(
        "a critical member that is not known", resealed({**good, "later": 1, "crit": ["later"]})
    ),
    refused("cut off", first[:-30]),
    refused("a header that is no JSON", b64u(b'{"alg":') + first[first.index(".") :], kid=None),
    refused("plain text that is no JSON", resealed(good, '{"version":')),
    refused(
        "a plain value in an account that is encrypted completely",
        {"version": "v1"},
        error="PlaintextRefused",
        kid=None,
        complete=True,
    ),
    refused(
        "a plain string in an account that is encrypted completely",
        "100000000000310",
        error="PlaintextRefused",
        kid=None,
        complete=True,
    ),
    refused(
        "plain creds where plain values are not allowed",
        sent(PAIRED),
        error="PlaintextRefused",
        kid=None,
        creds=True,
        complete=False,
        allow_plaintext=False,
    ),
]

content = {
    "keys": [{"kty": "oct", "kid": kid, "k": b64u(key)} for kid, key in KEYS.items()],
    "current": CURRENT,
    "values": values,
    "creds": all_creds,
    "refused": refusals,
}
lists = ",\n".join(
    f"{json.dumps(name)}: "
    + (
        "[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in items) + "\n]"
        if isinstance(items, list)
        else json.dumps(items)
    )
    for name, items in content.items()
)
Path(__file__).with_name("encryption.json").write_text(f"{{\n{lists}\n}}\n")
