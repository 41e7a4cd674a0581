"""Arguments as text, by name where the name says what it is, otherwise by type."""

from __future__ import annotations

from hypothesis import strategies as st

from fuzz import json_texts
from fuzz.catalog import Argument, Function
from fuzz.json_texts import long, mostly, seldom, weighted
from fuzz.markers import SENT
from fuzz.store import COMPANIES, ROLES, Store

Given = str | None
RIGHT = "the right one"
LEFT_OUT = "left out"
Strategy = st.SearchStrategy[Given]

hostile_companies = st.sampled_from(
    [
        *("", "ACME", "acme ", "acme\n", "%", "acme%", "é" * 128, "é" * 129),
        *("../acme", "'; select 1; --", "null", "😀", "\u202e", "\x1b[2J"),
    ]
) | long(256, 257, 100_000)
_companies = weighted(
    (10, st.sampled_from(COMPANIES)),
    (8, st.sampled_from(["acme", "leased", "lapsed"])),
    (1, hostile_companies),
    (1, st.none()),
)

intervals = mostly(
    st.sampled_from(["60 seconds", "1 hour", "1 day", "10 seconds", "100 ms"]),
    st.sampled_from(
        [
            *("0", "-1 second", "1 day -1 second", "1 month -29 days", "0.0000001 second", "1 us"),
            *("1000 years", "999 years 12 months", "1001 years", "178000000 years"),
            "P1Y2M3DT4H5M6S",
            *("infinity", "-infinity", "1e10 hours", "1e300 days", "invalid", "", " ", "1", "1.5"),
            *("-1 day 02:00:00", "+1 day -02:00:00", "1-2 3 4:05:06", "60 second ago", "undefined"),
        ]
    ),
    st.none(),
)
times = mostly(
    st.sampled_from(["2026-01-01 00:00:00+00", "2999-01-01 00:00:00+00", "now"]),
    st.sampled_from(
        [
            *("infinity", "-infinity", "epoch", "tomorrow", "294276-12-31", "294277-01-01"),
            "current",
            *("4713-01-01 BC", "4714-11-24 BC", "5000-01-01 BC", "2026-02-30", "1/2/2026", "", "x"),
            *(
                "2026-01-01 00:00:00 America/Sao_Paulo",
                "2026-01-01 00:00:00 Nowhere/Land",
                "invalid",
            ),
        ]
    ),
    st.none(),
)
_whole_numbers = st.sampled_from(
    ["0", "-1", "2147483647", "-2147483648", "2147483648", "1e3", "x", ""]
)
_limits = mostly(st.sampled_from(["1000", "1", "2", "10000"]), _whole_numbers, st.none())
_large_numbers = st.sampled_from(
    [
        *("0", "-1", "1", "9223372036854775807", "-9223372036854775808", "9223372036854775808"),
        *("0x1", "1.5"),
    ]
)
_booleans = mostly(st.sampled_from(["true", "false"]), st.sampled_from(["yes", "2", ""]), st.none())
_texts = mostly(st.sampled_from(["a", "session"]), json_texts.hostile_names, st.none())


def _array_of(ids: list[str]) -> str:
    return "{" + ",".join(map(json_texts.string, ids)) + "}"


_arrays = mostly(
    st.lists(st.sampled_from(json_texts.IDS), min_size=1, max_size=4).map(_array_of),
    st.lists(json_texts.ids, max_size=4).map(_array_of),
    st.sampled_from(
        [
            *("{}", "{NULL}", "{1.0,NULL}", '{""}', "{{1.0}}", "{{1.0,2.0},{7,7}}", "[0:0]={1.0}"),
            *("[-5:-4]={1.0,2.0}", "{1.0,1.0}", "{", "1.0", "{1.0,{}}", "", "{{}}", "[2:1]={}"),
        ]
    ),
    st.none(),
)
_settings = st.sampled_from(
    [
        *("lock_wait", "history_versions", "audit_retention", "keep_deleted", "keep_snapshots"),
        "starts_per_call",
    ]
)
_setting_values = mostly(
    st.sampled_from(["5s", "10", "7 days", "100", "20ms"]),
    st.sampled_from(
        [
            *(
                "0",
                "-1",
                "1e3",
                "999",
                "1000",
                "0005",
                "\uff11",
                "infinity",
                "1000 years",
                "1001 years",
            ),
            *("", " ", "5 s ago", "2147483647", "99999999999999999999", "1 month -29 days"),
            *("7 days\n", "10\n", "invalid", "P7D", "1 day 1 day", "%s %1$s", "'"),
        ]
    ),
    st.none(),
)

_BY_NAME: dict[str, Strategy] = {
    "p_company_id": _companies,
    "p_creds": seldom(json_texts.all_creds, st.none()),
    "p_data": seldom(json_texts.batches, st.none()),
    "p_keys": seldom(json_texts.wanted, st.none()),
    "p_key_type": seldom(json_texts.types, st.none()),
    "p_after": mostly(st.none(), json_texts.ids, st.sampled_from(COMPANIES)),
    "p_holder": mostly(st.sampled_from(["bot-1", "bot-2"]), json_texts.hostile_names, st.none()),
    "p_kept_kid": mostly(st.none() | st.sampled_from(["k1", "k2"]), json_texts.hostile_names),
    "p_mode": weighted(
        (12, st.sampled_from(["replace", "replace", "merge", "new"])),
        (1, st.sampled_from(["", "NEW", SENT])),
        (1, st.none()),
    ),
    "p_name": mostly(_settings, json_texts.hostile_names, st.none()),
    "p_role_name": mostly(st.sampled_from(ROLES), json_texts.hostile_names, st.none()),
    "p_schedule": mostly(
        st.sampled_from(["0 */6 * * *", "30 seconds"]), json_texts.hostile_names, st.none()
    ),
    "p_value": _setting_values,
}

_BY_TYPE: dict[str, Strategy] = {
    "bigint": mostly(_large_numbers, st.none()),
    "boolean": _booleans,
    "integer": _limits,
    "interval": intervals,
    "json": json_texts.anything,
    "jsonb": json_texts.anything,
    "name": _texts,
    "text": _texts,
    "text[]": _arrays,
    "timestamp with time zone": times,
}


def _states(store: Store) -> Strategy:
    exports = st.integers(0, len(store.exports) - 1).map(lambda number: store.exports[number])
    return weighted((9, json_texts.states), (4, exports), (1, st.none()))


def _numbers(known: list[int], *, has_default: bool) -> Strategy:
    """Tokens or versions: none, the right one, those of other companies, and any."""
    others = st.sampled_from([str(number) for number in known])
    absent = 6 if has_default else 1
    return weighted((absent, st.none()), (8, st.just(RIGHT)), (1, others), (1, _large_numbers))


def resolved(given: dict[str, Given], store: Store) -> dict[str, Given]:
    """With the tokens and versions of the company in place of RIGHT."""
    company = given.get("p_company_id")
    return {
        name: store.right(name, company) if value == RIGHT else value
        for name, value in given.items()
    }


def argument(argument: Argument, store: Store) -> Strategy:
    """What to pass for one argument."""
    if argument.name == "p_state":
        return _states(store)
    if argument.type == "bigint" and "token" in argument.name:
        return _numbers(store.tokens, has_default=argument.has_default)
    if argument.type == "bigint" and "version" in argument.name:
        return _numbers(store.versions, has_default=argument.has_default)
    if argument.name in _BY_NAME:
        return _BY_NAME[argument.name]
    # For a type that nobody has thought of yet: some text becomes it, some does not.
    return _BY_TYPE.get(argument.type, st.none() | st.sampled_from(["", "0", "x", "{}"]))


def arguments(function: Function, store: Store) -> st.SearchStrategy[dict[str, Given]]:
    """By name; those with a default are left out one time in three."""
    given = {
        each.name: weighted((2, argument(each, store)), (1, st.just(LEFT_OUT)))
        if each.has_default
        else argument(each, store)
        for each in function.arguments
    }
    return st.fixed_dictionaries(given).map(
        lambda all_of_them: {
            name: value for name, value in all_of_them.items() if value != LEFT_OUT
        }
    )
