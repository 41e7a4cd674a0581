"""Everywhere that an exception could show a value to whoever logs, prints, sends or inspects it."""

from __future__ import annotations

import io
import logging
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.pq import DiagnosticField


def chained(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it is chained to."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        found = pending.pop()
        if found is not None and id(found) not in seen:
            seen.add(id(found))
            yield found
            pending += [found.__cause__, found.__context__]


def shown_by(error: BaseException) -> str:
    """All that the exception shows."""
    texts: list[Any] = [*traceback.format_exception(error), _logged(error)]
    for each in chained(error):
        texts += [str(each), repr(each), repr(each.args), vars(each)]
        if isinstance(each, psycopg.Error):
            texts += [each.pgresult, each.pgconn]
            texts += [getattr(each.diag, field.name.lower()) for field in DiagnosticField]
            texts.append(pickle.dumps(each))
    return "\n".join(map(str, texts))


def _logged(error: BaseException) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.Logger("test")
    logger.addHandler(handler)
    try:
        raise error
    except BaseException:
        logger.exception("it failed")
    return stream.getvalue()
