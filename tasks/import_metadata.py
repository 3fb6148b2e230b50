"""Booru metadata, in one form whatever its source."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from pipeline import store
from pipeline.errors import SengaError
from pipeline.metadata import HOW_TO_GET_IT, MetadataOptions, import_csv
from pipeline.progress import Advance
from tasks import config
from tasks.stage import Made, Stage


class ImportMetadata(Stage):
    """Reads a metadata CSV into `posts.parquet`; what cannot be read goes to `quarantine.csv`."""

    stage = "metadata"
    unit = "posts"

    def settings(self) -> dict[str, object]:
        """The source; the sample booru also depends on the seed."""
        settings = config.result_options(MetadataOptions)
        if self._options.source == "sample":
            settings["seed"] = config.options(config.BuildOptions).seed
        return settings

    def artefact(self) -> Path:
        """Folder of `posts.parquet` and `quarantine.csv`."""
        return self.dataset.metadata(self.recipe())

    @property
    def posts(self) -> Path:
        """All posts that could be read."""
        return self.artefact() / "posts.parquet"

    @property
    def _options(self) -> MetadataOptions:
        return config.options(MetadataOptions)

    def needs(self) -> list[str]:
        """The sentence for a CSV that is not there."""
        try:
            self.content_from()
        except SengaError as error:
            return [str(error)]
        return []

    def content_from(self) -> list[str]:
        """The sha256 of the CSV; of a CSV that is gone, what it was when it was imported."""
        if self._options.source == "sample":
            return []
        csv = Path(self._options.csv)
        known = store.read_manifest(self.manifest_path())
        facts = known.facts if known else {}
        if facts and not csv.exists():
            return [str(facts["sha256"])]
        if facts and [facts["size"], facts["modified"]] == _stamp(csv):
            return [str(facts["sha256"])]
        return [_sha256(csv, *_stamp(csv))]

    def make(self, advance: Advance) -> Made:
        """Imports the CSV, which the sample booru writes first where it is the source."""
        sample = self._options.source == "sample"
        csv = self._write_sample() if sample else Path(self._options.csv)
        facts: dict[str, object] = {}
        if not sample:
            facts["size"], facts["modified"] = _stamp(csv)
            facts["sha256"] = self.content_from()[0]
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            counts = import_csv(csv, folder / "posts.parquet", folder / "quarantine.csv", advance)
        return Made(kept=counts.pop("posts"), dropped=counts, facts=facts)

    def _write_sample(self) -> Path:
        from pipeline.sample_booru import write_csv

        with store.publish(self.dataset.sample_csv()) as temporary:
            seed = config.options(config.BuildOptions).seed
            write_csv(temporary, posts=self._options.sample_posts, seed=seed)
        return self.dataset.sample_csv()


def _stamp(csv: Path) -> list[int]:
    """Size and time of change: while they stay the same, so does the file."""
    try:
        stat = csv.stat()
    except OSError as error:
        raise SengaError(
            f"[metadata] csv = {csv} cannot be read ({error.strerror}): {HOW_TO_GET_IT}."
        ) from error
    return [stat.st_size, stat.st_mtime_ns]


@lru_cache(maxsize=4)
def _sha256(csv: Path, _size: int, _modified: int) -> str:
    state = hashlib.sha256()
    with csv.open("rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()
