"""Training jobs as JSON: reading them, with one sentence about what is wrong; loads no PyTorch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from sketch_models.errors import ConfigError, SengaError
from sketch_models.option import Options, renamed_keys

T = TypeVar("T", bound=Options)


def read_text(source: Path) -> str:
    """Return the text of the JSON file of a training job.

    Raises:
        SengaError: If it cannot be read.
    """
    try:
        return source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SengaError(
            f"{source} cannot be read ({reason}). Choose the JSON file of a training job."
        ) from None


def parse_values(text: str, source: str | Path, schema: str) -> dict[str, Any]:
    """Return the values of a job, without its schema.

    Raises:
        SengaError: If the schema is another.
        ValueError, TypeError, KeyError, AttributeError: If the text is no job at all; see
            `explain_errors`.
    """
    values: dict[str, Any] = json.loads(text)
    found = values.pop("schema")
    if found != schema:
        raise SengaError(f"{source} holds a training job of schema {found!r}: expected {schema!r}.")
    return values


@contextmanager
def explain_errors(source: str | Path, task: str) -> Iterator[None]:
    """Raise a SengaError that names the file, if the block fails to parse it as a training job.

    Args:
        source: the file that the job was read from.
        task: that writes such files, such as `TrainColorizer`.
    """
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ConfigError) as error:
        raise SengaError(
            f"{source} cannot be read as a training job ({error}). Choose the JSON file that "
            f"{task} wrote."
        ) from None


def parse_options(options_type: type[T], section: Mapping[str, Any]) -> T:
    """Return the options of one section of a job, of this version or the one before.

    Raises:
        ConfigError: If a value cannot be used.
        TypeError: If an option does not exist.
    """
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in section.items()}
    for old, new in renamed_keys(options_type).items():
        if old in values:
            values[new] = values.pop(old)
    for key in fields(options_type):
        choice = values.get(key.name)
        if isinstance(choice, str):
            values[key.name] = key.metadata["renamed_choices"].get(choice, choice)
    return options_type(**values)
