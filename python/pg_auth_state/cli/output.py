"""What the command prints. Ids, types of keys, key names and file names are somebody else's text.

A tenant chooses them: no control character or escape sequence of theirs reaches the terminal, no
line of theirs looks like one of the command's, and none of them fills the screen.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable

import typer

__all__ = ["MOST", "listed", "named", "printable", "say", "set_up"]

MOST = 20
"""How many of something that others may make any number of are shown."""

_PLAIN = re.compile(r"[\w.@:+=/-]+")


def set_up() -> None:
    """Let no character that the terminal's encoding lacks end the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def say(line: str, *, err: bool = False) -> None:
    """Print one line."""
    typer.echo(printable(line), err=err)


def printable(text: str) -> str:
    r"""The text on one line, with `\x1b` and the like for what is not printable."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def named(text: str, longest: int = 80) -> str:
    """An id, type or name inside a line: in quotes unless it is plain, and cut short."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if _PLAIN.fullmatch(text.removesuffix("…")) and text.isprintable():
        return text
    return printable(json.dumps(text, ensure_ascii=False))


def listed(items: Iterable[str], total: int, most: int = MOST) -> str:
    """The first of them, and how many more there are."""
    shown = [item for item, _ in zip(items, range(most), strict=False)]
    if total > len(shown):
        shown.append(f"and {total - len(shown):,} more")
    return ", ".join(shown)
