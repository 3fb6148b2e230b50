"""Chooses posts by their tags, rating, score, size and file type, and cuts them into shards."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

from pipeline.posts.rows import POSTS, RATINGS
from pipeline.progress import Advance, ignore
from pipeline.thread_map import thread_map
from sketch_models.option import OptionError, option, require

EXTENSIONS = ("jpg", "jpeg", "png", "gif")

_BATCH = 50_000  # rows
_COLUMNS = [name for name in POSTS if name != "line"]  # a line moves whenever the CSV grows
_MATTERS = ["id", "url", "tags"]  # what later stages see of a post


@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    """Which posts to keep: section `[filter]`. The defaults are the recipe of the paper.

    Tags are those of the booru: lower-case, with underscores, compared as a whole; a tag that is
    repeated here or in a post counts once.
    """

    all_tags: tuple[str, ...] = option(
        ("white_background", "solo", "upper_body"), "tags that a post must all have"
    )
    any_tags: tuple[str, ...] = option((), "tags of which a post must have one; none: no such rule")
    none_tags: tuple[str, ...] = option(
        ("pokemon", "chibi", "monochrome"), "tags that a post must not have"
    )
    ratings: tuple[str, ...] = option(("s",), "ratings to keep, as letters or words: s q e")
    min_score: int = option(0, "lowest score, where none counts as 0; 0: whatever the score")
    min_side: int = option(0, "shortest allowed side of the picture, pixels; 0: any")
    max_side: int = option(0, "longest allowed side of the picture, pixels; 0: any")
    extensions: tuple[str, ...] = option(
        ("jpg", "png", "gif"), "file types to keep: jpg (also .jpeg), png, gif"
    )
    duplicates: str = option(
        "keep",
        "of pictures that show the same: keep all, on one side of the split, or the first alone",
        affects_result=False,  # here: it is the split that leaves them out
    )
    limit: int = option(0, "keep this many posts, those of the lowest ids; 0: all")

    def __post_init__(self) -> None:
        for name in ("all_tags", "any_tags", "none_tags"):
            for tag in getattr(self, name):
                _check_tag(f"[filter] {name}", tag)
        self._check_contradictions()
        _check_words("[filter] ratings", self.ratings, tuple(RATINGS))
        _check_words("[filter] extensions", self.extensions, EXTENSIONS)
        known = self.duplicates in ("keep", "first")
        require(known, "[filter] duplicates", self.duplicates, "keep or first")
        for name in ("min_score", "min_side", "max_side", "limit"):
            value = getattr(self, name)
            require(value >= 0, f"[filter] {name}", value, "0 or more")
        if self.max_side:
            require(
                self.max_side >= self.min_side,
                "[filter] max_side",
                self.max_side,
                f"0 or at least min_side, which is {self.min_side}",
            )

    def _check_contradictions(self) -> None:
        both = [tag for tag in self.all_tags if tag in self.none_tags]
        if both:
            raise OptionError(
                f"[filter] all_tags and none_tags both hold {both[0]}: no post can match; "
                "expected it in one of them."
            )
        both = [tag for tag in self.any_tags if tag in self.none_tags]
        if both:
            raise OptionError(
                f"[filter] any_tags and none_tags both hold {both[0]}: expected it in one of them."
            )


@dataclass(frozen=True)
class ShardPosts:
    """The posts of one shard.

    Attributes:
        rows: how many.
        digest: sha256 of their ids, URLs and tags, and of nothing else.
    """

    rows: int
    digest: str


@dataclass
class FilterResult:
    """What the filter did.

    Attributes:
        posts: rows read.
        kept: rows kept.
        funnel: each rule, named after its option, and how many of the rows that the rules before
            it had left it dropped; `posts` less their sum is `kept`.
        shards: the shards that hold a post, by number, ascending.
    """

    posts: int = 0
    kept: int = 0
    funnel: list[tuple[str, int]] = field(default_factory=list)
    shards: dict[int, ShardPosts] = field(default_factory=dict)


@dataclass(frozen=True)
class _Rule:
    """A rule of the funnel.

    Attributes:
        name: what people see.
        keep: whether a row stays.
        hint: true of every row that stays, and faster to compute than `keep`.
    """

    name: str
    keep: pl.Expr
    hint: pl.Expr | None = None


def filter_posts(
    posts: Path,
    folder: Path,
    options: FilterOptions,
    shard_width: int,
    advance: Advance = ignore,
) -> FilterResult:
    """Writes the posts that pass every rule as `shard-NNNNN.parquet`.

    One pass over the posts; memory is bounded by a few batches and the largest shard.

    Args:
        posts: parquet file with the columns `pipeline.posts.rows.POSTS`, ascending by id.
        folder: existing folder for the shards: the same columns but `line`, ascending by id.
        options: the rules.
        shard_width: shard n holds the ids from n * shard_width to (n + 1) * shard_width - 1.
        advance: called with the number of posts looked at.

    Returns:
        Counts and shards. Where nothing passes, `kept` is 0 and there is no shard.
    """
    result = FilterResult()
    rules = _rules(options)
    dropped = Counter({rule.name: 0 for rule in rules})

    def kept() -> Iterator[pl.DataFrame]:
        for rows, counts in thread_map(partial(_sift, rules), _batches(posts)):
            dropped.update(counts)
            chosen = rows.head(options.limit - result.kept) if options.limit else rows
            result.posts += rows.height + counts.total()
            result.kept += chosen.height
            advance(rows.height + counts.total())
            yield chosen

    for number, shard in thread_map(partial(_write, folder), _shards(kept(), shard_width)):
        result.shards[number] = shard
    result.funnel = list(dropped.items())
    if options.limit:
        rest = result.posts - dropped.total() - result.kept
        result.funnel.append((f"limit {options.limit}", rest))
    return result


def _batches(posts: Path) -> Iterator[pl.DataFrame]:
    scan = pl.scan_parquet(posts).select(_COLUMNS)
    return iter(scan.collect_batches(chunk_size=_BATCH, maintain_order=True, engine="streaming"))


def _shards(frames: Iterable[pl.DataFrame], width: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Cuts rows that ascend by id at multiples of `width`; gives the number of each piece too."""
    number = -1
    pending: list[pl.DataFrame] = []
    for frame in frames:
        keyed = frame.with_columns(shard=pl.col("id") // width)
        for part in keyed.partition_by("shard", maintain_order=True):
            if pending and part.item(0, "shard") != number:
                yield number, pl.concat(pending, rechunk=True)
                pending = []
            number = part.item(0, "shard")
            pending.append(part.drop("shard"))
    if pending:
        yield number, pl.concat(pending, rechunk=True)


def _sift(rules: Sequence[_Rule], batch: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
    """The rows that pass every rule, and how many each rule dropped.

    Rule by rule, so that each works on the rows that are left.
    """
    dropped: Counter[str] = Counter()
    for rule in rules:
        before = batch.height
        if rule.hint is not None:
            batch = batch.filter(rule.hint)
        batch = batch.filter(rule.keep)
        dropped[rule.name] = before - batch.height
    return batch, dropped


def _rules(options: FilterOptions) -> list[_Rule]:
    rules = [
        _Rule(f"all_tags {tag}", _has(tag), pl.col("tags").str.contains(tag, literal=True))
        for tag in dict.fromkeys(options.all_tags)
    ]
    if options.any_tags:
        some = pl.any_horizontal(_has(tag) for tag in options.any_tags)
        rules.append(_Rule(f"any_tags {' '.join(options.any_tags)}", some))
    rules += [_Rule(f"none_tags {tag}", ~_has(tag)) for tag in dict.fromkeys(options.none_tags)]
    ratings = sorted({RATINGS[rating] for rating in options.ratings})
    rules.append(_Rule(f"ratings {' '.join(ratings)}", pl.col("rating").is_in(ratings)))
    if options.min_score:
        score = pl.col("score").fill_null(0)
        rules.append(_Rule(f"min_score {options.min_score}", score >= options.min_score))
    if options.min_side:
        shorter = pl.min_horizontal("width", "height")
        rules.append(_Rule(f"min_side {options.min_side}", shorter >= options.min_side))
    if options.max_side:
        longer = pl.max_horizontal("width", "height")
        rules.append(_Rule(f"max_side {options.max_side}", longer <= options.max_side))
    rules.append(_Rule(f"extensions {' '.join(options.extensions)}", _is_type(options.extensions)))
    return rules


def _has(tag: str) -> pl.Expr:
    return (" " + pl.col("tags") + " ").str.contains(f" {tag} ", literal=True)


def _is_type(extensions: Sequence[str]) -> pl.Expr:
    """Whether the path of the URL, without its query, ends in one of the extensions."""
    wanted = {"jpe?g" if extension in ("jpg", "jpeg") else extension for extension in extensions}
    return pl.col("url").str.contains(rf"(?i)^[^?#]*\.(?:{'|'.join(sorted(wanted))})(?:[?#]|$)")


def _write(folder: Path, shard: tuple[int, pl.DataFrame]) -> tuple[int, ShardPosts]:
    number, rows = shard
    rows.write_parquet(folder / f"shard-{number:05d}.parquet")
    content = rows.select(_MATTERS).write_ndjson().encode()
    return number, ShardPosts(rows.height, hashlib.sha256(content).hexdigest())


def _check_tag(name: str, tag: str) -> None:
    require(
        bool(tag) and not any(character.isspace() or character == "," for character in tag),
        name,
        repr(tag),
        "tags with spaces between them, and underscores inside",
    )
    require(tag == tag.lower(), name, tag, f"lower-case tags, as boorus have them: {tag.lower()}")
    require(not tag.startswith("-"), name, tag, "a tag; what posts must not have is for none_tags")


def _check_words(name: str, words: Sequence[str], known: Sequence[str]) -> None:
    shown = " ".join(words) or "''"
    require(bool(words) and set(words) <= set(known), name, shown, f"some of {' '.join(known)}")
