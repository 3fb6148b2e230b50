"""The shard of an earlier run, whose pictures the next one takes over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from pipeline.collect.outcome import DownloadOutcome
from pipeline.outcome import OK
from pipeline.shard import ShardReader, TarSample


def ids_on_disk(previous: ShardReader | None, rows: Mapping[int, DownloadOutcome]) -> set[int]:
    """Return the posts whose picture in the shard is as its row says, or has no row."""
    if previous is None:
        return set()
    return {
        post_id
        for post_id in previous.ids
        if post_id not in rows
        or rows[post_id].code != OK
        or sha256(read_color(previous, post_id)).hexdigest() == rows[post_id].sha256
    }


def read_color(shard: ShardReader, post_id: int) -> bytes:
    """Return a picture of a shard, whose samples have one part each."""
    return shard.read(post_id, shard.parts(post_id)[0])


def samples_of(shard: ShardReader | None, ids: Collection[int]) -> Iterator[TarSample]:
    """Yield the pictures of some posts, ascending by id."""
    if shard is not None:
        for post_id in sorted(ids):
            yield post_id, {shard.parts(post_id)[0]: read_color(shard, post_id)}


def link_or_copy(source: Path, target: Path) -> None:
    """Make a hard link, or a copy on file systems without links."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
