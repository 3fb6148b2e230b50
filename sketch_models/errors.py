"""The one error that stops a run."""

from __future__ import annotations


class SengaError(Exception):
    """Something is wrong with the run itself: its message is one sentence that says what to do.

    What is wrong with a single picture is an `Outcome`, never an exception that leaves a stage.
    """
