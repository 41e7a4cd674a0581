"""What must fail does: a pgTAP file that passes for no reason would hide everything else."""

from __future__ import annotations

import pytest

from harness.pgtap import find_problem


def test_output_as_planned_is_no_problem():
    assert find_problem("1..2\nok 1 - a\nok 2 - b\n", 0) is None


@pytest.mark.parametrize(
    ("output", "returncode"),
    [
        ("1..1\nok 1\n", 3),
        ("1..2\nok 1\nnot ok 2 - b\n# Failed test 2\n", 0),
        ("1..1\nnot ok 1 - a # TODO later\n", 0),
        ("1..2\nok 1\n", 0),
        ("1..1\nok 1\nok 2\n", 0),
        ("1..1\nok 1 - a # SKIP no reason\n", 0),
        ("ok 1\n", 0),
        ("1..0\n", 0),
        ("", 0),
    ],
)
def test_anything_else_is_one(output: str, returncode: int):
    assert find_problem(output, returncode) is not None
