"""Fetches the pictures of a shard's posts; whatever becomes of a URL is a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from hashlib import sha256
from heapq import merge
from operator import itemgetter
from pathlib import Path

import polars as pl

from pipeline import store
from pipeline.admit import Admit, http_only
from pipeline.download_options import DownloadOptions
from pipeline.download_outcome import DownloadOutcome, read_outcomes, write_outcomes
from pipeline.errors import SengaError
from pipeline.fetch import Fetched, Fetcher
from pipeline.fetch_many import fetch_in_order
from pipeline.outcome import OK, count, ok_ids
from pipeline.progress import Advance, ignore
from pipeline.shard import ShardReader, write_shard

__all__ = ["DownloadOptions", "DownloadResult", "check_share", "download_shard", "kept_ids"]

Sample = tuple[int, dict[str, bytes]]  # post id, and its parts by extension


@dataclass(frozen=True)
class DownloadResult:
    """What became of a shard's posts.

    Attributes:
        outcomes: one row per post, ascending by id, whether it was fetched now or earlier.
    """

    outcomes: list[DownloadOutcome]

    @property
    def kept(self) -> int:
        """Posts whose picture is in the shard."""
        return sum(row.code == OK for row in self.outcomes)

    @property
    def dropped(self) -> dict[str, int]:
        """Posts without a picture, per reason, the most frequent first."""
        return count(row for row in self.outcomes if row.code != OK)

    @property
    def transient(self) -> int:
        """Posts that a later run should ask for again."""
        return sum(row.transient for row in self.outcomes)

    @property
    def digest(self) -> str:
        """Of the ids and the bytes of the pictures, and of nothing else."""
        return store.digest({row.id: row.sha256 for row in self.outcomes if row.code == OK})


def download_shard(
    posts: Path,
    target: Path,
    table: Path,
    options: DownloadOptions,
    *,
    have: Path | None = None,
    known: Path | None = None,
    connect_to: Mapping[str, str],
    admit: Admit = http_only,
    advance: Advance = ignore,
) -> DownloadResult:
    """Fetches the pictures that are missing, and writes old and new ones into one tar.

    The tar depends on nothing but the pictures: they are in ascending order of their ids,
    whichever came first. Memory is bounded: by one picture per thread, and by what `Spool` holds.

    Args:
        posts: parquet with the columns `id` and `url`.
        target: the tar to write: `<id>.jpg`, `.png` or `.gif`, the bytes as they came.
        table: the table of outcomes to write; see `download_outcome`.
        options: limits, threads and retries.
        have: an earlier `target`, if it exists: its pictures are taken over, never fetched again.
        known: an earlier `table`, if it exists: what failed for good is not asked for again,
            unless its URL has changed. The rows of other posts are taken over, too.
        connect_to: host name to `address:port`; see `Fetcher`.
        admit: asked before every request.
        advance: called with the number of posts done.

    Returns:
        The outcomes of the posts.

    Raises:
        SengaError: where `have` or `known` cannot be read.
        OSError: where `target` or `table` cannot be written.
    """
    urls = dict(pl.read_parquet(posts, columns=["id", "url"]).select("id", "url").iter_rows())
    rows = read_outcomes(known) if known and known.exists() else {}
    with ExitStack() as stack:
        old = stack.enter_context(ShardReader(have)) if have and have.exists() else None
        rows = _in_line(rows, old, urls)
        missing = {
            post_id: url
            for post_id, url in sorted(urls.items())
            if not _is_settled(rows.get(post_id), url, options)
        }
        advance(len(urls) - len(missing))

        def fetcher(pause: Callable[[float], bool]) -> Fetcher:
            return Fetcher(options, connect_to=connect_to, pause=pause, admit=admit)

        fetched = stack.enter_context(
            closing(fetch_in_order(missing, fetcher, options.threads, target.parent, advance))
        )
        samples = merge(_samples(old), _pictures(fetched, rows), key=itemgetter(0))
        write_shard(target, samples)
    write_outcomes((rows[post_id] for post_id in sorted(rows)), table)
    return DownloadResult([rows[post_id] for post_id in sorted(urls)])


def _in_line(
    rows: Mapping[int, DownloadOutcome], old: ShardReader | None, urls: Mapping[int, str]
) -> dict[int, DownloadOutcome]:
    """The known rows, brought into line with the pictures that are really here."""
    here = {} if old is None else {post_id: old.parts(post_id)[0] for post_id in old.ids}
    true = {post_id: row for post_id, row in rows.items() if row.code != OK or post_id in here}
    for post_id, part in here.items():
        if old and post_id in urls and (post_id not in true or true[post_id].code != OK):
            content = old.read(post_id, part)
            true[post_id] = DownloadOutcome(
                post_id,
                OK,
                url=urls[post_id],
                bytes=len(content),
                sha256=sha256(content).hexdigest(),
            )
    return true


def _is_settled(row: DownloadOutcome | None, url: str, options: DownloadOptions) -> bool:
    """Whether there is nothing to gain from asking for a post again."""
    if row is None or row.transient:
        return False
    if row.code == "too_many_bytes" and row.bytes <= options.max_bytes:
        return False
    return row.code == OK or row.url == url


def _samples(shard: ShardReader | None) -> Iterator[Sample]:
    if shard is not None:
        for post_id in sorted(shard.ids):
            yield post_id, {part: shard.read(post_id, part) for part in shard.parts(post_id)}


def _pictures(fetched: Iterator[Fetched], rows: dict[int, DownloadOutcome]) -> Iterator[Sample]:
    """The pictures that came; notes what became of every URL."""
    for one in fetched:
        rows[one.outcome.id] = one.outcome
        if one.content:
            yield one.outcome.id, {one.part: one.content}


def kept_ids(posts: Path, table: Path) -> list[int]:
    """The ids of the posts whose picture is in the shard, ascending.

    Args:
        posts: parquet with the column `id`.
        table: the outcomes of their shard, which may hold those of other posts.
    """
    asked = pl.read_parquet(posts, columns=["id"])["id"].to_list()
    return sorted(set(asked) & set(ok_ids(table)))


def check_share(result: DownloadResult, options: DownloadOptions) -> None:
    """Stops a run that has no network, or that has been shut out.

    Raises:
        SengaError: where more than `[download] max_failed_share` of the posts failed for now.
    """
    asked, failed = len(result.outcomes), result.transient
    if failed <= options.max_failed_share * asked:
        return
    reasons = count(row for row in result.outcomes if row.transient)
    told = ", ".join(f"{code} {number:,}" for code, number in list(reasons.items())[:3])
    raise SengaError(
        f"{failed:,} of {asked:,} pictures could not be fetched for now ({told}): check the "
        "network and run again, or raise [download] max_failed_share; what came is kept."
    )
