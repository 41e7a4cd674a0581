"""What is wrong with the answers to an input; nothing, if all is as published."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from fuzz.codes import ABORTED, CANCELLED, LIMIT, NO_SUCH_VALUE, PUBLISHED, READ_ONLY
from fuzz.markers import MARKER, NAME_MARKER, SENT
from fuzz.scripts import Answer, Call, Outcome, Script
from fuzz.sessions import EVERY, NOTHING, Caller
from fuzz.store import Contents, Store

# Whoever acts for one company may not call these, even about it.
_OF_THE_SERVICE = ("auth_bind_role", "auth_list_audit")
# A caller who may see numbers only may ask these about any company.
_NUMBERS = ("auth_stats", "auth_list_audit", "auth_list_leases")


def faults(script: Script, outcome: Outcome, store: Store) -> Iterator[str]:
    for answer in outcome.answers:
        if answer.error is not None:
            yield from _of_error(script, answer)
        elif answer.step.call is not None:
            yield from _of_result(script, answer, answer.step.call, store)
        for notice in answer.notices:
            if notice.severity_nonlocalized in ("WARNING", "ERROR") or MARKER.search(
                f"{notice.message_primary} {notice.message_detail} {notice.message_hint}"
            ):
                yield f"it says {notice.severity}: {notice.message_primary}"
        if answer.left_settings:
            yield f"the call left settings that are others: {answer.left_settings}"
    if outcome.left_behind:
        yield f"it left settings, locks or channels in the session: {outcome.left_behind}"
    yield from _of_change(script.caller, outcome, store.before(), store.look())
    yield from store.broken_promises()


# Errors


def _of_error(script: Script, answer: Answer) -> Iterator[str]:
    error = answer.error
    assert error is not None
    if answer.step.call is None:
        return
    code, diag = error.sqlstate or "", error.diag
    said = f"{code} {error}"
    if not _is_published(script, answer, code, diag.context or ""):
        yield f"no published code: {said}\nCONTEXT: {diag.context}"
    if code == "42501" and _is_entitled(script.caller, answer.step.call):
        yield f"who is entitled to it is refused: {said}"
    if code in PUBLISHED and code != "42501" and diag.message_hint is None:
        yield f"no HINT leads out: {said}"
    texts = [diag.message_primary, diag.message_hint, diag.internal_query]
    if not _is_of_json_parser(diag):
        texts += [diag.message_detail, diag.context]
    shown = "\n".join(text for text in texts if text)
    if MARKER.search(shown):
        yield f"it shows a secret: {said}\nCONTEXT: {diag.context}"
    if NAME_MARKER.search(shown) and not _is_path_of_batch(diag):
        yield f"it shows a name within a value: {said}\nCONTEXT: {diag.context}"


def _is_entitled(caller: Caller, call: Call) -> bool:
    """The service to everything, others to what their company's functions do."""
    if caller.sees == EVERY:
        return True
    return caller.sees == call.company and call.function.name not in _OF_THE_SERVICE


def _is_published(script: Script, answer: Answer, code: str, context: str) -> bool:
    if code in PUBLISHED:
        return True
    if code.startswith(NO_SUCH_VALUE):
        # The argument did not become its type: then the function was not called yet.
        return "function" not in context
    return (
        code.startswith(LIMIT)
        or (code == READ_ONLY and script.is_read_only)
        or (code == CANCELLED and script.has_timeout)
        or (code == ABORTED and answer.was_aborted)
    )


def _is_of_json_parser(diag: psycopg.errors.Diagnostic) -> bool:
    """PostgreSQL's own parser quotes its input in DETAIL and CONTEXT."""
    return "JSON data, line" in (diag.context or "")


def _is_path_of_batch(diag: psycopg.errors.Diagnostic) -> bool:
    """A name in the place of a type, an id or a member of an export is a part of the path."""
    detail = diag.message_detail or ""
    return diag.sqlstate == "WA001" and detail.startswith(("p_data[", "p_keys[", "p_state["))


# Results


def _of_result(script: Script, answer: Answer, call: Call, store: Store) -> Iterator[str]:
    sees, company = script.caller.sees, call.company
    is_number = script.caller.sees_numbers and call.function.name in _NUMBERS
    if company is not None and not is_number and sees not in (EVERY, company):
        yield f"{sees} is what the caller may see, and it got an answer about {company}"
    sent = str(call.given)
    allowed = {SENT, *MARKER.findall(sent)}
    if company is not None and sees != NOTHING:
        allowed.add(store.markers.get(company, SENT))
        # An earlier call of the same transaction may have brought another's export.
        for step in script.steps:
            if step.call is not None:
                allowed.update(MARKER.findall(str(step.call.given)))
    found = set(MARKER.findall(str(answer.rows)))
    if found - allowed:
        yield f"the answer holds secrets of others: {found - allowed}"
    if script.caller.sees_numbers and found:
        yield "the answer shows a secret to somebody who may see numbers only"


# What is stored


def _of_change(
    caller: Caller, outcome: Outcome, before: Contents, after: Contents
) -> Iterator[str]:
    changed = {place for place, _ in before.items() ^ after.items()}
    if changed and not outcome.done:
        yield f"nothing was committed, and yet this changed: {sorted(changed)}"
        return
    writers = [call for call in outcome.done if not call.function.only_reads]
    if changed and not writers:
        yield f"nothing but reads, and yet this changed: {sorted(changed)}"
    companies = {call.company for call in writers}
    for table, company in sorted(changed):
        if caller.sees != EVERY and company != caller.sees:
            yield f"{caller.sees} is what the caller may change, and {table} of {company!r} changed"
        elif None not in companies and company not in companies | {""} and table != _BINDINGS:
            yield f"the calls were about {companies}, and {table} of {company!r} changed"


_BINDINGS = "whatsapp_tenant_roles"  # a role that is bound anew leaves another company
