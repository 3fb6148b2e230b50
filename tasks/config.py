"""The sections of luigi.cfg, made from the options of the stages.

Each options class of `pipeline` and `sketch_models` is one section; its fields are the keys,
in the file as `[filter] min_side = 512` and on the command line as `--filter-min-side 512`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import Field, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

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
from sketch_models.errors import ConfigError
from sketch_models.network_options import ComputeOptions, SimoSerraOptions, SketchKerasOptions
from sketch_models.option import (
    Options,
    expected,
    option,
    renamed_keys,
    settings_of,
    text_of,
    types_of,
)
from sketch_models.xdog import XdogOptions


@dataclass(frozen=True, kw_only=True)
class BuildOptions(Options, section="build"):
    """What belongs to no single stage."""

    data: str = option("data", "folder that holds all datasets", affects_result=False)
    dataset: str = option("sample", "name of the dataset, a folder in it", affects_result=False)
    seed: int = option(0, "feeds everything random, by stage and post id")
    shard_width: int = option(
        20_000, "post ids per shard; a build works best with 4 to 150 shards", at_least=1
    )

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        plain = self.dataset.replace("_", "").replace("-", "").isalnum()
        self.require(plain, "dataset", "a name of letters, digits, - and _")


SECTIONS: dict[str, type[Options]] = {
    kind.section: kind
    for kind in (
        BuildOptions,
        MetadataOptions,
        FilterOptions,
        DownloadOptions,
        ScreenOptions,
        SketchOptions,
        XdogOptions,
        SketchKerasOptions,
        SimplifyOptions,
        CenterlineOptions,
        SimoSerraOptions,
        ComputeOptions,
        SplitOptions,
        PackOptions,
        NetworkOptions,
        HintOptions,
        AugmentOptions,
        LossOptions,
        TrainOptions,
        EvaluateOptions,
    )
}
"""Every options class, by its section, in the order of the stages."""

T = TypeVar("T", bound=Options)


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


_PARSERS: dict[Any, Callable[[str], object]] = {
    bool: lambda text: {"true": True, "false": False}[text.strip().lower()],
    int: lambda text: int(text.replace("_", "")),
    float: float,
    str: str.strip,
    tuple[str, ...]: lambda text: tuple(_words(text)),
    tuple[int, ...]: lambda text: tuple(int(word) for word in _words(text)),
}
"""How a value is read from its text, by the type of its field; ValueError or KeyError if not."""


def _section(kind: type[Options]) -> type[luigi.Config]:
    """A Luigi section whose keys are the fields of an options class, as text.

    Keys of the version before are among them, so that `check` can say how they are called now.
    """
    keys = {
        key.name: luigi.Parameter(default=text_of(key.default), description=key.metadata["help"])
        for key in fields(kind)  # type: ignore[arg-type]
    }
    old = {
        name: luigi.Parameter(default="", description=f"renamed: use {new}")
        for name, new in renamed_keys(kind).items()
    }
    members = {"__module__": __name__, "__doc__": kind.__doc__, **keys, **old}
    return type(kind.section, (luigi.Config,), members)


def _old_section(kind: type[Options]) -> type[luigi.Config]:
    """A section under its name of the version before, for `check` to say how it is called now."""
    keys = {
        key.name: luigi.Parameter(default="", description=f"renamed: use [{kind.section}]")
        for key in fields(kind)  # type: ignore[arg-type]
    }
    return type(kind.section_renamed_from, (luigi.Config,), {"__module__": __name__, **keys})


_CONFIGS = {kind: _section(kind) for kind in SECTIONS.values()}
_OLD_CONFIGS = {kind: _old_section(kind) for kind in SECTIONS.values() if kind.section_renamed_from}


def _parse(kind: type[Options], key: Field[Any], text: str) -> object:
    try:
        return _PARSERS[types_of(kind)[key.name]](text)
    except (ValueError, KeyError):
        wanted = expected(kind, key)
        raise ConfigError(f"{kind.name_of(key.name)} = {text}: expected {wanted}.") from None


_read: dict[type[Options], Options] = {}


def options(kind: type[T]) -> T:
    """The options of one stage, from the config files and the command line.

    Raises:
        ConfigError: if a value cannot be used; the sentence names section and key.
    """
    if kind not in _read:
        _read[kind] = _options(kind)
    return cast("T", _read[kind])


def _options(kind: type[Options]) -> Options:
    texts = _CONFIGS[kind]()
    for old, new in renamed_keys(kind).items():
        if getattr(texts, old):
            raise ConfigError(f"{kind.name_of(old)} is called {new} now: rename it.")
    values: dict[str, Any] = {}
    for key in fields(kind):  # type: ignore[arg-type]
        text = getattr(texts, key.name)
        if text in key.metadata["renamed_choices"]:
            new = key.metadata["renamed_choices"][text]
            raise ConfigError(
                f"{kind.name_of(key.name)} = {text}: this choice is called {new} now: rename it."
            )
        values[key.name] = _parse(kind, key, text)
    return kind(**values)


def result_options(kind: type[Options]) -> dict[str, object]:
    """The options that change a stage's result, as plain data for its fingerprint."""
    return settings_of(options(kind))


def texts() -> dict[str, dict[str, str]]:
    """Every option as people write it: section, key, value."""
    return {
        name: {
            key.name: text_of(getattr(options(kind), key.name))
            for key in fields(kind)  # type: ignore[arg-type]
        }
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
    more = registry.settings(model_options(model), options(ComputeOptions))
    return {model: result_options(SECTIONS[model]) | more}


@cache
def check() -> None:
    """Refuses unknown sections and keys and unusable values, before anything runs.

    Raises:
        ConfigError: the first thing that is wrong, in one sentence.
    """
    recipe = os.environ.get("LUIGI_CONFIG_PATH", "")
    if recipe and not Path(recipe).is_file():
        raise ConfigError(f"LUIGI_CONFIG_PATH = {recipe}: there is no such file.")
    parser = get_config()
    for section in parser.sections():
        if section in SECTIONS:
            _check_keys(SECTIONS[section], parser.options(section))
        else:
            _check_section(section)
    for kind, old in _OLD_CONFIGS.items():
        if any(old().param_kwargs.values()):
            _raise_renamed(kind)
    for kind in SECTIONS.values():
        options(kind)


def _raise_renamed(kind: type[Options]) -> None:
    raise ConfigError(f"[{kind.section_renamed_from}] is called [{kind.section}] now: rename it.")


def _check_keys(kind: type[Options], keys: Iterable[str]) -> None:
    known = [key.name for key in fields(kind)]  # type: ignore[arg-type]
    old = renamed_keys(kind)
    for key in keys:
        name = key.replace("-", "_")
        if name not in known and name not in old:  # `options` tells the new name of an old one
            raise ConfigError(
                f"[{kind.section}] {key}: there is no such option. "
                f"Options of this section: {', '.join(known)}."
            )


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
    for kind in SECTIONS.values():
        if section == kind.section_renamed_from:
            _raise_renamed(kind)
    if section not in _LUIGIS_OWN:
        raise ConfigError(
            f"[{section}]: there is no such section in the configuration. "
            f"Sections: {', '.join(SECTIONS)}, and Luigi's own."
        )
