"""The seed of what tests draw at random: fixed in a test run; `make soak` gives a fresh one to each round."""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

IS_SOAK = "SOAK_SEED" in os.environ
SEED = int(os.environ.get("SOAK_SEED", "1"))


def examples(count: int) -> Callable[[Any], Any]:
    """Sets the number of examples of a slow property test; a soak run tries five times as many."""
    return settings(max_examples=count * (5 if IS_SOAK else 1), suppress_health_check=list(HealthCheck))
