"""The words of the command `senga` that stand for tasks: `senga build` is `senga BuildDataset`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sketch_models.errors import ConfigError
from tasks import catalog


@dataclass(frozen=True)
class Word:
    """A word that stands for a task.

    Attributes:
        task: its name.
        purpose: what it does.
        takes_folder: whether a folder of pictures, to build from, may stand behind the word.
    """

    task: str
    purpose: str
    takes_folder: bool = True


_ALL = {
    "build": Word("BuildDataset", "Build train.h5, test.h5 and a report, also of a folder."),
    "export": Word("ExportDataset", "Write a dataset in the formats of other trainers."),
    "train": Word("TrainColorizer", "Train a colorizer, and build its dataset before."),
    "evaluate": Word("EvaluateColorizer", "Compare colorizers and baselines on the test set."),
    "prune": Word("Prune", "List what earlier settings have left, or delete it.", False),
}
WORDS = {name: word for name, word in _ALL.items() if word.task in catalog.__all__}
"""In the order in which the help lists them."""


def expand(arguments: Sequence[str]) -> list[str]:
    """Return a command line with the task that its word stands for.

    A folder behind the word is that of `--metadata-folder`: `senga build pictures`.

    Raises:
        ConfigError: if what stands behind the word is no folder.
    """
    name, *rest = arguments or [""]
    if name not in WORDS:
        return list(arguments)
    if WORDS[name].takes_folder and rest and not rest[0].startswith("-"):
        rest[:1] = ["--metadata-folder", _folder(name, rest[0])]
    return [WORDS[name].task, *rest]


def _folder(name: str, text: str) -> str:
    if text.endswith(".cfg"):
        raise ConfigError(f"{text}: a recipe goes before: LUIGI_CONFIG_PATH={text} senga {name}.")
    if Path(text).is_file():
        raise ConfigError(
            f"{text} is a file. Behind senga {name} goes a folder of pictures; a table of posts is "
            f"--metadata-table {text}, and a tar --metadata-webdataset {text}."
        )
    if not text or not Path(text).is_dir():
        raise ConfigError(
            f"{text or repr(text)}: there is no such folder. Behind senga {name} goes a folder of "
            "pictures, or an option such as --pack-size 128."
        )
    return text
