"""The configuration: sections of luigi.cfg, made from the options classes, and their values.

Each options class of `pipeline` and `sketch_models` is one section; its fields are the keys,
in the file as `[filter] min_side = 512` and on the command line as `--filter-min-side 512`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import Field, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import luigi
from luigi.cmdline_parser import CmdlineParser
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
from pipeline.export.options import ExportOptions
from pipeline.line_training.options import LineOptions
from pipeline.pack.pack import PackOptions
from pipeline.pack.split import SplitOptions
from pipeline.pairs.options import ArtbookOptions
from pipeline.posts.filter import FilterOptions
from pipeline.posts.options import OWN_SOURCES, MetadataOptions
from pipeline.screen.screen import ScreenOptions
from sketch_models import registry
from sketch_models.centerline import CenterlineOptions
from sketch_models.errors import ConfigError
from sketch_models.network_options import (
    ComputeOptions,
    InkerOptions,
    SimoSerraOptions,
    SketchKerasOptions,
    TracerOptions,
)
from sketch_models.option import (
    Options,
    expected,
    nearest,
    option,
    renamed_keys,
    settings_of,
    text_of,
    types_of,
)
from sketch_models.weights.cache import expand_path
from sketch_models.xdog import XdogOptions
from tasks import config_files
from tasks.interrupt import handle_interrupts
from tasks.start_method import choose_fork


@dataclass(frozen=True, kw_only=True)
class BuildOptions(Options, section="build"):
    """What belongs to no single stage."""

    data: str = option("data", "folder that holds all datasets", affects_result=False, path=True)
    dataset: str = option("sample", "name of the dataset, a folder in it", affects_result=False)
    seed: int = option(0, "seed of everything random, combined with stage and post id")
    shard_width: int = option(
        20_000, "post ids per shard; a build works best with 4 to 150 shards", at_least=1
    )

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        plain = self.dataset.replace("_", "").replace("-", "").isalnum()
        self.require(bool(self.data), "data", "the path of a folder")
        self.require(plain, "dataset", "a name of letters, digits, - and _")

    @property
    def folder(self) -> Path:
        """The folder of the dataset."""
        return expand_path(self.data) / self.dataset


SECTIONS: dict[str, type[Options]] = {
    options_type.section: options_type
    for options_type in (
        BuildOptions,
        MetadataOptions,
        FilterOptions,
        DownloadOptions,
        ScreenOptions,
        SketchOptions,
        TracerOptions,
        XdogOptions,
        SketchKerasOptions,
        SimplifyOptions,
        InkerOptions,
        CenterlineOptions,
        SimoSerraOptions,
        ComputeOptions,
        SplitOptions,
        PackOptions,
        ExportOptions,
        ArtbookOptions,
        NetworkOptions,
        HintOptions,
        AugmentOptions,
        LossOptions,
        TrainOptions,
        EvaluateOptions,
        LineOptions,
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
"""The parser of a value by the type of its field; raises ValueError or KeyError."""


def _section(options_type: type[Options]) -> type[luigi.Config]:
    """Return a Luigi section whose keys are the fields of an options class, as text.

    The keys of the version before are among them, so that `options` can refuse them by name.
    """
    keys = {
        key.name: luigi.Parameter(default=text_of(key.default), description=key.metadata["help"])
        for key in fields(options_type)
    }
    old = {
        name: luigi.Parameter(default="", description=f"renamed: use {new}")
        for name, new in renamed_keys(options_type).items()
    }
    members = {"__module__": __name__, "__doc__": options_type.__doc__, **keys, **old}
    return type(options_type.section, (luigi.Config,), members)


def _old_section(options_type: type[Options]) -> type[luigi.Config]:
    """Return a section under its name of the version before, so that `check` can refuse it."""
    keys = {
        key.name: luigi.Parameter(default="", description=f"renamed: use [{options_type.section}]")
        for key in fields(options_type)
    }
    return type(
        options_type.section_renamed_from, (luigi.Config,), {"__module__": __name__, **keys}
    )


_CONFIGS = {options_type: _section(options_type) for options_type in SECTIONS.values()}
_OLD_CONFIGS = {
    options_type: _old_section(options_type)
    for options_type in SECTIONS.values()
    if options_type.section_renamed_from
}


def _parse(options_type: type[Options], key: Field[Any], text: str) -> object:
    try:
        return _PARSERS[types_of(options_type)[key.name]](text)
    except (ValueError, KeyError):
        name = options_type.name_of(key.name)
        shown = text if text.strip() else repr(text)
        raise ConfigError(f"{name} = {shown}: expected {expected(options_type, key)}.") from None


_cache: dict[type[Options], Options] = {}


def options(options_type: type[T]) -> T:
    """Return the options of one section, from the config files and the command line.

    Raises:
        ConfigError: if a value cannot be used; the message names section and key.
    """
    if options_type not in _cache:
        _cache[options_type] = _read_options(options_type)
    return cast("T", _cache[options_type])


def _read_options(options_type: type[Options]) -> Options:
    """Parse and check one section; an old name or an old choice is refused with its new name."""
    texts = _CONFIGS[options_type]()
    for old in renamed_keys(options_type):
        if getattr(texts, old):  # from the command line
            _raise_renamed_key(options_type, old)
    values: dict[str, Any] = {}
    for key in fields(options_type):
        text = getattr(texts, key.name)
        if _is_empty_on_command_line(options_type.section, key.name):
            text = ""
        if options_type is not MetadataOptions:
            own = _default_for_own_pictures(options_type.section, key.name)
            text = text if own is None else own
        if text in key.metadata["renamed_choices"]:
            new = key.metadata["renamed_choices"][text]
            option_name = options_type.name_of(key.name)
            raise ConfigError(f"{option_name} = {text}: it is called {new} now: rename it.")
        values[key.name] = _parse(options_type, key, text)
    return options_type(**values)


def dataset_name(place: str) -> str:
    """Return the name of a dataset of a person's file or folder: its own, as far as plain."""
    path = expand_path(place).resolve()
    own = path.name.partition(".")[0] if path.is_file() else path.name
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", own).strip("_")
    return name if name.strip("-_") else "pictures"


def _default_for_own_pictures(section: str, key: str) -> str | None:
    """Return an option's default if the pictures are a person's own; None if it is the usual one.

    The usual ones are those of the sample, and of the paper for Safebooru.
    """
    metadata = options(MetadataOptions)
    if metadata.source not in OWN_SOURCES or config_files.is_given(section, key):
        return None
    parser = CmdlineParser.get_instance()
    if parser and getattr(parser.known_args, f"{section}_{key}", None) is not None:
        return None
    return {
        "[build] dataset": dataset_name(metadata.place),
        "[build] shard_width": "20000",  # ids of boards go to millions
        "[filter] all_tags": "",
        "[filter] none_tags": "",
        "[filter] ratings": "s q e",
        "[split] test_size": "0.05",
    }.get(f"[{section}] {key}")


def _is_empty_on_command_line(section: str, key: str) -> bool:
    """Return whether an option is `--filter-none-tags=`, which Luigi takes for not given."""
    parser = CmdlineParser.get_instance()
    return parser is not None and getattr(parser.known_args, f"{section}_{key}", None) == ""


def result_options(options_type: type[Options]) -> dict[str, object]:
    """Return the options of one section that change a result, as plain data for a fingerprint."""
    return settings_of(options(options_type))


def texts() -> dict[str, dict[str, str]]:
    """Return every option as people write it, by section and key."""
    return {
        name: {
            key.name: text_of(getattr(options(options_type), key.name))
            for key in fields(options_type)
        }
        for name, options_type in SECTIONS.items()
    }


def model_options(model: str) -> Any:  # noqa: ANN401 - its type depends on the model
    """Return the options of a sketch or line model, from the section of its name."""
    return options(SECTIONS[model])


@cache
def model_settings(model: str) -> dict[str, object]:
    """Return what a model's result depends on, as plain data for a fingerprint.

    Raises:
        SengaError: if its weights are a file that does not exist.
    """
    identity = registry.settings(model_options(model), options(ComputeOptions))
    return {model: result_options(SECTIONS[model]) | identity}


@cache
def check() -> None:
    """Refuse unknown sections and keys and unusable values, before anything runs.

    This also sets up the process that every task is first made in.

    Raises:
        ConfigError: for the first of them, in one sentence.
    """
    config_files.raise_error()
    parser = get_config()
    for section in parser.sections():
        if section in SECTIONS:
            _check_keys(SECTIONS[section], parser.options(section))
        else:
            _check_section(section)
    for options_type, old in _OLD_CONFIGS.items():
        if any(old().param_kwargs.values()):
            _raise_renamed(options_type)
    for options_type in SECTIONS.values():
        options(options_type)
    choose_fork()
    handle_interrupts()


def _raise_renamed(options_type: type[Options]) -> None:
    raise ConfigError(
        f"[{options_type.section_renamed_from}] is called [{options_type.section}] now: rename it."
    )


def _raise_renamed_key(options_type: type[Options], old: str) -> None:
    new = renamed_keys(options_type)[old]
    raise ConfigError(f"{options_type.name_of(old)} is called {new} now: rename it.")


def _check_keys(options_type: type[Options], keys: Iterable[str]) -> None:
    names = [key.name for key in fields(options_type)]
    for key in keys:
        name = key.replace("-", "_")
        if name in renamed_keys(options_type):
            _raise_renamed_key(options_type, name)
        if name not in names:
            raise ConfigError(
                f"[{options_type.section}] {key}: there is no such option."
                f"{_in_another_section(name) or nearest(name, names)} "
                f"Options of this section: {', '.join(names)}."
            )


def _in_another_section(key: str) -> str:
    """Return a sentence that names the sections that have a key; empty if none has."""
    sections = [
        f"[{name}]"
        for name, options_type in SECTIONS.items()
        if key in [other.name for other in fields(options_type)]
    ]
    return f" It is an option of {' and of '.join(sections)}." if sections else ""


LUIGI_SECTIONS = {
    "core",
    "worker",
    "scheduler",
    "retcode",
    "resources",
    "logging",
    "execution_summary",
    "email",
    "smtp",
}
"""Sections of Luigi's own that a config file may have."""


def _check_section(section: str) -> None:
    for options_type in SECTIONS.values():
        if section == options_type.section_renamed_from:
            _raise_renamed(options_type)
    if section not in LUIGI_SECTIONS:
        names = [f"[{name}]" for name in SECTIONS]
        raise ConfigError(
            f"[{section}]: there is no such section in the configuration."
            f"{nearest(f'[{section}]', names)} Sections: {', '.join(SECTIONS)}, and Luigi's own."
        )
