"""Numbers of the stages of a build, for the report and for dataset cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.report.report import StageFacts
from tasks.download_shard import DownloadShard
from tasks.filter_posts import FilterPosts
from tasks.import_metadata import ImportMetadata
from tasks.screen_shard import ScreenShard
from tasks.simplify_shard import SimplifyShard
from tasks.sketch_shard import SketchShard
from tasks.split_dataset import SplitDataset
from tasks.stage import Stage


def facts_up_to_split() -> list[StageFacts]:
    """Return the numbers of the stages from the metadata to the split, in order."""
    shards = FilterPosts().shards()
    stages: list[list[Sequence[Stage]]] = [
        [[ImportMetadata()]],
        [[FilterPosts()]],
        [[DownloadShard(shard=number) for number in shards]],
        [[ScreenShard(shard=number) for number in shards]],
        [
            [SketchShard.variants(number)[suffix] for number in shards]
            for suffix in SketchShard.variants(0)
        ],
        [
            [SimplifyShard.variants(number)[suffix] for number in shards]
            for suffix in SimplifyShard.variants(0)
        ],
        [[SplitDataset()]],
    ]
    return [sum_up(variants) for variants in stages]


def sum_up(variants: Sequence[Sequence[Stage]]) -> StageFacts:
    """Sum up the tasks of a stage; its pictures are those of the variant with the fewest."""
    manifests = [[task.manifest() for task in tasks] for tasks in variants]
    all_manifests = [manifest for variant in manifests for manifest in variant]
    dropped: Counter[str] = Counter()
    for manifest in all_manifests:
        dropped.update(manifest.dropped)
    return StageFacts(
        name=variants[0][0].stage,
        unit=variants[0][0].unit,
        kept=min(sum(manifest.kept for manifest in variant) for variant in manifests),
        dropped=dict(dropped.most_common()),
        seconds=sum(manifest.seconds for manifest in all_manifests),
        bytes=sum(manifest.bytes for manifest in all_manifests),
    )


def filter_rules() -> list[tuple[str, int]]:
    """Return the filter's rules, in order, with the number of posts that each dropped."""
    return _rows(FilterPosts(), "funnel")


def screen_counts(fact: str) -> Counter[str]:
    """Return counts of the screen, `gates` or `color_profiles`, summed over all shards."""
    counts = Counter[str]()
    for number in FilterPosts().shards():
        counts.update(dict(_rows(ScreenShard(shard=number), fact)))
    return counts


def _rows(task: Stage, fact: str) -> list[tuple[str, int]]:
    """Return names and counts from the facts of a manifest."""
    rows = task.manifest().facts[fact]
    assert isinstance(rows, list)
    return [(str(name), int(number)) for name, number in rows]
