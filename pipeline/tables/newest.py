"""The newest build of a dataset, and the tables of its stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from pipeline.damage import DamagedFileError
from pipeline.manifest import Manifest, read_manifest
from pipeline.store import Dataset, manifest_path, outcomes_path, shard_name
from pipeline.table import read_table
from sketch_models.errors import DatasetError

LINEAGE = "lineage"
"""The key of the `Lineage` among the facts of the report's manifest."""

REPORT, EVALUATION = "report.html", "evaluation.html"
"""Pages in the folder of a dataset, which link to those of the newest build and evaluation."""

_BUILD_AGAIN = "Build the dataset again."


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """The settings hashes of a build, by which the paths of its files are found.

    Attributes:
        shards: numbers of the shards that have posts, ascending.
        posts: settings hash of the filtered posts.
        screen: settings hash of the screen.
        split: settings hash of the split.
        packed: settings hash of `train.h5` and `test.h5`.
        sketch: settings hash of the sketches by the suffix of their variant.
        line: settings hash of the line art by the suffix of its variant.
    """

    shards: Sequence[int]
    posts: str
    screen: str
    split: str
    packed: str
    sketch: Mapping[str, str] = field(default_factory=dict)
    line: Mapping[str, str] = field(default_factory=dict)

    def settings_hashes(self) -> set[str]:
        """Return the settings hashes of all stages."""
        variants = {*self.sketch.values(), *self.line.values()}
        return {self.posts, self.screen, self.split, self.packed, *variants}

    def to_dict(self) -> dict[str, object]:
        """Return the lineage as plain data, for the manifest."""
        return asdict(self)


@dataclass(frozen=True)
class NewestBuild:
    """A finished build: the one that `report.html` at the top of the dataset's folder points at.

    Attributes:
        dataset: the dataset's folder.
        lineage: settings hashes of the build.
    """

    dataset: Dataset
    lineage: Lineage

    def posts(self) -> pl.DataFrame:
        """Return the posts that the filter kept, ascending by id."""
        folder = self.dataset.posts(self.lineage.posts)
        return self._read([folder / f"{shard_name(n)}.parquet" for n in self._shards])

    def downloads(self) -> pl.DataFrame:
        """Return the outcomes of downloads, also those of posts that are not in this build."""
        return self._read([self.dataset.color_outcomes(n) for n in self._shards])

    def screens(self) -> pl.DataFrame:
        """Return the screen's measures and codes, a row per downloaded picture."""
        return self._read([self.dataset.screen(self.lineage.screen, n) for n in self._shards])

    def sketches(self) -> list[pl.DataFrame]:
        """Return the outcomes of every variant of sketches: id, code, detail."""
        return [
            self._read([outcomes_path(self.dataset.sketch(hash_, n)) for n in self._shards])
            for hash_ in self.lineage.sketch.values()
        ]

    def lines(self) -> list[pl.DataFrame]:
        """Return the outcomes of every variant of line art: id, code, detail."""
        return [
            self._read([outcomes_path(self.dataset.line(hash_, n)) for n in self._shards])
            for hash_ in self.lineage.line.values()
        ]

    def groups(self) -> pl.DataFrame:
        """Return the pictures that reached the split: id, and the first id of its duplicates."""
        return self._read([self.dataset.split(self.lineage.split) / "groups.parquet"])

    def split(self) -> pl.DataFrame:
        """Return the pictures that the split kept: id and part, train or test."""
        return self._read([self.dataset.split(self.lineage.split) / "split.parquet"])

    def split_settings(self) -> Mapping[str, object]:
        """Return the options of the split."""
        settings = _require_manifest(self.dataset.split(self.lineage.split)).inputs.get("settings")
        return settings if isinstance(settings, dict) else {}

    def packed(self) -> pl.DataFrame:
        """Return the outcomes of packing: id, code, detail."""
        return self._read([self.dataset.pack_outcomes(self.lineage.packed)])

    @property
    def _shards(self) -> Sequence[int]:
        return self.lineage.shards

    def _read(self, tables: Sequence[Path]) -> pl.DataFrame:
        """Return the rows of all tables that exist: shards can be deleted after the build."""
        existing = [table for table in tables if table.exists()]
        if not existing:
            raise DatasetError(f"{tables[0]} is missing. {_BUILD_AGAIN}")
        try:
            return pl.concat(map(read_table, existing))
        except (DamagedFileError, pl.exceptions.PolarsError) as error:
            raise DatasetError(
                f"{existing[0].parent} holds a damaged table. {_BUILD_AGAIN}"
            ) from error


def newest_build(folder: str | Path) -> NewestBuild:
    """Return the newest finished build in a dataset's folder.

    Args:
        folder: of the dataset, such as `data/sample`.

    Raises:
        DatasetError: If there is no such folder, or no finished build in it.
    """
    dataset = open_dataset(folder)
    report = dataset.newest(REPORT)
    if not report.exists():
        raise DatasetError(f"{dataset.root} holds no finished build. Run BuildDataset on it.")
    lineage = _require_manifest(report.resolve()).facts.get(LINEAGE)
    try:
        return NewestBuild(dataset, Lineage(**(lineage if isinstance(lineage, dict) else {})))
    except TypeError as error:  # a field of another version, or none at all
        message = f"{dataset.root} was built by another version of Senga. {_BUILD_AGAIN}"
        raise DatasetError(message) from error


def open_dataset(folder: str | Path) -> Dataset:
    """Return the dataset in a folder.

    Raises:
        DatasetError: If there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DatasetError(
            f"{root} is no folder of a dataset. Choose one that BuildDataset made, such as "
            "data/sample."
        )
    return Dataset(root)


def _require_manifest(artefact: Path) -> Manifest:
    path = manifest_path(artefact)
    manifest = read_manifest(path)
    if manifest is None:
        raise DatasetError(f"{path} is missing or damaged. {_BUILD_AGAIN}")
    return manifest
