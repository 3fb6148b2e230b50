"""Copy the pictures of a shard's posts from files on this machine; each outcome is a row."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing
from heapq import merge
from operator import itemgetter
from pathlib import Path

from pipeline.collect.download import DownloadResult, is_settled
from pipeline.collect.earlier_shard import ids_on_disk, link_or_copy, samples_of
from pipeline.collect.local_pictures import LocalPictures
from pipeline.collect.outcome import DownloadOutcome, read_outcomes, write_outcomes
from pipeline.outcome import OK
from pipeline.progress import OnProgress, ignore
from pipeline.shard import ShardReader, TarSample, write_shard
from pipeline.table import read_table
from pipeline.thread_map import thread_map


def copy_shard(
    posts: Path,
    target: Path,
    table: Path,
    pictures: LocalPictures,
    *,
    previous_tar: Path | None = None,
    previous_table: Path | None = None,
    on_progress: OnProgress = ignore,
) -> DownloadResult:
    """Copy what is new or has changed into a tar, as `download_shard` downloads it.

    Memory is bounded: by one picture per thread, and a row per post.

    Args:
        posts: parquet with the columns `id` and `url`.
        target: the tar to write: `<id>.jpg`, `<id>.png` and so on, by the type of the bytes.
        table: the table of outcomes to write.
        pictures: reads the files.
        previous_tar: an earlier `target`, if it exists: the pictures of files that have not changed
            since are taken over, but for those that are not as they were copied.
        previous_table: an earlier `table`, if it exists. The rows of other posts stay.
        on_progress: called with the number of posts done.

    Raises:
        DamagedFileError: if `previous_tar` cannot be opened, or `previous_table` is damaged.
        OSError: if `target` or `table` cannot be written.
    """
    urls = dict(read_table(posts, ["id", "url"]).iter_rows())
    with ExitStack() as stack:
        previous = None
        if previous_tar and previous_tar.exists():
            previous = stack.enter_context(ShardReader(previous_tar, salvage=True))
        rows = {}
        if previous_table and previous_table.exists():
            rows = read_outcomes(previous_table)
        intact = ids_on_disk(previous, rows) & {row.id for row in rows.values() if row.code == OK}
        damaged = sorted({row.id for row in rows.values() if row.code == OK} - intact)
        rows = {key: row for key, row in rows.items() if row.code != OK or key in intact}
        missing = {
            post_id: url
            for post_id, url in sorted(urls.items())
            if not _is_as_before(rows.get(post_id), url, pictures)
        }
        kept = intact - missing.keys()
        on_progress(len(urls) - len(missing))
        as_before = previous is not None and not previous.has_gaps and kept == set(previous.ids)
        if previous_tar and as_before and not missing:
            link_or_copy(previous_tar, target)
        else:
            copied = stack.enter_context(closing(_copied(missing, pictures, rows, on_progress)))
            samples = merge(samples_of(previous, kept), copied, key=itemgetter(0))
            write_shard(target, samples)
    write_outcomes((rows[post_id] for post_id in sorted(rows)), table)
    return DownloadResult([rows[post_id] for post_id in sorted(urls)], damaged)


def _is_as_before(row: DownloadOutcome | None, url: str, pictures: LocalPictures) -> bool:
    """Return whether reading a file again would change nothing: it has another URL once it has."""
    return row is not None and row.url == url and is_settled(row, url, pictures.options)


def _copied(
    urls: Mapping[int, str],
    pictures: LocalPictures,
    rows: dict[int, DownloadOutcome],
    on_progress: OnProgress,
) -> Generator[TarSample, None, None]:
    """Yield the pictures, ascending by id; add a row for each."""
    with closing(thread_map(lambda item: pictures.read(*item), sorted(urls.items()))) as fetched:
        for one in fetched:
            rows[one.outcome.id] = one.outcome
            on_progress(1)
            if one.outcome.code == OK:
                yield one.outcome.id, {one.extension: one.content}
