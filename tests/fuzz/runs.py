"""How many inputs a run has, and the seed that they come from."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

from harness.cluster import Cluster

T = TypeVar("T", bound=Callable[..., Any])

INPUTS = int(os.environ.get("FUZZ_INPUTS") or 500)
SEED = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(10**9))
IS_TOLD_TO_REPORT = bool(os.environ.get("FUZZ_REPORT"))

# Under another name than its usual one hypothesis draws each input anew. Under that one most are an
# earlier input with a part of it copied over another: of 3,000 inputs 1,200 were different.
AVAILABLE_PROVIDERS["drawn anew"] = HypothesisProvider

STEPS = 30
"""The most calls of one run of the model; each counts as an input."""

# What each kind of input has of them all, both servers together.
CALLS, MODEL, PYTHON, COMMAND = 0.50, 0.30, 0.19, 0.01

BOTH_SERVERS = pytest.mark.parametrize("cluster", ["pg15-superuser", "pg18-login"], indirect=True)


def examples(share: float, *, inputs_each: int = 1) -> settings:
    """Settings of hypothesis for one server's part of the share."""
    return settings(
        max_examples=max(1, round(INPUTS * share / 2 / inputs_each)),
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        backend="drawn anew",
        print_blob=False,
        phases=[Phase.generate, Phase.shrink],
        # A server answers each input: that takes longer than hypothesis expects of a test.
        suppress_health_check=[HealthCheck.too_slow],
    )


def seeded(cluster: Cluster) -> Callable[[T], T]:
    """The two servers are given different inputs."""
    return seed(f"{SEED} {cluster.name}")


def refuse(faults: list[str], *shown: str) -> None:
    """Fail if there are faults; `shown` is what was sent."""
    if faults:
        raise AssertionError("\n\n".join(["", *faults, *shown]))
