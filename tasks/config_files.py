"""The config files: where they are, and what is written in them.

Luigi reads config files by itself when it is imported, in a dialect with surprises for people who
write tags and paths: `%` and lines that begin with `#` or `;` are not themselves. So the files are
read here, on top of Senga's defaults, and Luigi gets the result in place of its own reading.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from configparser import ConfigParser
from pathlib import Path

from sketch_models.errors import ConfigError
from sketch_models.weights.cache import expand_path

RECIPE_VARIABLE = "LUIGI_CONFIG_PATH"
"""Environment variable: the recipe, which is read last."""

_FOLDER = Path(__file__).parent
DEFAULTS = _FOLDER / "luigi.cfg"
"""The luigi.cfg that comes with Senga."""
RECIPES = _FOLDER / "recipes"
"""The folder of the recipes that come with Senga, which are `configs/` in the repository."""

_LOGGING = _FOLDER / "logging.ini"
_OPTIONAL = (Path("/etc/luigi/luigi.cfg"), Path("luigi.cfg"))  # where Luigi itself looks

# A marker that stands alone: `;)` and `#compass` are tags.
_COMMENT = re.compile(r"(?:^|\s+)[#;](?:\s.*)?$")
_OPTION_SWITCHED_OFF = re.compile(r"\s*[#;]\s*\w+\s*=")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_MARKS = {  # at the beginning of a file
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\xef\xbb\xbf": "UTF-8 with a byte order mark",
}


class Config(ConfigParser):
    """Sections, keys and values, as people wrote them; a key has `_` for `-`.

    Attributes:
        given: section and key of each value that is not from the luigi.cfg that comes with Senga.
    """

    def __init__(self) -> None:
        super().__init__(
            interpolation=None,
            comment_prefixes=(),  # `_without_comments` has removed them
            default_section="",  # so that [DEFAULT] is a section like any other
        )
        self.given: set[tuple[str, str]] = set()

    def optionxform(self, optionstr: str) -> str:
        """Return a key as it is looked up."""
        return optionstr.strip().replace("-", "_")

    def put(self, section: str, key: str, text: str) -> None:
        """Set a value; make its section if there is none.

        Raises:
            ConfigError: if a config file cannot hold the value.
        """
        if _COMMENT.search(text):
            raise ConfigError(f"[{section}] {key} = {text}: expected no # or ; between spaces.")
        if not self.has_section(section):
            self.add_section(section)
        self.set(section, key, text)
        self.given.add((section, key))

    def only_given(self) -> Config:
        """Return the values that are not from the luigi.cfg that comes with Senga."""
        config = Config()
        for section, key in sorted(self.given):
            config.put(section, key, self.get(section, key))
        return config


def read(recipe: str | Path | None = None) -> Config:
    """Return what holds: Senga's defaults, luigi.cfg of the current folder, and the recipe.

    Args:
        recipe: a config file; that of LUIGI_CONFIG_PATH if None.

    Raises:
        ConfigError: if a file is missing, or cannot be read; the message names file and line.
    """
    config = defaults()
    for path in _OPTIONAL:
        if path.is_file():
            _read_file(config, path)
    # A luigi.cfg that is copied from Senga's, as in its repository, says nothing by its values.
    own = defaults()
    config.given -= {
        each for each in config.given if own.get(*each, fallback=None) == config.get(*each)
    }
    if recipe:
        _read_file(config, find_recipe(recipe, "recipe"))
    elif named := os.environ.get(RECIPE_VARIABLE):
        _read_file(config, find_recipe(named, RECIPE_VARIABLE))
    return config


def defaults() -> Config:
    """Return Senga's defaults, which hold in every folder."""
    config = Config()
    config.put("core", "logging_conf_file", str(_LOGGING))
    _read_file(config, DEFAULTS)
    config.given.clear()
    return config


def find_recipe(name: str | Path, given_by: str) -> Path:
    """Return the path of a recipe: a file, or one of Senga's, such as `configs/quick.cfg`.

    Args:
        name: as people write it; where Senga is installed without its repository, there is no
            folder `configs`.
        given_by: what named it, for the message.

    Raises:
        ConfigError: if there is no such file.
    """
    path = expand_path(str(name))
    if path.is_file():
        return path
    if path.is_dir():
        raise ConfigError(f"{given_by} = {name}: it is a folder. Name a config file in it.")
    ours = {f"configs/{file.name}": file for file in sorted(RECIPES.glob("*.cfg"))}
    if str(path) in ours:
        return ours[str(path)]
    advice = f" Senga's recipes: {', '.join(ours)}." if path.parent == Path("configs") else ""
    raise ConfigError(f"{given_by} = {name}: there is no such file.{advice}")


def expand(value: str, name: str) -> str:
    """Return a value with the environment variables that it names as `${HOME}`.

    Args:
        value: of an option.
        name: of the option, for the message.

    Raises:
        ConfigError: if there is no such variable.
    """

    def of_environment(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise ConfigError(f"{name} = {value}: the environment has no variable {found[1]}.")
        return os.environ[found[1]]

    return _VARIABLE.sub(of_environment, value)


_deferred: list[ConfigError] = []  # what `install` could not raise
_given: set[tuple[str, str]] = set()  # what the installed configuration has of a person


def install() -> None:
    """Give Luigi the configuration that `read` returns.

    Raises:
        ConfigError: if a file is missing or cannot be read. Luigi's own command is told by
            `raise_error`, when it can show a message.
    """
    is_luigi_running = "luigi" in sys.modules
    try:
        config = read()
        if named := os.environ.get(RECIPE_VARIABLE):  # Luigi and child processes find it, too
            os.environ[RECIPE_VARIABLE] = str(find_recipe(named, RECIPE_VARIABLE))
    except ConfigError as error:
        if not is_luigi_running:
            raise
        config = defaults()
        _deferred.append(error)

    from luigi.configuration import get_config

    _given.clear()
    _given.update(config.given)
    luigi_config = get_config()
    luigi_config.clear()
    luigi_config.defaults().clear()
    for section in config.sections():
        for key, text in config.items(section):
            luigi_config.set(section, key, text.replace("%", "%%"))  # %(name)s is a reference


def is_given(section: str, key: str) -> bool:
    """Return whether a person's config file has a value, not only the one that comes with Senga."""
    return (section, key) in _given


def raise_error() -> None:
    """Raise what `install` could not raise.

    Raises:
        ConfigError: if a config file is missing or cannot be read.
    """
    if _deferred:
        raise _deferred[0]


def _read_file(config: Config, path: Path) -> None:
    """Read a file; its values replace those that were read before."""
    own = Config()
    try:
        own.read_string(_without_comments(_decode(path)), str(path))
    except configparser.Error as error:
        raise ConfigError(f"{path}{_explain(error)}") from error
    if own.has_section("DEFAULT"):
        raise ConfigError(
            f"{path}: [DEFAULT] is none of Senga's sections. Write each option in its own."
        )
    for section in own.sections():
        for key, text in own.items(section):
            config.put(section, key, expand(text, f"{path}: [{section}] {key}"))


def _decode(path: Path) -> str:
    """Return the text of a file in UTF-8; Luigi reads no other before Senga is loaded."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from error
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            raise ConfigError(f"{path} is saved as {encoding}. Save it as plain UTF-8.")
    if b"\0" in data:
        raise ConfigError(
            f"{path} is UTF-16, or no text: it has bytes that are 0. Save it as plain UTF-8."
        )
    try:
        return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}, line {line}: a character is not in UTF-8. Save the file as UTF-8."
        ) from error


def _without_comments(text: str) -> str:
    """Return the lines of a config file with its comments blanked.

    A comment begins with `#` or `;` at the beginning of a line, or anywhere between spaces. On an
    indented line, which continues a value, `;)` and `#compass` are tags.
    """
    lines = []
    in_value = False
    for line in text.split("\n"):
        continues_value = in_value and line[:1].isspace()
        if line.lstrip().startswith(("#", ";")) and (
            not continues_value or _OPTION_SWITCHED_OFF.match(line)
        ):
            lines.append("")
            continue
        lines.append(_COMMENT.sub("", line))
        if lines[-1] and not continues_value:
            in_value = not line.startswith("[")
    return "\n".join(lines)


def _explain(error: configparser.Error) -> str:
    """Return where and why a file is no config file, and what to do."""
    if isinstance(error, configparser.DuplicateOptionError):
        return (
            f", line {error.lineno}: [{error.section}] has {error.option} twice. "
            "Remove one of the two."
        )
    if isinstance(error, configparser.DuplicateSectionError):
        return (
            f", line {error.lineno}: there is a section [{error.section}] above. "
            "Move these options there."
        )
    if isinstance(error, configparser.MissingSectionHeaderError):
        return (
            f", line {error.lineno}: {error.line.strip()} is in no section. "
            "Write the name of its section above it, such as [pack]."
        )
    if isinstance(error, configparser.ParsingError):
        number, _ = error.errors[0]
        return (
            f", line {number}: this is no option. Write key = value, or indent the line if it "
            "continues the value above."
        )
    return f" is no config file ({' '.join(str(error).split())})."
