"""The exit code is that of Luigi, which Senga's `luigi.cfg` sets."""

from configparser import ConfigParser
from pathlib import Path

from pipeline.exit_code import EXIT_NOTHING_RAN

TOP = Path(__file__).parents[2]


def test_it_is_the_code_of_luigi() -> None:
    config = ConfigParser(interpolation=None)
    config.read(TOP / "tasks" / "luigi.cfg")
    assert config.getint("retcode", "unhandled_exception") == EXIT_NOTHING_RAN
