"""The command `senga`: `luigi --module tasks`, with the help and the messages of Senga."""

from __future__ import annotations

import argparse
import inspect
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

import luigi
from luigi.configuration import get_config
from luigi.retcodes import run_with_retcodes
from luigi.task_register import Register

from pipeline.exit_code import EXIT_NOTHING_RAN
from pipeline.programs import PROGRAMS
from sketch_models.errors import ConfigError
from sketch_models.option import expected, nearest, text_of
from tasks import catalog
from tasks.config import LUIGI_SECTIONS, SECTIONS
from tasks.config_page import GROUPS, flag, purpose
from tasks.words import WORDS, expand

_STAGES = (
    "ImportMetadata",
    "FetchWeights",
    "FilterPosts",
    "DownloadShard",
    "ScreenShard",
    "SketchShard",
    "SimplifyShard",
    "SplitDataset",
    "PackDataset",
)
_TRAINING = ("Drawn pictures", "The colorizer")
_LINES = ("The networks of lines",)
_EXPORTS = ("Exports",)
_GROUPS_OF_TASKS = {
    "TrainColorizer": [name for name in GROUPS if name not in (*_LINES, *_EXPORTS)],
    "EvaluateColorizer": [name for name in GROUPS if name not in (*_LINES, *_EXPORTS)],
    "ExportDataset": [name for name in GROUPS if name not in (*_TRAINING, *_LINES)],
    "DrawPairs": ["The build", "Drawn pictures", "The files"],
    "TrainLines": ["The build", "Sketches and lines", *_LINES],
}
"""Groups of options that `--help` shows; of other tasks, those of a build."""

_LUIGI_FLAGS = {
    "--help": "show the options of a task",
    "--help-all": "show the options of all tasks",
    "--workers": "processes that work on shards at once: a whole number; default 1",
    "--scheduler-url": "address of luigid, if [core] local_scheduler = false",
}
_KINDS = {
    luigi.IntParameter: "a whole number",
    luigi.FloatParameter: "a number",
    luigi.BoolParameter: "true or false",
}

_RECIPE_GOES_BEFORE = "a recipe goes before: LUIGI_CONFIG_PATH={} senga build."
_DESCRIPTION = "Build datasets and train colorizers."
_EPILOG = """\
senga build --help lists the options of a command or a task. Those of tasks can
be in a config file, too: size = 96 in the section [pack] is --pack-size 96.
Config files are luigi.cfg in this folder, and the recipe that LUIGI_CONFIG_PATH
names."""


def run(arguments: Sequence[str]) -> NoReturn:
    """Run a task with Luigi, or print a help text.

    Args:
        arguments: of the command line.

    Raises:
        ConfigError: if there is no such task or option.
        SystemExit: with an exit code of [retcode]; 0 if everything is made.
    """
    expanded = expand(arguments)
    check(expanded, word=arguments[0] if arguments and arguments[0] in WORDS else "")
    run_with_retcodes(["--module", "tasks", *expanded])
    raise AssertionError("Luigi exits")


def check_for_luigi(arguments: Sequence[str]) -> None:
    """Check the command line of `luigi --module tasks`, while Luigi imports this package.

    Nothing is done if Luigi was asked for another module, whose tasks are not ours to check.

    Raises:
        SystemExit: with a sentence if there is no such task or option, or with a help text.
    """
    try:
        chosen, _ = _Parser().parse_known_args(arguments)
        if chosen.module == "tasks":
            check(arguments)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_NOTHING_RAN)


def check(arguments: Sequence[str], *, word: str = "") -> None:
    """Check a command line, or print a help text.

    Args:
        arguments: of the command line, with the name of a task.
        word: that stood for the task.

    Raises:
        ConfigError: if there is no such task or option.
        SystemExit: if it asks for a help text, which is printed.
    """
    arguments = ["--help" if word == "-h" else word for word in arguments]
    parser = _Parser()
    chosen, rest = parser.parse_known_args(arguments)
    if not arguments or (chosen.task is None and (chosen.help or chosen.help_all)):
        print(_overview())
        raise SystemExit(0)
    # An option that it does not know takes the task for its value.
    name = next((word for word in rest if word in catalog.__all__), chosen.task)
    if name is None:
        raise ConfigError(
            _unknown(rest[0], parser.flags)
            if rest
            else f"Name a task, such as BuildDataset. {_names()}"
        )
    task = _find_task(name)
    parser = _Parser(task)
    chosen, rest = parser.parse_known_args(arguments)
    if rest:
        raise ConfigError(_unknown(rest[0], parser.flags))
    if chosen.help or chosen.help_all:
        _Parser(task, word=word, show_all=chosen.help_all).print_help()
        raise SystemExit(0)
    _check_parameters(task, vars(chosen))
    _check_luigi(vars(chosen))


class _Parser(argparse.ArgumentParser):
    """A parser of all options; its help is for one task, and its errors are sentences.

    Attributes:
        flags: every option that it knows, such as `--pack-size`.
    """

    def __init__(
        self, task: type[luigi.Task] | None = None, *, word: str = "", show_all: bool = False
    ) -> None:
        """Add the options of Senga, then those of Luigi.

        Args:
            task: the task whose own options have a short name, too; there are none without it.
            word: that stood for the task.
            show_all: whether the help shows the options of every task, and Luigi's own.
        """
        name = task.get_task_family() if task else "TASK"
        super().__init__(
            prog="senga",
            usage=f"senga {_synopsis(word) or name} [options]",
            description=_describe(task, word) if task else _DESCRIPTION,
            epilog=_EPILOG,
            add_help=False,
            formatter_class=_Formatter,
        )
        self.flags: list[str] = []
        self.add_argument("task", nargs="?", help=argparse.SUPPRESS)
        if task:
            own = self.add_argument_group("options of this task")
            for key, parameter in task.get_params():
                self._add(own, f"--{key.replace('_', '-')}", parameter.description, parameter)
        shown = set(GROUPS) if show_all else _groups_of(name)
        for heading, sections in GROUPS.items():
            for section in sections:
                group = self.add_argument_group(f"[{section}]: {purpose(SECTIONS[section])}")
                for key, text in _options_of(section):
                    self._add(group, flag(section, key), text if heading in shown else None)
        self._add_luigi(show_all=show_all)

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError with a message of argparse."""
        advice = ""
        if message.endswith("expected one argument"):
            advice = ". A value that begins with - is written behind =, as in --filter-all-tags=-_-"
        raise ConfigError(f"{message.removeprefix('argument ')}{advice}.")

    def _add_luigi(self, *, show_all: bool) -> None:
        """Add Luigi's own options, and the old names of ours, which `tasks.config` refuses."""
        group = self.add_argument_group("of Luigi")
        for name, _, _, parameter in _luigi_options():
            if name not in self.flags:
                text = _LUIGI_FLAGS.get(name, parameter.description if show_all else None)
                self._add(group, name, text, parameter)

    def _add(
        self,
        group: Any,  # noqa: ANN401 - argparse has no public name for it
        name: str,
        text: str | None,
        parameter: luigi.Parameter | None = None,
    ) -> None:
        """Add an option to a group of the help; without a text it is hidden."""
        self.flags.append(name)
        is_switch = isinstance(parameter, luigi.BoolParameter)
        value = {"action": "store_true"} if is_switch else {"metavar": "VALUE"}
        shown = argparse.SUPPRESS if text is None else text.replace("%", "%%")
        group.add_argument(name, help=shown, **value)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """The layout of the help: options, and beside them their meaning."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34)


def _check_parameters(task: type[luigi.Task], given: Mapping[str, Any]) -> None:
    """Check the parameters of a task, which Luigi does with tracebacks.

    Raises:
        ConfigError: if one is missing, or is of another type.
    """
    for key, parameter in task.get_params():
        name = f"--{key.replace('_', '-')}"
        if given[key]:
            try:
                parameter.parse(str(given[key]))
            except ValueError as error:
                raise ConfigError(f"{name} {given[key]}: expected a whole number.") from error
        elif not parameter.has_task_value(task.get_task_family(), key):
            raise ConfigError(f"{task.get_task_family()} needs {name}: {parameter.description}.")


def _luigi_options() -> Iterator[tuple[str, str, str, luigi.Parameter[Any]]]:
    """Yield every option that Luigi knows: flag, section, key, parameter."""
    for section, is_without_section, key, parameter in Register.get_all_params():
        name = flag(section, key) if not is_without_section else f"--{key.replace('_', '-')}"
        yield name, section, key, parameter


def _check_luigi(given: Mapping[str, Any]) -> None:
    """Check Luigi's own settings, about which it has tracebacks, or waits for ever.

    Args:
        given: what the command line has, by the names of `argparse`.

    Raises:
        ConfigError: if one cannot be used.
    """
    config = get_config()
    for name, section, key, parameter in _luigi_options():
        text = given.get(name.removeprefix("--").replace("-", "_"))
        name = name if text else f"[{section}] {key}"
        text = text or config.get(section, key, "")
        if section not in LUIGI_SECTIONS or not isinstance(text, str) or not text:
            continue
        try:
            value = parameter.parse(text)
        except ValueError as error:
            kind = _KINDS.get(type(parameter))
            reason = f"expected {kind}" if kind else str(error)
            raise ConfigError(f"{name} = {text}: {reason}.") from error
        if key == "workers" and value < 1:
            raise ConfigError(f"{name} = {text}: expected a whole number of 1 or more.")
    for key, text in config.items("resources"):
        if not text.isdigit():
            raise ConfigError(f"[resources] {key} = {text}: expected a whole number of 0 or more.")
    log = config.get("core", "logging_conf_file", "")
    if not Path(log).is_file():
        raise ConfigError(
            f"[core] logging_conf_file = {log}: there is no such file. Without this option, "
            "the log is Senga's."
        )


def _options_of(section: str) -> Iterator[tuple[str, str]]:
    """Yield the keys of a section, and what each is: meaning, unit and limits, what holds now."""
    options_type = SECTIONS[section]
    for key in fields(options_type):
        value = get_config().get(section, key.name, text_of(key.default))
        limits = expected(options_type, key)
        yield key.name, f"{key.metadata['help']} ({limits}; default: {value or 'none'})"


def _groups_of(task: str) -> Collection[str]:
    """Return the headings of the options that the help of a task shows."""
    build = [name for name in GROUPS if name not in (*_TRAINING, *_LINES, *_EXPORTS)]
    return _GROUPS_OF_TASKS.get(task, build)


def _unknown(word: str, flags: Sequence[str]) -> str:
    """Return the sentence about a word of the command line that has no meaning."""
    name = word.partition("=")[0]
    if name.startswith("-"):
        return f"{name}: there is no such option.{nearest(name, flags)}"
    if word.endswith(".cfg"):
        return f"{word}: {_RECIPE_GOES_BEFORE.format(word)}"
    return (
        f"{word}: it belongs to no option. Several words are one value, with commas: "
        "--filter-all-tags solo,1girl."
    )


def _find_task(name: str) -> type[luigi.Task]:
    """Return a task by its name.

    Raises:
        ConfigError: if there is none.
    """
    if name in catalog.__all__:
        task: type[luigi.Task] = getattr(catalog, name)
        return task
    if name.endswith(".cfg"):
        raise ConfigError(f"{name}: expected a task; {_RECIPE_GOES_BEFORE.format(name)}")
    if name in WORDS or name in PROGRAMS:
        raise ConfigError(f"{name}: it goes right behind senga, as in senga {name} --help.")
    guess = nearest(name, [*catalog.__all__, *WORDS, *PROGRAMS]) or f" {_names()}"
    raise ConfigError(f"{name}: there is no such task.{guess}")


def _first_line(task: type[luigi.Task]) -> str:
    return (inspect.getdoc(task) or "").partition("\n")[0]


def _names() -> str:
    """Return the names of all commands and tasks, in two sentences."""
    return f"Commands: {', '.join([*WORDS, *PROGRAMS])}. Tasks: {', '.join(catalog.__all__)}."


def _describe(task: type[luigi.Task], word: str) -> str:
    if not word or not WORDS[word].takes_folder:
        return _first_line(task)
    return (
        f"{_first_line(task)}\nThe posts are those of the configuration, or the pictures of "
        f"FOLDER: senga {word} pictures."
    )


def _synopsis(word: str) -> str:
    return f"{word} [FOLDER]" if word and WORDS[word].takes_folder else word


def _overview() -> str:
    """Return the help of the command without a task."""
    commands = {name: word.purpose for name, word in WORDS.items()}
    commands |= {name: program.purpose for name, program in PROGRAMS.items()}
    tasks = {name: _first_line(getattr(catalog, name)) for name in catalog.__all__}
    stages = {name: tasks.pop(name) for name in _STAGES}
    return "\n".join(
        [
            *("usage: senga COMMAND [options]", "       senga TASK [options]", ""),
            *(_DESCRIPTION, "", *_listing(commands), ""),
            *("The tasks, which luigi --module tasks TASK runs, too:", *_listing(tasks), ""),
            *("The stages, all of which BuildDataset runs:", *_listing(stages), ""),
            _EPILOG,
        ]
    )


def _listing(purposes: Mapping[str, str]) -> Iterator[str]:
    """Yield lines of names, and beside each its purpose."""
    width = shutil.get_terminal_size().columns - 2
    for name, text in purposes.items():
        yield textwrap.fill(text, width, initial_indent=f"  {name:20}", subsequent_indent=" " * 22)
