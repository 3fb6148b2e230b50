"""Options: dataclass fields that say what they mean, and the error for a value that is wrong."""

from __future__ import annotations

from dataclasses import Field, field
from typing import Any, TypeVar, cast

T = TypeVar("T")


class OptionError(ValueError):
    """An option has a value that cannot be used; one sentence names section, key and cure."""


def option(default: T, text: str, *, affects_result: bool = True) -> T:
    """A dataclass field with a one-line help text.

    Args:
        default: the value where the user gives none.
        text: what it does, in one line, with its unit.
        affects_result: False for thread counts and the like, which change speed and nothing else.
    """
    # `field` is typed as the value that it stands for, as dataclasses themselves do.
    made = field(default=default, metadata={"help": text, "affects_result": affects_result})
    return cast(T, cast("Field[Any]", made))


def require(holds: bool, name: str, value: object, expected: str) -> None:
    """Raises the sentence for a wrong value unless `holds`.

    Args:
        holds: whether the value is usable.
        name: section and key, such as `[pack] size`.
        value: what the user gave.
        expected: the end of the sentence, such as "a number of pixels from 16 to 4096".

    Raises:
        OptionError: where `holds` is false.
    """
    if not holds:
        raise OptionError(f"{name} = {value}: expected {expected}.")
