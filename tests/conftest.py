"""Settings of all tests."""

from hypothesis import settings

# The same examples on every run: a failure in CI is a failure everywhere.
settings.register_profile("senga", derandomize=True, deadline=None)
settings.load_profile("senga")
