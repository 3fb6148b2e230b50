"""Pack pictures and line art that somebody has in memory, as the stage packs those of a build."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipeline import store
from pipeline.outcome import OK, Outcome
from pipeline.pack.dataset_file import DatasetWriter, picture_names, variant_suffixes
from pipeline.pack.pack import PackOptions, make_row
from pipeline.picture import Decoded
from pipeline.picture_error import PictureError
from pipeline.unexpected import as_picture_error
from sketch_models.option import settings_of
from sketch_models.pixels import to_grey, to_rgb


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A picture and its line art, to be packed.

    Attributes:
        id: of the picture, 1 or more.
        color: (H, W, 3) uint8 RGB.
        lines: (H, W) uint8, 0 = ink, 255 = paper, of the picture's aspect and any size, by name:
            `original`, `enhanced` and `pured`, or these three for every variant, such as
            `original_512`.
        tags: separated by spaces.
    """

    id: int
    color: NDArray[Any]
    lines: Mapping[str, NDArray[Any]]
    tags: str = ""


def pack_pairs(
    path: str | Path,
    pairs: Iterable[Pair],
    options: PackOptions = PackOptions(),  # noqa: B008 - it is frozen
    *,
    dataset: str = "",
    split: str = "",
) -> list[Outcome]:
    """Write a file to train from, with a row per pair: what `senga.ColorizationDataset` reads.

        >>> import numpy as np
        >>> from senga import PackOptions, Pair, pack_pairs
        >>> color, line = np.zeros((80, 60, 3), np.uint8), np.zeros((80, 60), np.uint8)
        >>> lines = {"original": line, "enhanced": line, "pured": line}
        >>> pairs = [Pair(id=number, color=color, lines=lines) for number in (1, 2)]
        >>> outcomes = pack_pairs("pairs.h5", pairs, PackOptions(size=64))
        >>> [outcome.code for outcome in outcomes]
        ['ok', 'ok']

    One pair at a time is in memory if `pairs` is a generator. The file appears when it is complete,
    in place of one of that name.

    Args:
        path: the file to write, such as `train.h5`.
        pairs: in ascending order of their ids, all with the same names of lines.
        options: `size`, `fit`, `binary_lines` and `compression` of the section [pack]; others, such
            as `extras`, are left out of account.
        dataset: its name, for the attributes of the file.
        split: `train` or `test`, likewise.

    Returns:
        One outcome per pair, with its `id`, `code` and `detail`. Those whose code is not `ok` are
        not in the file: `blank_line`, `misaligned` if the line art is not of the picture's aspect,
        or `too_narrow` to be cropped.

    Raises:
        ValueError: If there is no pair, ids do not ascend, names of lines differ, or an array is no
            picture.
        SengaError: If the file cannot be written.
    """
    remaining = iter(pairs)
    first = next(remaining, None)
    if first is None:
        raise ValueError("There are no pairs to pack.")
    names, options = _names(first), replace(options, extras=())
    outcomes: list[Outcome] = []
    with (
        store.publish(Path(path)) as temporary,
        DatasetWriter(
            temporary,
            0,
            size=options.size,
            names=names,
            compression=options.compression,
            attributes={
                "dataset": dataset,
                "split": split,
                "fingerprint": "",
                "config": json.dumps({"pack": settings_of(options)}),
                "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            },
        ) as file,
    ):
        for pair in chain([first], remaining):
            if pair.id <= (outcomes[-1].id if outcomes else 0):
                raise ValueError(
                    f"The id {pair.id} does not ascend: expected ids of 1 or more, in order."
                )
            outcomes.append(_append(file, pair, names, options))
    return outcomes


def _names(pair: Pair) -> list[str]:
    """Return the names of the HDF5 datasets of pictures; raise ValueError for other lines."""
    given = {f"line/{name}" for name in pair.lines}
    names = picture_names(variant_suffixes(given, "line") or [""])
    if {"color", *given} != {*names}:
        expected = ", ".join(name.removeprefix("line/") for name in names[1:])
        raise ValueError(
            f"Pair {pair.id} has the lines {', '.join(pair.lines) or 'none'}: expected {expected}."
        )
    return names


def _append(file: DatasetWriter, pair: Pair, names: list[str], options: PackOptions) -> Outcome:
    """Append the row of a pair, or return why it cannot be packed."""
    if sorted(_names(pair)) != sorted(names):
        raise ValueError(f"Pair {pair.id} has other lines than the first pair.")
    color = to_rgb(pair.color)
    lines = [(f"line/{name}", to_grey(line)) for name, line in pair.lines.items()]
    height, width = color.shape[:2]
    picture = Decoded(pixels=color, alpha=None, width=width, height=height, color_profile="")
    sha256 = hashlib.sha256(color.tobytes()).hexdigest()
    try:
        with as_picture_error(pair.id):
            row = make_row(pair.id, picture, lines, options, tags=pair.tags, sha256=sha256)
    except PictureError as error:
        return Outcome(pair.id, error.code, error.detail)
    file.append(row)
    return Outcome(pair.id, OK)
