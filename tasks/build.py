"""Build a dataset from Python: what `senga BuildDataset` does, as a function."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from pipeline.posts.frame import source_of, write_frame
from pipeline.posts.options import OWN_SOURCES
from pipeline.store import Dataset
from sketch_models.errors import ConfigError, DatasetError, SengaError, WeightsError
from sketch_models.option import nearest, renamed_keys, text_of
from tasks import config_files
from tasks.config import SECTIONS, BuildOptions, dataset_name
from tasks.config_files import Config
from tasks.terminal import ERRORS_VARIABLE

_FOLDER = Path(__file__).parent

_NO_RULES = {
    "tags": {"all_tags": "", "any_tags": "", "none_tags": ""},
    "rating": {"ratings": "s q e"},
    "score": {"min_score": "0"},
    "sample_width": {"min_side": "0", "max_side": "0"},
}
"""Options of [filter] without rules on a column, by the name of that column in Kaggle's layout."""

_ERRORS = {error.__name__: error for error in (ConfigError, DatasetError, WeightsError)}
_STARTS_WITH_OPTION = re.compile(r"\[(\w+)\] \w+ = ")


@dataclass(frozen=True)
class BuiltDataset:
    """The files of a finished build.

    Attributes:
        folder: the folder of the dataset, for `read_posts` and the like.
        train: the file to train from.
        test: the file to test with.
        report: the page that shows how they were made.
    """

    folder: Path
    train: Path
    test: Path
    report: Path


def build_dataset(
    posts: pd.DataFrame | None = None,
    *,
    recipe: str | Path | None = None,
    data: str | Path | None = None,
    dataset: str | None = None,
    workers: int = 1,
    **options: object,
) -> BuiltDataset:
    """Build `train.h5`, `test.h5` and `report.html`, as `senga BuildDataset` does.

    Without arguments it is the sample dataset, which needs no network. What is built already, and
    from the same posts and options, is not built again.

        >>> build = build_dataset(pack_size=128, filter_all_tags=["solo", "1girl"])
        >>> build.train.exists()
        True

    It runs in a process of its own, whose progress goes to the standard error.

    Args:
        posts: the posts to build from; those of the configured source if None. A row per post,
            with the columns id and url, and if known created_at, rating, score, width, height and
            tags, as `read_posts` returns them; or with the columns of Kaggle's CSV. The rules of
            the filter apply to them, except those on columns that the table lacks. Hosts other
            than safebooru.org must be allowed: `download_hosts=["cdn.example.org"]`.
        recipe: a config file, such as `configs/quick.cfg`; that of LUIGI_CONFIG_PATH if None.
        data: folder that holds all datasets; `[build] data`, which is `data`, if None.
        dataset: name of the dataset, a folder in it; `[build] dataset`, which is `sample`, if None.
        workers: processes that work on shards at once.
        **options: any option of the configuration: `pack_size=128` is size in the section [pack],
            `--pack-size 128` on the command line. A list is several words.

    Returns:
        Where the files are.

    Raises:
        ConfigError: if an option is wrong, or there is no such option.
        SengaError: if the dataset cannot be built; the message says why, and what to do.
    """
    config = config_files.read(recipe)
    if workers < 1:
        raise ConfigError(f"workers = {workers}: expected a whole number of 1 or more.")
    given = {_section_and_key(name): _text(value) for name, value in options.items()}
    if data is not None:
        given["build", "data"] = str(data)
    if dataset is not None:
        given["build", "dataset"] = dataset
    _set(config, given)
    paths = _dataset_paths(config)
    if posts is not None:
        _set_posts(posts, paths.frame(), config, given)
    _run(config, workers)
    return BuiltDataset(
        folder=paths.root,
        train=paths.newest("train.h5"),
        test=paths.newest("test.h5"),
        report=paths.newest("report.html"),
    )


def _set(config: Config, values: Mapping[tuple[str, str], str]) -> None:
    """Set values by section and key."""
    for (section, key), text in values.items():
        config.put(section, key, text)


def _section_and_key(name: str) -> tuple[str, str]:
    """Return section and key of an option; its old name too, which the build refuses.

    Args:
        name: the keyword of `build_dataset`, such as `pack_size`.

    Raises:
        ConfigError: if there is no such option.
    """
    current = {
        f"{section}_{key.name}": (section, key.name)
        for section, options_type in SECTIONS.items()
        for key in fields(options_type)
    }
    old = {
        f"{section}_{key}": (section, key)
        for options_type in SECTIONS.values()
        for section, keys in (
            (options_type.section, list(renamed_keys(options_type))),
            (
                options_type.section_renamed_from,
                [key.name for key in fields(options_type)],
            ),
        )
        for key in keys
        if section
    }
    if name in current or name in old:
        return current.get(name) or old[name]
    raise ConfigError(f"{name}: there is no such option.{nearest(name, current)}")


def _text(value: object) -> str:
    """Return an option's value as people write it in a config file."""
    return text_of(tuple(value) if isinstance(value, (list, tuple)) else value)


def _dataset_paths(config: Config) -> Dataset:
    """Return the paths of the configured dataset.

    Raises:
        ConfigError: if [build] data or dataset cannot be used.
    """
    defaults = BuildOptions()
    data = config.get("build", "data", fallback=defaults.data)
    data = config_files.expand(data, "[build] data")
    name = config.get("build", "dataset", fallback=defaults.dataset)
    places = [config.get("metadata", source, fallback="") for source in OWN_SOURCES]
    if any(places) and ("build", "dataset") not in config.given:
        name = dataset_name(next(filter(None, places)))
    return Dataset(BuildOptions(data=data, dataset=name).folder)


def _set_posts(
    posts: pd.DataFrame, path: Path, config: Config, given: Mapping[tuple[str, str], str]
) -> None:
    """Write a table of posts, and make it the configured source.

    Args:
        posts: the table, as `build_dataset` takes it.
        path: the Parquet file to write.
        config: the configuration to change.
        given: the options that the caller gave, by section and key; these stay as they are.

    Raises:
        ConfigError: if the caller has given another source, too.
        DatasetError: if the table lacks a column, or has no row.
    """
    if any(section == "metadata" for section, _ in given):
        raise ConfigError("posts and an option of [metadata] are given. Leave one of them out.")
    write_frame(posts, path)
    _set(config, {("metadata", source): "" for source in OWN_SOURCES})
    _set(config, {("metadata", "source"): "csv", ("metadata", "csv"): str(path)})
    for column, options in _NO_RULES.items():
        if source_of(column, posts) is None:
            values = {("filter", key): text for key, text in options.items()}
            _set(config, {key: text for key, text in values.items() if key not in given})


def _run(config: Config, workers: int) -> None:
    """Build the configured dataset with Luigi; raise the error that stopped it."""
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset"]
    with tempfile.TemporaryDirectory() as temporary:
        recipe, errors = Path(temporary) / "recipe.cfg", Path(temporary) / "errors.jsonl"
        with recipe.open("w", encoding="utf-8") as file:
            config.only_given().write(file)  # the process reads Senga's own values itself
        paths = [str(_FOLDER.parent), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "LUIGI_CONFIG_PATH": str(recipe),
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "PYTHONSAFEPATH": "1",  # else a folder `tasks` of the caller's would be imported
            ERRORS_VARIABLE: str(errors),
        }
        status = _watch([*command, f"--workers={workers}"], environment)
        if status:
            lines = errors.read_text(encoding="utf-8").splitlines() if errors.exists() else []
            raise _to_error([json.loads(line) for line in lines], status)


def _watch(command: list[str], environment: Mapping[str, str]) -> int:
    """Run a command, and show its standard error; return its exit status."""
    # A notebook's standard error is no file that a process could write to.
    can_inherit = sys.stderr is sys.__stderr__
    with subprocess.Popen(  # noqa: S603 - Luigi
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=None if can_inherit else subprocess.PIPE,
        text=True,
    ) as process:
        try:
            for line in process.stderr or ():
                sys.stderr.write(line)
            return process.wait()
        except BaseException:
            process.kill()  # its workers end with it
            raise


def _to_error(lines: list[dict[str, str]], status: int) -> SengaError:
    """Return the errors that the terminal showed as one.

    Args:
        lines: class and message of each, as `tasks.terminal` wrote them.
        status: exit status of Luigi.
    """
    if not lines:
        return SengaError(
            f"The build ended with exit status {status}. See what it wrote to the standard error."
        )
    message = "\n".join(line["message"] for line in lines)
    option = _STARTS_WITH_OPTION.match(message)
    if option and option[1] in SECTIONS:
        return ConfigError(message)
    return _ERRORS.get(lines[0]["class"], SengaError)(message)
