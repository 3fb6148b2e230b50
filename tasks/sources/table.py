"""Posts of a table of any columns, whose pictures are on the web or on this machine."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import cast

from pipeline.manifest import read_manifest
from pipeline.posts.layouts import parse_columns
from pipeline.posts.metadata import import_table
from pipeline.posts.picture_files import look_again, write_seen
from pipeline.posts.table_source import TableOptions
from pipeline.posts.table_source import TableSource as TableReader
from pipeline.progress import OnProgress
from sketch_models.errors import SengaError
from sketch_models.weights.cache import expand_path
from tasks.sources.source import Source
from tasks.stage import StageResult

logger = logging.getLogger("senga")

_SEEN = "files.list"  # in the artefact of a table that names files


class TableSource(Source):
    """A table."""

    def settings(self) -> dict[str, object]:
        """Return its path, the mapping of its columns, and the folder of its files."""
        options = self.options
        columns = parse_columns(options.columns)
        return {"table": options.table, "columns": columns, "files": options.files}

    @property
    def _seen(self) -> Path:
        return self.task.artefact() / _SEEN

    def has_local_pictures(self) -> bool:
        """Return whether it names files."""
        return self._seen.exists()

    def content(self) -> list[str]:
        """Return the sha256 of the table; if its files have changed since its import, theirs, too.

        What was imported last decides, so that a file that comes back changes nothing.
        """
        digest = self.digest_of_file(expand_path(self.options.table))
        self._check_folder()
        manifest = read_manifest(self.task.manifest_path())
        if manifest is None or not self._seen.exists():
            return [digest]
        before = [str(each) for each in cast("list[object]", manifest.inputs["content"])]
        if before[:1] != [digest]:
            return [digest]
        files, unchanged = look_again(self.options.pictures_folder, self._seen)
        return before if unchanged else [digest, files]

    def _check_folder(self) -> None:
        """Raise SengaError if the folder of the pictures is none."""
        files = self.options.files
        if files and not expand_path(files).is_dir():
            fault = "it is a file" if expand_path(files).exists() else "there is no such folder"
            raise SengaError(f"[metadata] files = {files}: {fault}. Set it to their folder.")

    def make(self, on_progress: OnProgress) -> StageResult:
        """Import the posts, and list the files that the table names."""
        options, path = self.options, expand_path(self.options.table)
        facts = self.facts_of_file(path)
        files = expand_path(options.files) if options.files else None
        columns = parse_columns(options.columns)
        reader = TableReader(path, TableOptions(columns=columns, files=files))
        logger.info("%s is read as %s.", reader.place, reader.layout.name)

        def import_into(posts: Path, quarantine: Path) -> dict[str, int]:
            counts = import_table(reader, posts, quarantine, on_progress)
            write_seen(reader.seen, posts.with_name(_SEEN))
            return counts

        return self.publish(import_into, facts=facts)
