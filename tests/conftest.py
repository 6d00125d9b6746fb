"""Property tests: no timing, since machines stall; the same examples each time in CI, new ones in runs by hand."""

import os

from hypothesis import settings

settings.register_profile("by hand", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "by hand")
