"""Filter posts by their tags, rating, score, size and file type, and cut them into shards."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from pipeline.picture_format import EXTENSIONS, FORMATS
from pipeline.posts.fields import RATINGS, rating
from pipeline.posts.rows import POSTS
from pipeline.progress import OnProgress, ignore
from pipeline.store import shard_name
from pipeline.table import scan_table, write_table
from pipeline.thread_map import thread_map
from sketch_models.errors import ConfigError
from sketch_models.option import Options, option

_ANY_EXTENSION = r"(?i)^[^?#]*\.(?:[a-z][a-z0-9]{1,4}|7z)(?:[?#]|$)"
"""Matches the URL of a file with an extension, of a picture or not, at the end of its path."""

_SCRIPT = r"(?i)^[^?#]*\.(?:php|aspx?|ashx|cgi|jsp)(?:[?#]|$)"
"""Matches the URL of a program on the server, whose extension is not that of what it sends."""

_BATCH = 50_000  # rows
_COUNTED = 1 << 40  # boards count to some ten millions
_FIRST_RANGE = 1 << 24  # number of the first shard of ids beyond
_RANGE_BITS = 10
_POWERS = 1 << np.arange(63, dtype=np.int64)
_COLUMNS = [name for name in POSTS if name != "line"]  # a line moves whenever the CSV grows
_EXCLUSION = re.compile(r"-[^\W\d_].*(?:[^\W_]|\))")  # a `-` before an ordinary word
_DIGEST_COLUMNS = ["id", "url", "tags"]  # what later stages read of a post


@dataclass(frozen=True, kw_only=True)
class FilterOptions(Options, section="filter"):
    """Which posts to keep. The defaults are those of the paper.

    Tags are those of the booru: lower-case, with underscores, compared as a whole; a tag that is
    repeated here or in a post counts once. A tag may begin with `-`, such as `-_-`; where that
    looks like an exclusion, `-chibi`, a backslash says that it is a tag.

    Ratings may be spelled as posts have them, `Safe` or `rating:safe`; here they become letters.
    """

    all_tags: tuple[str, ...] = option(
        ("white_background", "solo", "upper_body"), "tags that a post must all have"
    )
    any_tags: tuple[str, ...] = option((), "tags of which a post must have one; none: no such rule")
    none_tags: tuple[str, ...] = option(
        ("pokemon", "chibi", "monochrome"), "tags that a post must not have"
    )
    ratings: tuple[str, ...] = option(
        ("s",),
        "ratings to keep, as letters or words: s q e; all three: unknown ones too",
        choices=tuple(RATINGS),
        not_empty=True,
    )
    min_score: int = option(
        0, "lowest score of a post, a missing one counting as 0; 0: any", at_least=0
    )
    min_side: int = option(
        0, "shortest allowed side of the picture, pixels; 0: any, unknown ones too", at_least=0
    )
    max_side: int = option(
        0, "longest allowed side of the picture, pixels; 0: any, unknown ones too", at_least=0
    )
    extensions: tuple[str, ...] = option(
        tuple(FORMATS),
        "file types to keep by the URL: jpg (also .jpeg), png, gif, webp, bmp, avif; one without "
        "an extension is kept",
        choices=tuple(EXTENSIONS),
        not_empty=True,
    )
    duplicates: str = option(
        "keep",
        "keep: all pictures that show the same, in one split; first: the first of them alone",
        affects_result=False,  # of the filter; the split applies it
        choices=("keep", "first"),
    )
    limit: int = option(0, "keep this many posts, those of the lowest ids; 0: all", at_least=0)

    def __post_init__(self) -> None:
        """Check every value, the tags by their letters, and that the rules can hold together."""
        if isinstance(self.ratings, tuple):
            letters = dict.fromkeys(rating(str(text)) or text for text in self.ratings)
            object.__setattr__(self, "ratings", tuple(letters))
        super().__post_init__()
        for name in ("all_tags", "any_tags", "none_tags"):
            for tag in getattr(self, name):
                self._check_tag(name, tag)
        self._check_contradictions()
        self.require(
            not self.max_side or self.max_side >= self.min_side,
            "max_side",
            f"0 or at least min_side, which is {self.min_side}",
        )

    @property
    def required_tags(self) -> list[str]:
        """The tags that a post must all have, as posts have them, each once."""
        return _tags(self.all_tags)

    def _check_tag(self, name: str, tag: str) -> None:
        plain = bool(tag) and not any(letter.isspace() or letter == "," for letter in tag)
        self.require(
            plain, name, "tags with spaces between them, and underscores inside", repr(tag)
        )
        lower = f"lower-case tags, as boorus have them: {tag.lower()}"
        self.require(tag == tag.lower(), name, lower, tag)
        positive = (
            "tags; those that posts must not have are for none_tags, and a tag of this name is "
            rf"written \{tag}"
        )
        self.require(not _EXCLUSION.fullmatch(tag), name, positive, tag)

    def _check_contradictions(self) -> None:
        unwanted = _tags(self.none_tags)
        both = [tag for tag in _tags(self.all_tags) if tag in unwanted]
        if both:
            raise ConfigError(
                f"[filter] all_tags and none_tags both hold {both[0]}: no post can match. "
                "Remove it from one of them."
            )
        both = [tag for tag in _tags(self.any_tags) if tag in unwanted]
        if both:
            raise ConfigError(
                f"[filter] any_tags and none_tags both hold {both[0]}. Remove it from one of them."
            )


@dataclass(frozen=True)
class ShardPosts:
    """The posts of one shard.

    Attributes:
        rows: the number of posts.
        digest: sha256 of their ids, URLs and tags, and of nothing else.
    """

    rows: int
    digest: str


@dataclass
class FilterResult:
    """The number of posts that were kept, and what each rule dropped.

    Attributes:
        posts: rows read.
        kept: rows kept.
        funnel: each rule, named after its option, and how many of the rows that passed the rules
            before it were dropped by it; `posts` less their sum is `kept`.
        shards: the shards that hold a post, by number, ascending.
    """

    posts: int = 0
    kept: int = 0
    funnel: list[tuple[str, int]] = field(default_factory=list)
    shards: dict[int, ShardPosts] = field(default_factory=dict)


@dataclass(frozen=True)
class _Rule:
    """One rule of the filter.

    Attributes:
        name: for people.
        keep: whether a row stays.
        prefilter: true of every row that stays, and faster to compute than `keep`.
    """

    name: str
    keep: pl.Expr
    prefilter: pl.Expr | None = None


def filter_posts(
    posts: Path,
    folder: Path,
    options: FilterOptions,
    shard_width: int,
    on_progress: OnProgress = ignore,
) -> FilterResult:
    """Write the posts that pass every rule as `shard-NNNNN.parquet`.

    One pass over the posts; memory is bounded by a few batches and the largest shard.

    Args:
        posts: parquet file with the columns `pipeline.posts.rows.POSTS`, ascending by id.
        folder: existing folder for the shards: the same columns but `line`, ascending by id.
        options: the rules.
        shard_width: shard n holds the ids from n * shard_width to (n + 1) * shard_width - 1, if
            boards may have counted them: see `shards_of`.
        on_progress: called with the number of posts read.

    Returns:
        Counts and shards. If nothing passes, `kept` is 0 and there is no shard.
    """
    result = FilterResult()
    rules = _rules(options)
    dropped = Counter({rule.name: 0 for rule in rules})

    def kept_rows() -> Iterator[pl.DataFrame]:
        for rows, counts in thread_map(partial(_apply_rules, rules), _batches(posts)):
            dropped.update(counts)
            chosen = rows.head(options.limit - result.kept) if options.limit else rows
            result.posts += rows.height + counts.total()
            result.kept += chosen.height
            on_progress(rows.height + counts.total())
            yield chosen

    for number, shard in thread_map(
        partial(_write_shard, folder), _cut_into_shards(kept_rows(), shard_width)
    ):
        result.shards[number] = shard
    result.funnel = list(dropped.items())
    if options.limit:
        over_limit = result.posts - dropped.total() - result.kept
        result.funnel.append((f"limit {options.limit}", over_limit))
    return result


def count_unknown(posts: Path, column: str) -> int:
    """Return the number of posts of a table without a value in a column."""
    return int(scan_table(posts).select(pl.col(column).is_null().sum()).collect().item())


def unknown_tags(posts: Path, tags: Iterable[str]) -> list[str]:
    """Return those of some tags that no post of a table has."""
    table = scan_table(posts)
    return [tag for tag in tags if not table.select(_has_tag(tag).any()).collect().item()]


def shards_of(ids: pl.Series, shard_width: int) -> pl.Series:
    """Return the number of the shard of each id.

    Ids that are hashes or times have nearly as many values as 64 bits, and each would have a shard
    of its own. So ids that no board has counted to are cut into 1,024 ranges between a power of two
    and the next, whatever `shard_width`; ids of `local_file.hashed_id` fill 64 of them.

    Args:
        ids: Int64, positive.
        shard_width: ids in a shard, of those that boards count.

    Returns:
        Int64; numbers ascend with the ids.
    """
    counted = ids // shard_width
    limit = min(_COUNTED, _FIRST_RANGE * shard_width)
    if ids.is_empty() or cast("int", ids.max()) < limit:
        return counted
    values = ids.to_numpy()
    power = np.searchsorted(_POWERS, values, side="right") - 1  # of the highest bit
    within = (values >> np.maximum(power - _RANGE_BITS, 0)) - (1 << _RANGE_BITS)
    ranges = _FIRST_RANGE + (power << _RANGE_BITS) + np.maximum(within, 0)
    return pl.Series(np.where(values < limit, counted.to_numpy(), ranges))


def _batches(posts: Path) -> Iterator[pl.DataFrame]:
    scan = scan_table(posts).select(_COLUMNS)
    return iter(scan.collect_batches(chunk_size=_BATCH, maintain_order=True, engine="streaming"))


def _cut_into_shards(
    frames: Iterable[pl.DataFrame], width: int
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Cut rows that ascend by id into shards; yield the number of each, too."""
    number = -1
    pending: list[pl.DataFrame] = []
    for frame in frames:
        keyed = frame.with_columns(shard=shards_of(frame["id"], width))
        for part in keyed.partition_by("shard", maintain_order=True):
            if pending and part.item(0, "shard") != number:
                yield number, pl.concat(pending, rechunk=True)
                pending = []
            number = part.item(0, "shard")
            pending.append(part.drop("shard"))
    if pending:
        yield number, pl.concat(pending, rechunk=True)


def _apply_rules(rules: Sequence[_Rule], batch: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
    """Return the rows that pass every rule, and how many each rule dropped.

    Each rule is applied to the rows that the rules before it kept.
    """
    dropped: Counter[str] = Counter()
    for rule in rules:
        before = batch.height
        if rule.prefilter is not None:
            batch = batch.filter(rule.prefilter)
        batch = batch.filter(rule.keep)
        dropped[rule.name] = before - batch.height
    return batch, dropped


def _rules(options: FilterOptions) -> list[_Rule]:
    rules = [
        _Rule(f"all_tags {tag}", _has_tag(tag), pl.col("tags").str.contains(tag, literal=True))
        for tag in options.required_tags
    ]
    if options.any_tags:
        has_any = pl.any_horizontal(_has_tag(tag) for tag in _tags(options.any_tags))
        rules.append(_Rule(f"any_tags {' '.join(options.any_tags)}", has_any))
    rules += [_Rule(f"none_tags {tag}", ~_has_tag(tag)) for tag in _tags(options.none_tags)]
    ratings = sorted(options.ratings)
    keeps_all = len(ratings) == len(set(RATINGS.values()))
    has_rating = pl.lit(True) if keeps_all else pl.col("rating").is_in(ratings)
    rules.append(_Rule(f"ratings {' '.join(ratings)}", has_rating))
    if options.min_score:
        score = pl.col("score").fill_null(0)
        rules.append(_Rule(f"min_score {options.min_score}", score >= options.min_score))
    sides = pl.col("width", "height")  # null if unknown, so that neither rule keeps the post
    if options.min_side:
        long_enough = pl.all_horizontal(sides >= options.min_side)
        rules.append(_Rule(f"min_side {options.min_side}", long_enough))
    if options.max_side:
        short_enough = pl.all_horizontal(sides <= options.max_side)
        rules.append(_Rule(f"max_side {options.max_side}", short_enough))
    rules.append(
        _Rule(f"extensions {' '.join(options.extensions)}", _has_extension(options.extensions))
    )
    return rules


def _tags(texts: Iterable[str]) -> list[str]:
    r"""Return tags of an option as posts have them, each once: `\-chibi` is the tag `-chibi`."""
    return list(dict.fromkeys(text[1:] if text.startswith("\\-") else text for text in texts))


def _has_tag(tag: str) -> pl.Expr:
    return (" " + pl.col("tags") + " ").str.contains(f" {tag} ", literal=True)


def _has_extension(extensions: Sequence[str]) -> pl.Expr:
    """Return whether the path of the URL, without its query, ends in one of the extensions.

    A URL without one, such as `https://example.org/picture/12`, passes: the download tells what it
    is.
    """
    formats = {EXTENSIONS[extension] for extension in extensions}
    chosen = "|".join(name for name, its_format in EXTENSIONS.items() if its_format in formats)
    url = pl.col("url")
    # Of a picture in a tar or a table, its own name counts, not that of the file around it.
    url = pl.when(url.str.starts_with("file:")).then(url.str.replace("^.*#", "")).otherwise(url)
    has_one = url.str.contains(rf"(?i)^[^?#]*\.(?:{chosen})(?:[?#]|$)")
    return has_one | ~url.str.contains(_ANY_EXTENSION) | url.str.contains(_SCRIPT)


def _write_shard(folder: Path, shard: tuple[int, pl.DataFrame]) -> tuple[int, ShardPosts]:
    number, rows = shard
    write_table(rows, folder / f"{shard_name(number)}.parquet")
    content = rows.select(_DIGEST_COLUMNS).write_ndjson().encode()
    return number, ShardPosts(rows.height, hashlib.sha256(content).hexdigest())
