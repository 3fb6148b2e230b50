"""The sections of luigi.cfg, made from the options of the stages.

Each options dataclass of `pipeline` and `sketch_models` is one section; its fields are the keys,
in the file as `[filter] min_side = 512` and on the command line as `--filter-min-side 512`.
"""

from __future__ import annotations

import os
from dataclasses import Field, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import luigi
from luigi.configuration import get_config

from pipeline.collect.download import DownloadOptions
from pipeline.colorizer.hints import HintOptions
from pipeline.colorizer.options import (
    AugmentOptions,
    EvaluateOptions,
    LossOptions,
    NetworkOptions,
    TrainOptions,
)
from pipeline.draw.simplify import SimplifyOptions
from pipeline.draw.sketch import SketchOptions
from pipeline.pack.pack import PackOptions
from pipeline.pack.split import SplitOptions
from pipeline.posts.filter import FilterOptions
from pipeline.posts.options import MetadataOptions
from pipeline.screen.screen import ScreenOptions
from sketch_models import registry
from sketch_models.centerline import CenterlineOptions
from sketch_models.errors import SengaError
from sketch_models.network_options import GpuOptions, SimoSerraOptions, SketchKerasOptions
from sketch_models.option import OptionError, option, require
from sketch_models.xdog import XdogOptions


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """What belongs to no single stage."""

    data: str = option("data", "folder that holds all datasets", affects_result=False)
    dataset: str = option("sample", "name of the dataset, a folder in it", affects_result=False)
    seed: int = option(0, "feeds everything random, by stage and post id")
    shard_width: int = option(20_000, "post ids per shard; a build works best with 4 to 150 shards")

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        plain = self.dataset.replace("_", "").replace("-", "").isalnum()
        require(plain, "[build] dataset", self.dataset, "a name of letters, digits, - and _")
        require(self.shard_width > 0, "[build] shard_width", self.shard_width, "a number above 0")


SECTIONS: dict[str, type] = {
    "build": BuildOptions,
    "metadata": MetadataOptions,
    "filter": FilterOptions,
    "download": DownloadOptions,
    "screen": ScreenOptions,
    "sketch": SketchOptions,
    "xdog": XdogOptions,
    "sketchkeras": SketchKerasOptions,
    "simplify": SimplifyOptions,
    "centerline": CenterlineOptions,
    "simo_serra": SimoSerraOptions,
    "gpu": GpuOptions,
    "split": SplitOptions,
    "pack": PackOptions,
    "colorizer": NetworkOptions,
    "hints": HintOptions,
    "augment": AugmentOptions,
    "losses": LossOptions,
    "train": TrainOptions,
    "evaluate": EvaluateOptions,
}

T = TypeVar("T")


def _parse(text: str, kind: str) -> object:
    """A value from its text in a config file; raises ValueError."""
    if kind == "bool":
        return {"true": True, "false": False}[text.strip().lower()]
    if kind == "int":
        return int(text.replace("_", ""))
    if kind == "float":
        return float(text)
    if kind.startswith("tuple"):
        words = text.replace(",", " ").split()
        return tuple(int(word) for word in words) if "int" in kind else tuple(words)
    return text.strip()


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _section(name: str, options: type) -> type[luigi.Config]:
    """A Luigi section whose keys are the fields of an options dataclass, as text."""
    keys = {
        key.name: luigi.Parameter(default=_text(key.default), description=key.metadata["help"])
        for key in fields(options)
    }
    return type(name, (luigi.Config,), {"__module__": __name__, "__doc__": options.__doc__, **keys})


_PARSERS = {name: _section(name, options) for name, options in SECTIONS.items()}


def _value(section: str, key: Field[Any], text: str) -> object:
    kind = str(key.type)
    try:
        return _parse(text, kind)
    except (ValueError, KeyError):
        expected = {
            "int": "a whole number",
            "float": "a number",
            "bool": "true or false",
            "tuple[int, ...]": "whole numbers",
        }[kind]
        raise OptionError(f"[{section}] {key.name} = {text}: expected {expected}.") from None


@cache
def options(kind: type[T]) -> T:
    """The options of one stage, from the config files and the command line.

    Raises:
        SengaError: a value that cannot be used, in one sentence that names section and key.
    """
    section = next(name for name, known in SECTIONS.items() if known is kind)
    texts = _PARSERS[section]()
    try:
        values = {
            key.name: _value(section, key, getattr(texts, key.name))
            for key in fields(kind)  # type: ignore[arg-type]
        }
        return kind(**values)
    except OptionError as error:
        raise SengaError(str(error)) from error


def result_options(kind: type) -> dict[str, object]:
    """The options that change a stage's result, as plain data for its fingerprint."""
    chosen = options(kind)
    return {
        key.name: list(value) if isinstance(value, tuple) else value
        for key in fields(kind)
        if key.metadata["affects_result"]
        for value in [getattr(chosen, key.name)]
    }


def texts() -> dict[str, dict[str, str]]:
    """Every option as people write it: section, key, value."""
    return {
        name: {key.name: _text(getattr(options(kind), key.name)) for key in fields(kind)}
        for name, kind in SECTIONS.items()
    }


def model_options(model: str) -> Any:  # noqa: ANN401 - of the type that the model wants
    """The options of a sketch or line model, from the section of its name."""
    return options(SECTIONS[model])


@cache
def model_settings(model: str) -> dict[str, object]:
    """What a model's result depends on, as plain data for a fingerprint.

    Raises:
        SengaError: where its weights are a file that is not there.
    """
    more = registry.settings(model_options(model), options(GpuOptions))
    return {model: result_options(SECTIONS[model]) | more}


@cache
def check() -> None:
    """Refuses unknown sections and keys and unusable values, before anything runs.

    Raises:
        SengaError: the first thing that is wrong, in one sentence.
    """
    recipe = os.environ.get("LUIGI_CONFIG_PATH", "")
    if recipe and not Path(recipe).is_file():
        raise SengaError(f"LUIGI_CONFIG_PATH = {recipe}: there is no such file.")
    parser = get_config()
    for section in parser.sections():
        known = SECTIONS.get(section)
        if known is None:
            _check_section(section)
            continue
        keys = [key.name for key in fields(known)]
        for key in parser.options(section):
            if key.replace("-", "_") not in keys:
                raise SengaError(
                    f"[{section}] {key}: there is no such option; "
                    f"expected one of {', '.join(keys)}."
                )
    for kind in SECTIONS.values():
        options(kind)


_LUIGIS_OWN = {
    "core",
    "worker",
    "scheduler",
    "retcode",
    "resources",
    "logging",
    "execution_summary",
    "email",
    "smtp",
    "DEFAULT",
}


def _check_section(section: str) -> None:
    if section not in _LUIGIS_OWN:
        raise SengaError(
            f"[{section}]: there is no such section in the configuration; "
            f"expected one of {', '.join(SECTIONS)} or one of Luigi's own."
        )
