"""The errors that stop a run; a problem of a single picture is an `Outcome` instead."""

from __future__ import annotations


class SengaError(Exception):
    """The base of all errors that stop a run; the message says what is wrong and what to do."""


class ConfigError(SengaError):
    """The error of an option that does not exist, or whose value cannot be used."""


class DatasetError(SengaError):
    """The error of a dataset, or a file of one, that is missing, damaged or of another format."""


class WeightsError(SengaError):
    """The error of weights that are missing, damaged or of another network."""
