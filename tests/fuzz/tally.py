"""How often each function, method and command answered with a result, and with which codes."""

from __future__ import annotations

import time
from collections import Counter, defaultdict

RESULT = "result"

_answers: defaultdict[str, Counter[str]] = defaultdict(Counter)
_inputs: Counter[str] = Counter()
_began = time.monotonic()


def count_input(kind: str) -> None:
    _inputs[kind] += 1


def count(what: str, answer: str) -> None:
    _answers[what][answer] += 1


def has_inputs() -> bool:
    return bool(_inputs)


def summary() -> str:
    """How many inputs there were, and how fast."""
    number = sum(_inputs.values())
    seconds = max(time.monotonic() - _began, 0.001)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(_inputs.items()))
    return f"{number:,} inputs in {seconds:.0f} s, {number / seconds:.0f} a second ({kinds})"


def table() -> list[str]:
    """A line for each: its name, how often it gave a result, and how often each code."""
    width = max(map(len, _answers), default=0)
    lines = []
    for name, answers in sorted(_answers.items()):
        codes = [f"{code} {n:,}" for code, n in answers.most_common() if code != RESULT]
        lines.append(f"{name:{width}}  {answers[RESULT]:>7,} results  {'  '.join(codes)}".rstrip())
    return lines
