"""Export the pictures of a build: part by part, then what is of all parts, then the final name."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pipeline import store
from pipeline.export.card import CardFacts, card
from pipeline.export.formats import FORMATS, metadata_row
from pipeline.export.read import Plan, read_samples
from pipeline.export.sample import CREDITS, Part, Sample
from pipeline.export.unfinished import PartRecord, Unfinished
from pipeline.outcome import OK, Outcome, write_outcomes
from pipeline.pack.pack import ShardPaths
from pipeline.pack.split import SPLITS
from pipeline.picture import keep_freed_memory
from pipeline.progress import OnProgress, ignore


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The result of an export.

    Attributes:
        counts: number of pictures by split.
        dropped: number of pictures that are not in it, by code.
    """

    counts: Mapping[str, int]
    dropped: Mapping[str, int]


def export(
    folder: Path,
    split_of_post: Mapping[int, str],
    shards: Sequence[ShardPaths],
    plan: Plan,
    facts: CardFacts,
    *,
    fingerprint: str,
    on_progress: OnProgress = ignore,
) -> Exported:
    """Write an export, or the parts of it that an earlier run has not completed.

    Args:
        folder: to write into: `<format>/` with the files for the trainer, and `outcomes.parquet`.
        split_of_post: `train` or `test` by post id, ascending.
        shards: in ascending order of post ids.
        plan: what to take of each picture.
        facts: for the dataset card.
        fingerprint: of everything that the export is made from.
        on_progress: called with the number of pictures done.

    Raises:
        DamagedFileError: if a shard or a table is damaged.
        SengaError: no space, no permission, and the like.
    """
    keep_freed_memory()
    target = folder / plan.options.format
    with store.explain_write_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = Unfinished(target, fingerprint)
        parts = [part for split in SPLITS for part in _cut(split, split_of_post, plan)]
        for split in SPLITS:
            _export_split(
                [part for part in parts if part.split == split],
                shards,
                plan,
                unfinished,
                on_progress,
            )
        exported = _finish(unfinished, parts, plan, facts, folder / "outcomes.parquet")
        unfinished.publish()
    return exported


def _cut(split: str, split_of_post: Mapping[int, str], plan: Plan) -> list[Part]:
    """Return the parts of a split, in ascending order of post ids."""
    ids = [post_id for post_id, name in split_of_post.items() if name == split]
    size = plan.options.pictures_per_file
    starts = range(0, len(ids), size)
    return [
        Part(split=split, number=number, of=len(starts), ids=ids[start : start + size])
        for number, start in enumerate(starts)
    ]


def _export_split(
    parts: Sequence[Part],
    shards: Sequence[ShardPaths],
    plan: Plan,
    unfinished: Unfinished,
    on_progress: OnProgress,
) -> None:
    left = [part for part in parts if unfinished.record(part.name) is None]
    on_progress(sum(len(part.ids) for part in parts if part not in left))
    part_of = {post_id: part for part in left for post_id in part.ids}
    ids = list(part_of)
    with closing(read_samples(ids, shards, plan)) as rows:
        for part, group in groupby(rows, lambda row: part_of[row.id]):
            _write_part(part, group, plan, unfinished, on_progress)
            left.remove(part)
    for part in left:  # of whose pictures no shard has any
        _write_part(part, (), plan, unfinished, on_progress)


def _write_part(
    part: Part,
    rows: Iterable[Sample | Outcome],
    plan: Plan,
    unfinished: Unfinished,
    on_progress: OnProgress,
) -> None:
    target = FORMATS[plan.options.format]
    metadata: list[dict[str, object]] = []
    credit: list[Sequence[str]] = []
    outcomes: dict[int, Outcome] = {}

    def samples() -> Iterator[Sample]:
        for row in rows:
            on_progress(1)
            if isinstance(row, Outcome):
                outcomes[row.id] = row
                continue
            outcomes[row.id] = Outcome(row.id, OK)
            credit.append(row.credit)
            if target.metadata is not None:
                metadata.append(metadata_row(target, row))
            yield row

    names = [target.color, *plan.drawings.names.values()]
    files = target.write(unfinished.files, part, names, samples())
    on_progress(len(part.ids) - len(outcomes))
    missing = {i: Outcome(i, "missing", "in none of the shards") for i in part.ids}
    sizes = {str(file.relative_to(unfinished.files)): file.stat().st_size for file in files}
    record = PartRecord(
        files=sizes,
        metadata=metadata,
        credits=credit,
        outcomes=[(each.id, each.code, each.detail) for each in (missing | outcomes).values()],
    )
    unfinished.complete(part.name, record)


def _finish(
    unfinished: Unfinished, parts: Sequence[Part], plan: Plan, facts: CardFacts, table: Path
) -> Exported:
    """Write what is of all parts: metadata, credits, the card, and the table of outcomes."""
    outcomes: list[Outcome] = []
    counts = Counter(dict.fromkeys(SPLITS, 0))
    with ExitStack() as stack:
        rows_of = {
            split: stack.enter_context(
                (unfinished.files / split / "metadata.jsonl").open("w", encoding="utf-8")
            )
            for split in SPLITS
            if FORMATS[plan.options.format].metadata is not None
        }
        credit = stack.enter_context(
            (unfinished.files / "credits.csv").open("w", encoding="utf-8", newline="")
        )
        writer = csv.writer(credit, lineterminator="\n")
        writer.writerow(("split", *CREDITS))
        for part in parts:
            record = unfinished.record(part.name)
            assert record is not None, part.name
            writer.writerows((part.split, *row) for row in record.credits)
            for row in record.metadata:
                rows_of[part.split].write(json.dumps(row, ensure_ascii=False) + "\n")
            counts[part.split] += len(record.credits)
            outcomes += [Outcome(*outcome) for outcome in record.outcomes]
    dropped = Counter(outcome.code for outcome in outcomes if outcome.code != OK)
    exported = Exported(counts=dict(counts), dropped=dict(dropped.most_common()))
    text = card(facts, plan, exported.counts, exported.dropped)
    (unfinished.files / "README.md").write_text(text, encoding="utf-8")
    with store.publish(table) as temporary:
        write_outcomes(outcomes, temporary)
    return exported
