"""The Luigi DAG: which artefact is made from which; `pipeline` computes them."""

import sys
from pathlib import Path

if sys.platform == "win32":  # it has no forks, and no locks of files as they are used here
    sys.exit("Senga builds and trains on Linux and macOS. On Windows, run it in WSL.")

from tasks import config_files

config_files.install()  # before Luigi is imported, whose messages about these files are tracebacks

from tasks import catalog
from tasks.catalog import *  # noqa: F403

__all__ = []
__all__ += catalog.__all__

if "luigi" in (Path(sys.argv[0]).name, Path(sys.argv[0]).parent.name):  # or python -m luigi
    from tasks.command import check_for_luigi  # Luigi's own messages are tracebacks

    check_for_luigi(sys.argv[1:])
