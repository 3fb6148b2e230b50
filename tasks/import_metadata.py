"""The task that imports the metadata of posts into one table, whatever their source."""

from __future__ import annotations

import hashlib
import logging
from functools import lru_cache
from pathlib import Path
from typing import cast

from pipeline import store
from pipeline.manifest import read_manifest
from pipeline.posts import hf_hub, kaggle
from pipeline.posts.board_api import collect, read_store
from pipeline.posts.boards.board import Board
from pipeline.posts.boards.known import GELBOORU, find_board
from pipeline.posts.filter import FilterOptions
from pipeline.posts.folder_scan import digest_of_folder
from pipeline.posts.hf_files import TableFiles, find_tables
from pipeline.posts.layouts import parse_columns
from pipeline.posts.metadata import (
    import_folder,
    import_posts,
    import_rows,
    import_table,
    import_tables,
    import_webdataset,
)
from pipeline.posts.options import HOW_TO_GET_IT, LOCAL_SOURCES, MetadataOptions
from pipeline.posts.picture_files import look_again, write_seen
from pipeline.posts.table_source import TableOptions, TableSource
from pipeline.progress import OnProgress
from sketch_models.errors import SengaError
from sketch_models.weights.cache import expand_path
from tasks import config
from tasks.board import BoardPages
from tasks.client import open_client
from tasks.senga_task import RUN_ID
from tasks.stage import Stage, StageResult

logger = logging.getLogger("senga")

_SEEN = "files.list"  # in the artefact of a table that names files


class ImportMetadata(Stage):
    """Import posts into `posts.parquet`; rows that cannot be read go to `quarantine.csv`."""

    version = 3
    stage = "metadata"
    unit = "posts"

    def settings(self) -> dict[str, object]:
        """Return the source, and the options that it depends on."""
        options, source = self._options, self._options.source
        settings: dict[str, dict[str, object]] = {
            "sample": {
                "sample_posts": options.sample_posts,
                "seed": config.options(config.BuildOptions).seed,
            },
            "csv": {"csv": options.csv},
            "kaggle": {},
            "folder": {
                "folder": options.folder,
                "folder_tags": options.folder_tags,
                "follow_links": options.follow_links,
            },
            "webdataset": {
                "webdataset": options.webdataset,
                "follow_links": options.follow_links,
            },
            "hf": {"hf": options.hf, "image_column": options.image_column},
            "table": {
                "table": options.table,
                "columns": parse_columns(options.columns),
                "files": options.files,
            },
        }
        own = self._board_settings() if source == "api" else settings[source]
        return {"source": source, **own}

    def _board_settings(self) -> dict[str, object]:
        """Return what tells a collection from others: those of Gelbooru's kind go without a name.

        They may be from a version that knew no other boards.
        """
        name = self._board.name
        other = {} if name == GELBOORU else {"board": name}
        return {"api": self._board.url, "tags": self._search[0], **other}

    def artefact(self) -> Path:
        """Return the folder of `posts.parquet` and `quarantine.csv`."""
        return self.dataset.metadata(self.settings_hash())

    @property
    def posts(self) -> Path:
        """The table of all posts that could be read."""
        return self.artefact() / "posts.parquet"

    @property
    def quarantine(self) -> Path:
        """The table of the rows that are no posts, each with the reason."""
        return self.artefact() / "quarantine.csv"

    @property
    def has_local_pictures(self) -> bool:
        """Whether the posts' pictures are on this machine; it must have been made."""
        return self._options.source in LOCAL_SOURCES or (self.artefact() / _SEEN).exists()

    @property
    def _options(self) -> MetadataOptions:
        return config.options(MetadataOptions)

    @property
    def _board(self) -> Board:
        return find_board(self._options.board, self._options.api_url)

    @property
    def _search(self) -> tuple[list[str], list[str]]:
        """The tags that the board is searched for, sorted; and those that only the filter sees."""
        required = config.options(FilterOptions).required_tags
        usable = [tag for tag in required if self._board.can_search(tag)]
        searched = usable[: self._options.tags_per_search or self._board.limits.tags]
        return sorted(searched), [tag for tag in required if tag not in searched]

    def unmet_requirements(self) -> list[str]:
        """Return a sentence for a missing CSV, folder or library."""
        if self._options.source == "kaggle" and not self.complete():
            return kaggle.missing_requirements()
        if self._is_on_hub and not self.complete():
            return hf_hub.missing_requirements(self._options.hf)
        try:
            self.content_from()
        except SengaError as error:
            return [str(error)]
        return []

    def shared_resources(self) -> dict[str, int]:
        """Allow one process at a time to send requests to a board, its pictures included."""
        return {"download": 1} if self._options.source == "api" else {}

    def content_from(self) -> list[str]:
        """Return the sha256 of the CSV or table, if it is gone that of its import; or of a folder.

        If the files that a table names have changed since its import, a second one is theirs.
        """
        if self._options.source in ("folder", "webdataset"):
            return [_digest_of_folder(self._options, self._build_folder)]
        if self._options.source == "hf" and not self._is_on_hub:
            return [_find_tables(self._options, self._build_folder).digest()]
        if self._options.source == "csv":
            return [self._file_digest(expand_path(self._options.csv))]
        if self._options.source == "table":
            return self._table_content()
        return []

    def _table_content(self) -> list[str]:
        digest = self._file_digest(expand_path(self._options.table))
        manifest, seen = read_manifest(self.manifest_path()), self.artefact() / _SEEN
        if manifest is None or not seen.exists():
            return [digest]
        before = [str(each) for each in cast("list[object]", manifest.inputs["content"])]
        if before[:1] != [digest]:
            return [digest]
        files, unchanged = look_again(self._options.pictures_folder, seen)
        return before if unchanged else [digest, files]

    def _file_digest(self, path: Path) -> str:
        """Return the sha256 of a file; if it is gone, that of its import."""
        option = self._options.source
        manifest = read_manifest(self.manifest_path())
        facts = manifest.facts if manifest else {}
        if facts and not path.exists():
            return str(facts["sha256"])
        if facts and [facts["size"], facts["modified"]] == _stamp(path, option):
            return str(facts["sha256"])
        return _sha256(path, *_stamp(path, option), option)

    def complete(self) -> bool:
        """Return whether it is imported, and the board was asked for new posts in this run."""
        manifest = read_manifest(self.manifest_path())
        collects_new = self._options.source == "api" and self._options.new_posts
        is_current = manifest is not None and manifest.build == RUN_ID
        return super().complete() and (is_current or not collects_new)

    def make(self, on_progress: OnProgress) -> StageResult:
        """Fetch the posts from their source, and import them."""
        if self._options.source == "api":
            return self._collect_from_board(on_progress)
        if self._options.source == "hf":
            return self._import_tables(on_progress)
        if self._options.source in LOCAL_SOURCES:
            return self._import_local(on_progress)
        if self._options.source == "table":
            return self._import_table(on_progress)
        facts: dict[str, object] = {}
        if self._options.source == "sample":
            path = self._write_sample()
        elif self._options.source == "kaggle":
            path = kaggle.fetch_csv()
        else:
            path = expand_path(self._options.csv)
            facts["size"], facts["modified"] = _stamp(path)
            facts["sha256"] = self.content_from()[0]
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            counts = import_posts(
                path, folder / "posts.parquet", folder / "quarantine.csv", on_progress
            )
        return StageResult(kept=counts.pop("posts"), dropped=counts, facts=facts)

    @property
    def _build_folder(self) -> Path:
        """The folder of all datasets, which may lie in that of the pictures."""
        return expand_path(config.options(config.BuildOptions).data).resolve()

    def _import_local(self, on_progress: OnProgress) -> StageResult:
        """Import the pictures of a folder, or in tars."""
        options, previous = self._options, self.posts
        place, leave_out = expand_path(options.place), [self._build_folder]
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            tables = (folder / previous.name, folder / self.quarantine.name)
            if options.source == "webdataset":
                counts = import_webdataset(
                    place,
                    *tables,
                    on_progress,
                    follow_links=options.follow_links,
                    leave_out=leave_out,
                )
            else:
                counts = import_folder(
                    place,
                    *tables,
                    on_progress,
                    previous=previous,
                    folder_tags=options.folder_tags,
                    follow_links=options.follow_links,
                    leave_out=leave_out,
                )
        return StageResult(kept=counts.pop("posts"), dropped=counts)

    @property
    def pictures_root(self) -> Path:
        """The folder that the addresses of local pictures are relative to."""
        if self._is_on_hub:
            return Path(str(self.manifest().facts["root"]))
        return self._options.pictures_folder

    @property
    def _is_on_hub(self) -> bool:
        return self._options.source == "hf" and hf_hub.is_name(self._options.hf)

    def _import_tables(self, on_progress: OnProgress) -> StageResult:
        """Import tables with pictures, from the hub or of this machine."""
        options, previous = self._options, self.posts
        if self._is_on_hub:
            tables = hf_hub.fetch(options.hf)
        else:
            tables = _find_tables(options, self._build_folder)
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            counts = import_tables(
                tables,
                folder / previous.name,
                folder / self.quarantine.name,
                on_progress,
                previous=previous,
                image_column=options.image_column,
            )
        facts = {"root": str(tables.root)}
        return StageResult(kept=counts.pop("posts"), dropped=counts, facts=facts)

    def _import_table(self, on_progress: OnProgress) -> StageResult:
        """Import the posts of a table, and list the files that it names."""
        options, path = self._options, expand_path(self._options.table)
        size, modified = _stamp(path, "table")
        facts = {"size": size, "modified": modified, "sha256": self.content_from()[0]}
        files = expand_path(options.files) if options.files else None
        columns = parse_columns(options.columns)
        source = TableSource(path, TableOptions(columns=columns, files=files))
        logger.info("%s is read as %s.", path, source.layout.name)
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            counts = import_table(
                source, folder / self.posts.name, folder / self.quarantine.name, on_progress
            )
            write_seen(source.seen, folder / _SEEN)
        return StageResult(kept=counts.pop("posts"), dropped=counts, facts=facts)

    def _write_sample(self) -> Path:
        """Write the metadata of the sample booru; return its path."""
        from pipeline.sample_booru import write_csv

        with store.publish(self.dataset.sample_csv()) as temporary:
            seed = config.options(config.BuildOptions).seed
            write_csv(temporary, posts=self._options.sample_posts, seed=seed)
        return self.dataset.sample_csv()

    def _collect_from_board(self, on_progress: OnProgress) -> StageResult:
        """Collect new posts, and import all that were ever collected."""
        tags, others = self._search
        if others:
            logger.info(
                "%s is searched for %s; [filter] looks for %s among those posts.",
                self._board.url,
                " ".join(tags) or "all posts",
                " ".join(others),
            )
        # What a board has returned stays as it is, whatever version imports it.
        collected = self.dataset.api_posts(
            store.fingerprint([self.task_family, 1, self.settings(), []])
        )
        with store.explain_write_errors(collected):
            collected.parent.mkdir(parents=True, exist_ok=True)
            with open_client() as client:
                result = collect(
                    collected,
                    self._board,
                    tags,
                    BoardPages(client, self._board).get,
                    fetch_new=self._options.new_posts,
                    on_progress=on_progress,
                )
        if result.warning:
            logger.warning(
                "%s Continuing with the %d posts collected so far.", result.warning, result.posts
            )
        content = _sha256(collected, *_stamp(collected))
        manifest = read_manifest(self.manifest_path())
        if manifest and manifest.content == content and self.posts.exists():
            return StageResult(kept=manifest.kept, dropped=manifest.dropped, content=content)
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            with_tags = f" with the tags {' '.join(tags)}" if tags else ""
            counts = import_rows(
                read_store(collected, self._board),
                folder / "posts.parquet",
                folder / "quarantine.csv",
                source=f"[metadata] api_url = {self._options.api_url}: the board{with_tags}",
            )
        return StageResult(kept=counts.pop("posts"), dropped=counts, content=content)


@lru_cache(maxsize=4)
def _digest_of_folder(options: MetadataOptions, build_folder: Path) -> str:
    """Return the digest of the folder of pictures, as it was when this process first asked."""
    place = expand_path(options.place)
    if place.is_file():
        return store.fingerprint([place.name, *_stamp(place)])
    return digest_of_folder(place, follow_links=options.follow_links, leave_out=[build_folder])


@lru_cache(maxsize=4)
def _find_tables(options: MetadataOptions, build_folder: Path) -> TableFiles:
    """Return the tables as they were when this process first asked."""
    path, follow_links = expand_path(options.hf), options.follow_links
    return find_tables(path, follow_links=follow_links, leave_out=[build_folder])


def _stamp(path: Path, option: str = "csv") -> list[int]:
    """Return size and modification time (ns), which stay the same while the file does."""
    try:
        stat = path.stat()
    except OSError as error:
        raise _unreadable(path, error, option) from error
    return [stat.st_size, stat.st_mtime_ns]


@lru_cache(maxsize=4)
def _sha256(path: Path, _size: int, _modified: int, option: str = "csv") -> str:
    """Return the sha256 of a file; size and modification time are keys of the cache."""
    state = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                state.update(block)
    except OSError as error:
        raise _unreadable(path, error, option) from error
    return state.hexdigest()


def _unreadable(path: Path, error: OSError, option: str) -> SengaError:
    remedy = HOW_TO_GET_IT if option == "csv" else "check the path and its permissions"
    return SengaError(f"[metadata] {option} = {path} cannot be read ({error.strerror}): {remedy}.")
