"""Settings of property tests: the same examples in each test run, new and more ones in a soak run (`make soak`)."""

from pathlib import Path

from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.seed import IS_SOAK

FAILURES = Path(__file__).parents[1] / "soak-failures" / "hypothesis"

# No deadlines: a busy machine is no failure.
settings.register_profile("test", deadline=None, derandomize=True, database=None)
settings.register_profile(
    "soak", deadline=None, max_examples=1000, database=DirectoryBasedExampleDatabase(FAILURES), print_blob=True
)
settings.load_profile("soak" if IS_SOAK else "test")
