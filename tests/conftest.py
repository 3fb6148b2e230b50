"""Settings of all tests, and a web server that misbehaves on request."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from benchmarks.harness.web import Web, serving

# The same examples on every run: a failure in CI is a failure everywhere.
settings.register_profile("senga", derandomize=True, deadline=None)
settings.load_profile("senga")

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # not ignored, as nohup has it: there are tests of it


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as server:
        yield server
