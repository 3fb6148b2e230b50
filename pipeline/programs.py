"""The programs beside the tasks, by the word with which the command `senga` runs each.

They read no config files, so they are run before anything reads these.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A module that is a program.

    Attributes:
        module: its name; `python -m` runs it, too.
        purpose: what it does.
    """

    module: str
    purpose: str


PROGRAMS = {
    "lines": Program("pipeline.draw", "Draw sketches and line art of a folder of pictures."),
    "paint": Program("pipeline.colorizer.paint", "Colorize a folder of line art."),
    "demo": Program("pipeline.demo", "Try a colorizer in the browser."),
    "verify": Program("pipeline.pack.verify", "Check that the files of a dataset are undamaged."),
    "weights": Program("sketch_models.weights", "List, download and verify files of weights."),
}
"""In the order in which the help lists them."""


def run_program(word: str, arguments: Sequence[str]) -> None:
    """Run a program with its arguments, as `python -m` does; most end in `SystemExit`."""
    sys.argv[1:] = arguments
    runpy.run_module(PROGRAMS[word].module, run_name="__main__", alter_sys=True)
