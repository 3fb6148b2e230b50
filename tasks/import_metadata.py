"""Booru metadata, in one form whatever its source."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from pipeline import store
from pipeline.collect.fetch_error import FetchError
from pipeline.posts import kaggle
from pipeline.posts.board_api import collect, rows
from pipeline.posts.filter import FilterOptions
from pipeline.posts.metadata import import_posts, import_rows
from pipeline.posts.options import HOW_TO_GET_IT, MetadataOptions
from pipeline.progress import Advance
from sketch_models.errors import SengaError
from tasks import config
from tasks.guest import going_out
from tasks.stage import RUN_ID, Stage, StageResult

logger = logging.getLogger("senga")


class ImportMetadata(Stage):
    """Reads posts into `posts.parquet`; what cannot be read goes to `quarantine.csv`."""

    stage = "metadata"
    unit = "posts"

    def settings(self) -> dict[str, object]:
        """The source, and what it depends on."""
        options, source = self._options, self._options.source
        own: dict[str, dict[str, object]] = {
            "sample": {
                "sample_posts": options.sample_posts,
                "seed": config.options(config.BuildOptions).seed,
            },
            "csv": {"csv": options.csv},
            "kaggle": {},
            "api": {"api": options.api, "tags": self._tags},
        }
        return {"source": source, **own[source]}

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

    @property
    def _tags(self) -> list[str]:
        """What a board is asked for: no more than the filter can keep."""
        return sorted(set(config.options(FilterOptions).all_tags))

    def unmet_requirements(self) -> list[str]:
        """The sentence for a CSV or a library that is not there."""
        if self._options.source == "kaggle" and not self.complete():
            return kaggle.needs()
        try:
            self.content_from()
        except SengaError as error:
            return [str(error)]
        return []

    def process_resources(self) -> dict[str, int]:
        """A board is asked by one process at a time, its pictures included."""
        return {"download": 1} if self._options.source == "api" else {}

    def content_from(self) -> list[str]:
        """The sha256 of the CSV; of a CSV that is gone, what it was when it was imported."""
        if self._options.source != "csv":
            return []
        csv = Path(self._options.csv)
        known = store.read_manifest(self.manifest_path())
        facts = known.facts if known else {}
        if facts and not csv.exists():
            return [str(facts["sha256"])]
        if facts and [facts["size"], facts["modified"]] == _stamp(csv):
            return [str(facts["sha256"])]
        return [_sha256(csv, *_stamp(csv))]

    def complete(self) -> bool:
        """Also: a board has been asked for new posts in this run."""
        known = store.read_manifest(self.manifest_path())
        asked = self._options.source != "api" or not self._options.new_posts
        return super().complete() and (asked or (known is not None and known.build == RUN_ID))

    def make(self, advance: Advance) -> StageResult:
        """Imports the posts, which the source is asked for first."""
        if self._options.source == "api":
            return self._ask_board(advance)
        facts: dict[str, object] = {}
        if self._options.source == "sample":
            path = self._write_sample()
        elif self._options.source == "kaggle":
            path = kaggle.fetch_csv()
        else:
            path = Path(self._options.csv)
            facts["size"], facts["modified"] = _stamp(path)
            facts["sha256"] = self.content_from()[0]
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            counts = import_posts(
                path, folder / "posts.parquet", folder / "quarantine.csv", advance
            )
        return StageResult(kept=counts.pop("posts"), dropped=counts, facts=facts)

    def _write_sample(self) -> Path:
        from pipeline.sample_booru import write_csv

        with store.publish(self.dataset.sample_csv()) as temporary:
            seed = config.options(config.BuildOptions).seed
            write_csv(temporary, posts=self._options.sample_posts, seed=seed)
        return self.dataset.sample_csv()

    def _ask_board(self, advance: Advance) -> StageResult:
        """Asks for what is new, and imports all that was ever collected."""
        collected = self.dataset.collected(self.recipe())
        with store.writing(collected):
            collected.parent.mkdir(parents=True, exist_ok=True)
            with going_out() as guest:
                answer = collect(
                    collected,
                    self._options.api,
                    self._tags,
                    lambda url: _read(guest.read, url),
                    ask_for_new=self._options.new_posts,
                    advance=advance,
                )
        if answer.warning:
            logger.warning(
                "%s Going on with the %d posts that are here.", answer.warning, answer.posts
            )
        content = _sha256(collected, *_stamp(collected))
        known = store.read_manifest(self.manifest_path())
        if known and known.content == content and self.posts.exists():
            return StageResult(kept=known.kept, dropped=known.dropped, content=content)
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            batches = rows(collected, self._options.api)
            counts = import_rows(batches, folder / "posts.parquet", folder / "quarantine.csv")
        return StageResult(kept=counts.pop("posts"), dropped=counts, content=content)


def _read(get: Callable[[str], bytes], url: str) -> bytes:
    """A page of a board's API, and in one sentence why it cannot be had."""
    try:
        return get(url)
    except FetchError as error:
        cure = "check the network and run again"
        if error.code == "robots_txt":
            cure = "with the permission of the board, switch [download] robots_txt off"
        raise SengaError(
            f"{url} could not be read ({error.code}: {error.detail}), expected a page of posts: "
            f"{cure}; what came so far is kept."
        ) from error


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
