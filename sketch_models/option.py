"""Options: frozen dataclasses with a configuration section and, for each field, help and limits."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast, get_args, get_origin, get_type_hints

from sketch_models.errors import ConfigError
from sketch_models.weights.cache import expand_path

T = TypeVar("T")

_NOUNS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_PLURALS = {int: "whole numbers", float: "numbers", str: "words"}
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]+:/")  # s3://bucket, and what Path makes of it


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of an option's value; of a tuple, those of each item.

    Attributes:
        above: the value must be larger than this.
        at_least: the value must be this or larger.
        below: the value must be smaller than this.
        at_most: the value must be this or smaller.
        choices: the value must be one of these.
        unit: of a number, such as pixels, for the message.
        not_empty: a tuple must have one item or more.
        unique: a tuple must not have an item twice.
        path: the value must be a path on this machine, not the address of a bucket or a page.
    """

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    choices: Sequence[str] = ()
    unit: str = ""
    not_empty: bool = False
    unique: bool = False
    path: bool = False

    def allow(self, value: object) -> bool:
        """Return whether a single value, of the right type, is within the limits."""
        if self.choices:
            return value in self.choices
        if self.path:
            return not _ADDRESS.match(str(value))
        if not isinstance(value, (int, float)):
            return True
        return (
            math.isfinite(value)
            and (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )

    def text(self) -> str:
        """Return the bounds in words, such as "from 16 to 4096"; empty without any."""
        if self.at_least is not None and self.at_most is not None:
            return f"from {self.at_least:,} to {self.at_most:,}"
        low = f"above {self.above:,}" if self.above is not None else ""
        if self.at_least is not None:
            low = f"of {self.at_least:,} or more"
        high = f"below {self.below:,}" if self.below is not None else ""
        if self.at_most is not None:
            high = f"up to {self.at_most:,}"
        return " and ".join(bound for bound in (low, high) if bound)


def option(
    default: T,
    text: str,
    *,
    affects_result: bool = True,
    renamed_from: str = "",
    renamed_choices: Mapping[str, str] | None = None,
    **limits: Any,  # noqa: ANN401 - the fields of Limits, which checks their names
) -> T:
    """Return a dataclass field for an option, with its help text and limits.

    Args:
        default: the value if the user gives none.
        text: help in one line, with the unit; it must be clear without the help of other options.
        affects_result: False for thread counts and the like, which change speed and nothing else.
        renamed_from: key in the version before, if it was another.
        renamed_choices: values of the version before, and their names now.
        **limits: fields of `Limits`.
    """
    metadata = {
        "help": text,
        "affects_result": affects_result,
        "renamed_from": renamed_from,
        "renamed_choices": dict(renamed_choices or {}),
        "limits": Limits(**limits),
    }
    # `field` is typed as the value that it stands for, as dataclasses themselves do.
    return cast(T, cast("Field[Any]", field(default=default, metadata=metadata)))


class Options:
    """Base of the options of one component: a frozen, keyword-only dataclass of `option` fields.

        @dataclass(frozen=True, kw_only=True)
        class PackOptions(Options, section="pack"):
            size: int = option(256, "side of the pictures, in pixels", at_least=16, unit="pixels")

    A value of another type or outside its limits raises ConfigError, which names section and key.

    Attributes:
        section: of the configuration, such as `pack`; empty for options of a command line, whose
            keys are then flags.
        section_renamed_from: name of the section in the version before, if it was another.
    """

    section: ClassVar[str] = ""
    section_renamed_from: ClassVar[str] = ""
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # subclasses are dataclasses

    def __init_subclass__(cls, section: str = "", renamed_from: str = "") -> None:
        """Take the section from the arguments of the class."""
        super().__init_subclass__()
        if section:
            cls.section, cls.section_renamed_from = section, renamed_from

    def __post_init__(self) -> None:
        """Check every value; a subclass adds the checks of several values together.

        Raises:
            ConfigError: If a value cannot be used.
        """
        hints = types_of(type(self))
        for key in fields(self):
            limits: Limits = key.metadata["limits"]
            value = getattr(self, key.name)
            self.require(_fits(value, hints[key.name], limits), key.name, expected(type(self), key))

    @classmethod
    def name_of(cls, key: str) -> str:
        """Return an option as people write it: `[pack] size`, or `--size` without a section."""
        return f"[{cls.section}] {key}" if cls.section else f"--{key.replace('_', '-')}"

    def require(self, holds: bool, key: str, expected: str, value: object = None) -> None:
        """Raise ConfigError unless `holds`.

        Args:
            holds: whether the value is usable.
            key: of the option.
            expected: end of the message, such as "a number of pixels from 16 to 4096".
            value: the part of the option's value that is wrong; all of it if None.

        Raises:
            ConfigError: If `holds` is false.
        """
        if not holds:
            text = text_of(getattr(self, key) if value is None else value)
            shown = text if text == text.strip() != "" and text.isprintable() else repr(text)
            raise ConfigError(f"{self.name_of(key)} = {shown}: expected {expected}.")


def types_of(options_type: type[Options]) -> dict[str, Any]:
    """Return the types of an options class's fields, by key."""
    return _types_of(cast("Hashable", options_type))


@cache
def _types_of(options_type: Hashable) -> dict[str, Any]:  # mypy takes a class for not hashable
    return get_type_hints(options_type)


def expected(options_type: type[Options], key: Field[Any]) -> str:
    """Return a description of an option's valid values, such as "a whole number from 1 to 256"."""
    limits: Limits = key.metadata["limits"]
    annotation = types_of(options_type)[key.name]
    several = get_origin(annotation) is tuple
    item = get_args(annotation)[0] if several else annotation
    if limits.choices:
        start = ("one or more of" if limits.not_empty else "any of") if several else "one of"
        words = f"{start} {', '.join(limits.choices)}"
    else:
        noun = "a path on this machine" if limits.path else (_PLURALS if several else _NOUNS)[item]
        words = f"{noun} of {limits.unit}" if limits.unit else noun
        words = f"{words} {limits.text()}".rstrip()
        words = f"one or more {words}" if limits.not_empty else words
    return f"{words}, each once" if limits.unique else words


def text_of(value: object) -> str:
    """Return a value as people write it in a config file."""
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def settings_of(options: Options) -> dict[str, object]:
    """Return the options that change a result, by key, as plain data for a fingerprint."""
    return {
        key.name: list(value) if isinstance(value, tuple) else value
        for key in fields(options)
        if key.metadata["affects_result"]
        for value in [getattr(options, key.name)]
    }


def local_path(text: str) -> Path:
    """Return the path that an argument of a command line names, with `~` expanded.

    Raises:
        ConfigError: If it is the address of a bucket or a page.
    """
    if _ADDRESS.match(text):
        raise ConfigError(f"{text}: expected a path on this machine.")
    return expand_path(text)


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return the choice that is spelled most like a word, as a question; empty if none is near."""
    by_folded = {choice.casefold(): choice for choice in choices}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1)
    return f" Did you mean {by_folded[found[0]]}?" if found else ""


def renamed_keys(options_type: type[Options]) -> dict[str, str]:
    """Return the keys that have been renamed since the version before: old name -> new name."""
    return {
        key.metadata["renamed_from"]: key.name
        for key in fields(options_type)
        if key.metadata["renamed_from"]
    }


def _fits(value: object, annotation: Any, limits: Limits) -> bool:  # noqa: ANN401 - a type
    if get_origin(annotation) is not tuple:
        return _is_of_type(value, annotation) and limits.allow(value)
    if not isinstance(value, tuple) or (limits.not_empty and not value):
        return False
    if limits.unique and len(set(value)) < len(value):
        return False
    item = get_args(annotation)[0]
    return all(_is_of_type(each, item) and limits.allow(each) for each in value)


def _is_of_type(value: object, wanted: type) -> bool:
    """Return whether a value is of a type; whole numbers are numbers, true and false are not."""
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, (int, float) if wanted is float else wanted)
