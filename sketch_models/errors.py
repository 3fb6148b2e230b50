"""The errors that stop a run; what is wrong with a single picture is an `Outcome` instead."""

from __future__ import annotations


class SengaError(Exception):
    """Something is wrong with the run itself: its message says what, and what to do."""


class ConfigError(SengaError):
    """An option has a value that cannot be used, or there is no such option."""


class DatasetError(SengaError):
    """A dataset, or a file of one, is missing, damaged, or not what it should be."""


class WeightsError(SengaError):
    """Weights are missing, damaged, or of another network."""
