"""Fetches the pictures of a shard's posts; whatever becomes of a URL is a row."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from hashlib import sha256
from heapq import merge
from operator import itemgetter
from pathlib import Path

import polars as pl

from pipeline import store
from pipeline.collect.fetch_many import fetch_in_order
from pipeline.collect.guest import Guest
from pipeline.collect.journal import Journal
from pipeline.collect.options import DownloadOptions
from pipeline.collect.outcome import (
    DownloadOutcome,
    is_unasked,
    read_outcomes,
    write_outcomes,
)
from pipeline.outcome import OK, count_codes, read_ok_ids
from pipeline.progress import Advance, ignore
from pipeline.shard import ShardReader, write_shard
from sketch_models.errors import SengaError

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
        return count_codes(row for row in self.outcomes if row.code != OK)

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
    guest: Guest,
    *,
    journal: Path,
    have: Path | None = None,
    known: Path | None = None,
    advance: Advance = ignore,
) -> DownloadResult:
    """Fetches the pictures that are missing, and writes old and new ones into one tar.

    The tar depends on nothing but the pictures: they are in ascending order of their ids,
    whichever came first. Memory is bounded: by one picture per thread, and a row per post.

    Args:
        posts: parquet with the columns `id` and `url`.
        target: the tar to write: `<id>.jpg`, `.png` or `.gif`, the bytes as they came.
        table: the table of outcomes to write; see `download_outcome`.
        guest: rules, limits, and the state of the hosts.
        journal: file that gets every picture as it comes; what a run that was killed has left
            there is not asked for again. Delete it once `target` and `table` are in their places.
        have: an earlier `target`, if it exists: its pictures are taken over, never fetched again.
        known: an earlier `table`, if it exists: what failed for good is not asked for again,
            unless its URL or the options have changed. The rows of other posts are taken over, too.
        advance: called with the number of posts done.

    Returns:
        The outcomes of the posts.

    Raises:
        SengaError: where `have` or `known` cannot be read.
        OSError: where `target`, `table` or `journal` cannot be written.
    """
    urls = dict(pl.read_parquet(posts, columns=["id", "url"]).select("id", "url").iter_rows())
    with ExitStack() as stack:
        news = stack.enter_context(Journal(journal))
        old = stack.enter_context(ShardReader(have)) if have and have.exists() else None
        rows = read_outcomes(known) if known and known.exists() else {}
        rows = _in_line(rows | news.rows, old, news, urls)
        missing = {
            post_id: url
            for post_id, url in sorted(urls.items())
            if not _is_settled(rows.get(post_id), url, guest.options)
        }
        advance(len(urls) - len(missing))
        if have and old and not missing and not news.pictures():
            _link(have, target)
        else:
            schedule = guest.schedule(missing)
            fetched = stack.enter_context(
                closing(
                    fetch_in_order(
                        missing, guest.fetcher, schedule, guest.options.threads, news, advance
                    )
                )
            )
            write_shard(target, _samples(old, news, fetched, rows))
    write_outcomes((rows[post_id] for post_id in sorted(rows)), table)
    return DownloadResult([rows[post_id] for post_id in sorted(urls)])


def _in_line(
    rows: Mapping[int, DownloadOutcome],
    old: ShardReader | None,
    news: Journal,
    urls: Mapping[int, str],
) -> dict[int, DownloadOutcome]:
    """The known rows, brought into line with the pictures that are really here."""
    here = {} if old is None else {post_id: old.parts(post_id)[0] for post_id in old.ids}
    come = news.pictures()
    true = {
        post_id: row
        for post_id, row in rows.items()
        if row.code != OK or post_id in here or post_id in come
    }
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
    if row is None or row.transient or is_unasked(row.code):
        return False
    if row.code == "too_many_bytes" and row.bytes <= options.max_bytes:
        return False
    if row.code == "noai" and not options.x_robots_tag:
        return False
    return row.code == OK or row.url == url


def _samples(
    old: ShardReader | None,
    news: Journal,
    fetched: Iterator[DownloadOutcome],
    rows: dict[int, DownloadOutcome],
) -> Iterator[Sample]:
    """Old pictures, those that an earlier run has left in the journal, and those that come now."""
    here = set(old.ids) if old else set()
    left = sorted(set(news.pictures()) - here)
    sources = (
        _from_shard(old),
        ((post_id, _from_journal(news, post_id)) for post_id in left),
        _from_web(fetched, news, rows),
    )
    return merge(*sources, key=itemgetter(0))


def _from_shard(shard: ShardReader | None) -> Iterator[Sample]:
    if shard is not None:
        for post_id in sorted(shard.ids):
            yield post_id, {part: shard.read(post_id, part) for part in shard.parts(post_id)}


def _from_journal(news: Journal, post_id: int) -> dict[str, bytes]:
    return {news.part(post_id): news.read(post_id)}


def _from_web(
    fetched: Iterator[DownloadOutcome], news: Journal, rows: dict[int, DownloadOutcome]
) -> Iterator[Sample]:
    """The pictures that come; notes what became of every URL."""
    for row in fetched:
        rows[row.id] = row
        if row.code == OK:
            yield row.id, _from_journal(news, row.id)


def _link(have: Path, target: Path) -> None:
    """The same file under another name, or a copy where the file system knows no links."""
    target.unlink(missing_ok=True)
    try:
        os.link(have, target)
    except OSError:
        shutil.copyfile(have, target)


def kept_ids(posts: Path, table: Path) -> list[int]:
    """The ids of the posts whose picture is in the shard, ascending.

    Args:
        posts: parquet with the column `id`.
        table: the outcomes of their shard, which may hold those of other posts.
    """
    asked = pl.read_parquet(posts, columns=["id"])["id"].to_list()
    return sorted(set(asked) & set(read_ok_ids(table)))


def forget(table: Path, codes: Collection[str], target: Path) -> int:
    """Leaves the outcomes of some codes out of a table, so that their posts are asked for again.

    Args:
        table: of outcomes.
        codes: to leave out.
        target: the table to write.

    Returns:
        How many there were.
    """
    rows = read_outcomes(table)
    kept = [row for row in rows.values() if row.code not in codes]
    write_outcomes(kept, target)
    return len(rows) - len(kept)


def check_share(result: DownloadResult, options: DownloadOptions) -> None:
    """Stops a run that has no network, that has been shut out, or that may ask no host.

    Raises:
        SengaError: where more than `[download] max_failed_share` of the posts failed for now, or
            are on hosts that are not allowed.
    """
    asked, failed = len(result.outcomes), result.transient
    most = options.max_failed_share * asked
    if failed > most:
        reasons = count_codes(row for row in result.outcomes if row.transient)
        told = ", ".join(f"{code} {number:,}" for code, number in list(reasons.items())[:3])
        raise SengaError(
            f"{failed:,} of {asked:,} pictures could not be fetched for now ({told}): check the "
            "network and run again, or raise [download] max_failed_share; what came is kept."
        )
    hosts = Counter(row.detail for row in result.outcomes if row.code == "wrong_host")
    if hosts.total() > most:
        names = " ".join(host for host, _ in hosts.most_common(3))
        raise SengaError(
            f"{hosts.total():,} of {asked:,} pictures are on hosts that may not be asked "
            f"({names}): if you trust them, add them to [download] hosts; what came is kept."
        )
