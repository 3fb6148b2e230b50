"""Download a dataset of the Hugging Face hub, by its own library and into its cache."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.posts.hf_files import SUFFIXES, TableFiles, stat_tables
from sketch_models.errors import SengaError

_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_INSTALL = "Run `pip install -e .[hf]`, or download its files and name their folder"


def is_name(text: str) -> bool:
    """Return whether a text may be the name of a dataset, and is no path of this machine."""
    is_file = text.lower().endswith(SUFFIXES)
    return _NAME.fullmatch(text) is not None and not is_file and not os.path.lexists(text)


def missing_requirements(name: str) -> list[str]:
    """Return what must be installed before `fetch` works, one sentence each."""
    if importlib.util.find_spec("datasets") is not None:
        return []
    return [
        f"[metadata] hf = {name}: there is no such path, and datasets, which downloads from the "
        f"Hugging Face hub, is not installed. {_INSTALL}."
    ]


def fetch(name: str) -> TableFiles:
    """Download all splits of a dataset, unless they are in the cache of the library.

    Args:
        name: such as `user/name`.

    Returns:
        The Arrow files in that cache.

    Raises:
        SengaError: if the library is not installed or cannot load the dataset.
    """
    try:
        library = importlib.import_module("datasets")
    except ImportError as error:
        raise SengaError(
            f"[metadata] hf = {name}: there is no such path, and datasets, which downloads from "
            f"the Hugging Face hub, cannot be imported ({error}). {_INSTALL}."
        ) from error
    try:
        splits = library.load_dataset(name)
        paths = [
            Path(file["filename"])
            for split in splits.values()
            for file in _with_bytes(library, split).cache_files
        ]
    except Exception as error:  # it documents few, and its parts raise more
        cause = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise SengaError(
            f"[metadata] hf = {name}: there is no such path, and the dataset of that name could "
            f"not be loaded from the hub ({cause}). Check the name and the network."
        ) from error
    if not paths:
        raise SengaError(f"[metadata] hf = {name}: the dataset of that name has no rows.")
    root = Path(os.path.commonpath([path.parent for path in paths]))
    return stat_tables(root, sorted(path.relative_to(root).as_posix() for path in paths))


def _with_bytes(library: Any, split: Any) -> Any:  # noqa: ANN401 - datasets is not typed
    """Return a split whose tables have the bytes of pictures that lay in files of their own."""
    if not any(_is_in_file(library, split, name) for name in split.features):
        return split
    embed = partial(_embed, library)
    return split.with_format("arrow").map(embed, batched=True, batch_size=100)


def _embed(library: Any, table: Any) -> Any:  # noqa: ANN401
    return library.table.embed_table_storage(table)


def _is_in_file(library: Any, split: Any, name: str) -> bool:  # noqa: ANN401
    if not isinstance(split.features[name], library.Image) or not len(split):
        return False
    raw = split.cast_column(name, library.Image(decode=False))
    value = raw[0][name]
    return bool(value) and value.get("bytes") is None
