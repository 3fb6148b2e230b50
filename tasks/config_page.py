"""Write docs/configuration.md from the options themselves: `python -m tasks.config_page`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from configparser import ConfigParser
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from pipeline.demo.options import DemoOptions
from sketch_models.option import Options, expected, text_of
from tasks.config import SECTIONS
from tasks.prune import Prune
from tasks.retry_failed import RetryFailed
from tasks.train_colorizer import TrainColorizer
from tasks.train_lines import TrainLines

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "configuration.md"
COMMAND = "python -m tasks.config_page"

GROUPS = {
    "The build": ("build",),
    "Posts": ("metadata", "filter"),
    "Pictures": ("download", "screen"),
    "Sketches and lines": (
        "sketch",
        "tracer",
        "xdog",
        "sketchkeras",
        "simplify",
        "inker",
        "centerline",
        "simo_serra",
        "compute",
    ),
    "The files": ("split", "pack"),
    "Exports": ("export",),
    "Drawn pictures": ("artbook",),
    "The colorizer": ("colorizer", "hints", "augment", "losses", "train", "evaluate"),
    "The networks of lines": ("lines",),
}
"""Headings of the page, and the sections of the configuration under each."""

_HEAD = f"""# Configuration

All options and their defaults. `{COMMAND}` writes this page from the code; do not
edit it by hand.

The value of an option comes from these places; a later one overrides an earlier one:

1. its default in the code;
2. Senga's `luigi.cfg`, in whatever folder you are; if it sets another value than the default, the
   tables show it;
3. `luigi.cfg` in the current folder;
4. the file that the environment variable `LUIGI_CONFIG_PATH` names, such as a recipe of `configs/`.
   Senga's own recipes are found in every folder;
5. the command line: `size` of `[pack]` is `--pack-size`.

In Python, [`build_dataset`](python.md#build-a-dataset) takes options as keywords: `pack_size=128`.

```sh
make dataset CONFIG=configs/quick.cfg
LUIGI_CONFIG_PATH=configs/quick.cfg senga BuildDataset                  # the same
LUIGI_CONFIG_PATH=configs/quick.cfg senga BuildDataset --pack-size 96   # but smaller
senga BuildDataset --help          # the options of a build: meaning, unit, what holds now
senga BuildDataset --help-all      # every option, and Luigi's own
```

A recipe is an INI file in UTF-8. To set the option of the third command permanently, write into it:

```ini
[pack]
size = 96
```

A list is separated by commas or spaces: `all_tags = solo white_background`, and on the command line
`--filter-all-tags solo,white_background`. In a file it can span several lines. A boolean is
`true` or `false`, on the command line too: `--pack-sketches true`.

A comment begins with `#` or `;` at the beginning of a line, or between two spaces anywhere; so the
tags `;)` and `#compass` are tags, also on indented lines of their own. `%` is a character like any
other, `${{HOME}}` is the environment variable `HOME`, and `~` begins a path in the home folder.
Files are on this machine: there are no buckets, such as `s3://name`.

A section or option that is not on this page, or a value that is not valid, is an error before
anything runs. An option that was renamed is an error that gives its new name; the
[changelog](../CHANGELOG.md) lists them. So are a section or an option that a file has twice, and a
variable that the environment lacks. Luigi's own sections are allowed: `[core]`, `[worker]`,
`[scheduler]`, `[resources]` and so on.

What runs again after a change is in [architecture.md](architecture.md#a-re-run). The most important
options:

| option | |
|---|---|
| `[build] data`, `dataset`, `seed`, `shard_width` | folder, name, seed, ids per shard |
| `[metadata] source`, `csv`, `api_url` | the source of the posts |
| `[filter] all_tags`, `any_tags`, `none_tags`, `ratings`, `min_score`, `limit` | posts to keep |
| `[sketch] models`, `size` | sketch models, and long side of the sketches in pixels |
| `[simplify] model`, `sizes` | line model, and long sides of the line art in pixels |
| `[split] test_size` | size of the test set: a count, or a fraction below 1 |
| `[pack] size`, `fit` | side of the square pictures in pixels; `pad` or `crop` |
"""

_TASKS = """## Options of single tasks

`--workers` is an option of Luigi for all tasks: the number of processes, 1 by default. The codes
of `RetryFailed` are [outcome codes](sources.md#outcome-codes).
"""

_DEMO = """## The demo

`make demo` and `senga demo` do not read config files. [The demo](demo.md) has these
options on its command line:
"""


def page() -> str:
    """Return the text of docs/configuration.md."""
    return "\n".join([_HEAD, *_groups(), _TASKS, _task_table(), _DEMO, _demo_table()])


def _groups() -> Iterator[str]:
    luigi_cfg = ConfigParser(interpolation=None)
    luigi_cfg.read_string((TOP / "luigi.cfg").read_text(encoding="utf-8"))
    for heading, sections in GROUPS.items():
        yield f"## {heading}\n"
        for name in sections:
            options_type = SECTIONS[name]
            yield f"### `[{name}]`: {purpose(options_type)}\n"
            in_file = luigi_cfg[name] if luigi_cfg.has_section(name) else {}
            yield _table(
                ("option", "on the command line", "default", "value", "meaning"),
                (
                    (
                        f"`{key.name}`",
                        f"`{flag(name, key.name)}`",
                        _default(key, in_file),
                        expected(options_type, key),
                        _help(key),
                    )
                    for key in fields(options_type)
                ),
            )


def flag(section: str, key: str) -> str:
    """Return the flag of an option on the command line, such as `--filter-min-side`."""
    return f"--{section}-{key}".replace("_", "-")


def purpose(options_type: type[Options]) -> str:
    """Return the first clause of the docstring of a section, which says what it is for."""
    clause = re.split(r"[.;]", options_type.__doc__ or "")[0]
    return clause[0].lower() + clause[1:]


def _default(key: Field[Any], in_file: Mapping[str, str]) -> str:
    """Return the default of an option, and its value in luigi.cfg if that differs."""
    default = _code(text_of(key.default))
    value = _code(in_file[key.name]) if key.name in in_file else default
    return default if value == default else f"{default}; in `luigi.cfg` {value}"


def _code(text: str) -> str:
    return f"`{text}`" if text else "none"


def _help(key: Field[Any]) -> str:
    return str(key.metadata["help"]).replace("|", "\\|").replace("*", "\\*")


def _task_table() -> str:
    return _table(
        ("task", "option", "meaning"),
        (
            (f"`{task.task_family}`", f"`--{name}`", str(parameter.description))
            for task in (Prune, RetryFailed, TrainColorizer, TrainLines)
            for name, parameter in task.get_params()
        ),
    )


def _demo_table() -> str:
    return _table(
        ("option", "default", "value", "meaning"),
        (
            (
                _demo_flags(key),
                _code(text_of(key.default)),
                expected(DemoOptions, key),
                _help(key),
            )
            for key in fields(DemoOptions)
        ),
    )


def _demo_flags(key: Field[Any]) -> str:
    name = key.name.replace("_", "-")
    return f"`--{name}`, `--no-{name}`" if isinstance(key.default, bool) else f"`--{name}`"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Write the page."""
    argparse.ArgumentParser(prog=COMMAND, description=__doc__).parse_args()
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")


if __name__ == "__main__":
    main()
