"""The seed of what tests draw at random: fixed in a test run; `make soak` gives a fresh one to each round."""

import os

IS_SOAK = "SOAK_SEED" in os.environ
SEED = int(os.environ.get("SOAK_SEED", "1"))
