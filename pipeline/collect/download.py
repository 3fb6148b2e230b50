"""Download the pictures of a shard's posts; whatever becomes of a URL is a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from hashlib import sha256
from heapq import merge
from operator import itemgetter
from pathlib import Path

from pipeline import store
from pipeline.collect.client import PoliteClient
from pipeline.collect.earlier_shard import (
    ids_on_disk,
    link_or_copy,
    read_color,
    samples_of,
)
from pipeline.collect.fetch_many import fetch_in_order
from pipeline.collect.journal import Journal
from pipeline.collect.options import DownloadOptions
from pipeline.collect.outcome import (
    DownloadOutcome,
    is_blocked,
    read_outcomes,
    write_outcomes,
)
from pipeline.collect.robots import IN_ROBOTS_TXT
from pipeline.outcome import OK, count_codes, read_ok_ids
from pipeline.progress import OnProgress, ignore
from pipeline.shard import ShardReader, TarSample, write_shard
from pipeline.table import read_table
from sketch_models.errors import SengaError

__all__ = ["DownloadOptions", "DownloadResult", "check_failed_share", "download_shard", "kept_ids"]


@dataclass(frozen=True)
class DownloadResult:
    """The result of `download_shard`.

    Attributes:
        outcomes: one row per post, ascending by id, whether of this run or of an earlier one.
        damaged: posts of the shard whose picture on disk was not as it was downloaded; those of
            this filter were downloaded again.
    """

    outcomes: list[DownloadOutcome]
    damaged: Sequence[int] = ()

    @property
    def kept(self) -> int:
        """Number of posts whose picture is in the shard."""
        return sum(row.code == OK for row in self.outcomes)

    @property
    def dropped(self) -> dict[str, int]:
        """Number of posts without a picture, by reason, the most frequent first."""
        return count_codes(row for row in self.outcomes if row.code != OK)

    @property
    def transient(self) -> int:
        """Number of posts that a later run should try again."""
        return sum(row.transient for row in self.outcomes)

    @property
    def digest(self) -> str:
        """Digest of the ids and the bytes of the pictures, and of nothing else."""
        return store.digest({row.id: row.sha256 for row in self.outcomes if row.code == OK})


def download_shard(
    posts: Path,
    target: Path,
    table: Path,
    client: PoliteClient,
    *,
    journal: Path,
    previous_tar: Path | None = None,
    previous_table: Path | None = None,
    on_progress: OnProgress = ignore,
) -> DownloadResult:
    """Download the missing pictures of a shard, and write old and new ones into one tar.

    The tar depends on nothing but the pictures: they are in ascending order of their ids, in
    whatever order they came. Memory is bounded: by one picture per thread, and a row per post.

    Args:
        posts: parquet with the columns `id` and `url`.
        target: the tar to write: `<id>.jpg`, `<id>.png` and so on, by the type of the bytes, as the
            server sent them.
        table: the table of outcomes to write; see `outcome.write_outcomes`.
        client: sends the requests.
        journal: file that gets every picture as it comes; pictures that a killed run has left in
            it are not downloaded again. Delete it once `target` and `table` are published.
        previous_tar: an earlier `target`, if it exists: its pictures are taken over, but for
            those that are not as they were downloaded.
        previous_table: an earlier `table`, if it exists: what failed permanently is not tried
            again, unless its URL or the options have changed. The rows of other posts stay, too.
        on_progress: called with the number of posts done.

    Returns:
        The outcomes of the posts.

    Raises:
        DamagedFileError: if `previous_tar` cannot be opened, or `previous_table` is damaged.
        OSError: if `target`, `table` or `journal` cannot be written.
    """
    urls = dict(read_table(posts, ["id", "url"]).iter_rows())
    with ExitStack() as stack:
        entries = stack.enter_context(Journal(journal))
        previous = None
        if previous_tar and previous_tar.exists():
            previous = stack.enter_context(ShardReader(previous_tar, salvage=True))
        rows = {}
        if previous_table and previous_table.exists():
            rows = read_outcomes(previous_table)
        on_disk = ids_on_disk(previous, rows | entries.rows)
        damaged = sorted(_ok_ids(rows.values()) - on_disk - set(entries.pictures()))
        rows = _reconcile(rows | entries.rows, previous, on_disk, entries, urls)
        missing = {
            post_id: url
            for post_id, url in sorted(urls.items())
            if not is_settled(rows.get(post_id), url, client.options)
        }
        on_progress(len(urls) - len(missing))
        as_before = previous is not None and not previous.has_gaps and on_disk == set(previous.ids)
        if previous_tar and as_before and not missing and not set(entries.pictures()) - on_disk:
            link_or_copy(previous_tar, target)
        else:
            fetched = fetch_in_order(
                missing,
                client.fetcher,
                client.schedule(missing),
                client.options.threads,
                entries,
                on_progress,
            )
            stack.enter_context(closing(fetched))
            write_shard(target, _merged_samples(previous, on_disk, entries, fetched, rows))
    write_outcomes((rows[post_id] for post_id in sorted(rows)), table)
    return DownloadResult([rows[post_id] for post_id in sorted(urls)], damaged)


def _ok_ids(rows: Iterable[DownloadOutcome]) -> set[int]:
    return {row.id for row in rows if row.code == OK}


def _reconcile(
    rows: Mapping[int, DownloadOutcome],
    previous: ShardReader | None,
    on_disk: Collection[int],
    journal: Journal,
    urls: Mapping[int, str],
) -> dict[int, DownloadOutcome]:
    """Return the rows that agree with the pictures that exist.

    An `ok` without a picture is left out, and a picture without an `ok` gets one.
    """
    in_journal = journal.pictures()
    reconciled = {
        post_id: row
        for post_id, row in rows.items()
        if row.code != OK or post_id in on_disk or post_id in in_journal
    }
    for post_id in on_disk:
        row = reconciled.get(post_id)
        if previous and post_id in urls and (row is None or row.code != OK):
            content = read_color(previous, post_id)
            reconciled[post_id] = DownloadOutcome(
                post_id,
                OK,
                url=urls[post_id],
                bytes=len(content),
                sha256=sha256(content).hexdigest(),
            )
    return reconciled


def is_settled(row: DownloadOutcome | None, url: str, options: DownloadOptions) -> bool:
    """Return whether another request for a post would change nothing."""
    if row is None or row.transient or is_blocked(row.code):
        return False
    if row.code == "too_many_bytes" and row.bytes <= options.max_bytes:
        return False
    if row.code == "noai" and not options.x_robots_tag:
        return False
    if row.code == "wrong_type" and options.wrong_type == "keep":
        return False
    return row.code == OK or row.url == url


def _merged_samples(
    previous: ShardReader | None,
    on_disk: Collection[int],
    journal: Journal,
    fetched: Iterator[DownloadOutcome],
    rows: dict[int, DownloadOutcome],
) -> Iterator[TarSample]:
    """Merge old pictures, those that a killed run has left in the journal, and new ones, by id."""
    in_journal = sorted(set(journal.pictures()) - set(on_disk))
    sources = (
        samples_of(previous, on_disk),
        ((post_id, _from_journal(journal, post_id)) for post_id in in_journal),
        _from_web(fetched, journal, rows),
    )
    return merge(*sources, key=itemgetter(0))


def _from_journal(journal: Journal, post_id: int) -> dict[str, bytes]:
    return {journal.extension(post_id): journal.read(post_id)}


def _from_web(
    fetched: Iterator[DownloadOutcome], journal: Journal, rows: dict[int, DownloadOutcome]
) -> Iterator[TarSample]:
    """Yield the pictures as they are fetched; add a row for every URL."""
    for row in fetched:
        rows[row.id] = row
        if row.code == OK:
            yield row.id, _from_journal(journal, row.id)


def kept_ids(posts: Path, table: Path) -> list[int]:
    """Return the ids of the posts whose picture is in the shard, ascending.

    Args:
        posts: parquet with the column `id`.
        table: the outcomes of their shard, which may hold those of other posts.
    """
    post_ids = read_table(posts, ["id"])["id"].to_list()
    return sorted(set(post_ids) & set(read_ok_ids(table)))


def drop_outcomes(table: Path, codes: Collection[str], target: Path) -> int:
    """Drop the outcomes of some codes from a table, so that their posts are downloaded again.

    Args:
        table: of outcomes.
        codes: of the outcomes to drop.
        target: the table to write.

    Returns:
        The number of dropped outcomes.
    """
    rows = read_outcomes(table)
    kept = [row for row in rows.values() if row.code not in codes]
    write_outcomes(kept, target)
    return len(rows) - len(kept)


def check_failed_share(result: DownloadResult, options: DownloadOptions) -> None:
    """Raise SengaError if too many posts of a shard failed: there may be no network.

    Raises:
        SengaError: if more than `[download] max_failed_share` of the posts failed transiently, or
            are on hosts that are not allowed, or in private networks.
    """
    total, failed = len(result.outcomes), result.transient
    limit = options.max_failed_share * total
    if failed > limit:
        counts = count_codes(row for row in result.outcomes if row.transient)
        reasons = ", ".join(f"{code} {number:,}" for code, number in list(counts.items())[:3])
        raise SengaError(
            f"{failed:,} of {total:,} pictures could not be downloaded ({reasons}). Check the "
            "network and run again, or raise [download] max_failed_share. Those downloaded so far "
            "are kept."
        )
    for code, place, remedy in _REFUSED_HOSTS:
        hosts = Counter(
            row.detail.removeprefix(IN_ROBOTS_TXT).partition(" ")[0]
            for row in result.outcomes
            if row.code == code
        )
        if hosts.total() > limit:
            names = " ".join(host for host, _ in hosts.most_common(3))
            raise SengaError(
                f"{hosts.total():,} of {total:,} pictures are {place} ({names}). {remedy}. Those "
                "downloaded so far are kept."
            )


_REFUSED_HOSTS = (
    (
        "wrong_host",
        "on hosts that are not allowed",
        "If you trust them, add them to [download] hosts",
    ),
    (
        "private_address",
        "on this machine or in a private network",
        "If this is a booru of your own, set [download] allow_private = true",
    ),
)
"""Codes of hosts that a person may allow; where they are, and what to do."""
