"""The whole dataset, and the report on it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import luigi
from rich.console import Console

from pipeline import store
from pipeline.pack.split import PARTS
from pipeline.pack.verify import verify
from pipeline.picture import encode_png
from pipeline.progress import Advance
from pipeline.report.contact_sheet import read_contact_sheet
from pipeline.report.groups_sheet import groups_sheet
from pipeline.report.report import ReportFacts, StageFacts, summary_table, write_report
from sketch_models.errors import SengaError
from tasks import config
from tasks.download_shard import DownloadShard
from tasks.filter_posts import FilterPosts
from tasks.import_metadata import ImportMetadata
from tasks.pack_dataset import PackDataset
from tasks.screen_shard import ScreenShard
from tasks.simplify_shard import SimplifyShard
from tasks.sketch_shard import SketchShard
from tasks.split_dataset import SplitDataset
from tasks.stage import Made, Stage

NAMES = ("train.h5", "test.h5", "report.html")


class BuildDataset(Stage):
    """Builds `train.h5`, `test.h5` and `report.html` from the configured posts."""

    stage = "report"

    def __init__(self, *args: object, **values: object) -> None:
        """Asks at once for everything that a person must provide, and gets the weights."""
        super().__init__(*args, **values)
        chain: list[Stage] = [
            ImportMetadata(),
            *SketchShard.variants(0).values(),
            *SimplifyShard.variants(0).values(),
        ]
        needs = dict.fromkeys(sentence for task in chain for sentence in task.needs())
        if needs:
            raise SengaError("\n".join(needs))
        networks = [task for task in chain if task.process_resources()]
        if networks and not self.complete():
            for task in networks:
                task.prepare()

    def upstream(self) -> list[Stage]:
        """The packed files."""
        return [PackDataset()]

    def settings(self) -> dict[str, object]:
        """None of its own."""
        return {}

    def artefact(self) -> Path:
        """The report; beside the files that it describes."""
        return PackDataset().artefact() / "report.html"

    def complete(self) -> bool:
        """Also: the names at the top of the dataset's folder point at this build."""
        return super().complete() and all(
            self.dataset.newest(name).resolve() == (self.artefact().parent / name).resolve()
            for name in NAMES
        )

    def make(self, advance: Advance) -> Made:
        """Verifies the files, writes the report and makes the names at the top point here."""
        packed = PackDataset()
        verify([packed.file(part) for part in PARTS])
        with store.publish(self.artefact()) as temporary:
            sheet = read_contact_sheet(packed.file("train"), packed.shards())
            colors = [paths.color for paths in packed.shards()]
            groups = groups_sheet(SplitDataset().artefact(), colors)
            groups_png = b"" if groups is None else encode_png(groups)
            write_report(temporary, self._facts(), encode_png(sheet), groups_png)
        for name in NAMES:
            self.dataset.link_newest(name, self.artefact().parent / name)
        advance(1)
        return Made(kept=packed.manifest().kept)

    def say_done(self) -> None:
        """Prints the table of the build and where its files are."""
        console = Console(stderr=True)
        console.print(summary_table(self._facts()))
        say_where(self)

    def say_nothing_to_do(self) -> None:
        """Says where the files of the earlier build are."""
        sys.stderr.write("Nothing to do: all is made from exactly these settings and posts.\n")
        say_where(self)

    def _facts(self) -> ReportFacts:
        packed = PackDataset()
        shards = FilterPosts().shards()
        gates: Counter[str] = Counter()
        for number in shards:
            for gate, dropped in _rows(ScreenShard(shard=number), "gates"):
                gates[gate] += dropped
        joins = SplitDataset().manifest().facts["joins"]
        assert isinstance(joins, dict)
        return ReportFacts(
            dataset=config.options(config.BuildOptions).dataset,
            created=packed.manifest().created,
            fingerprint=packed.manifest().fingerprint,
            stages=[_sum(variants) for variants in _stages()],
            funnel=_rows(FilterPosts(), "funnel"),
            gates=list(gates.items()),
            joins=joins,
            split={part: int(str(packed.manifest().facts[part])) for part in PARTS},
            files={
                str(self.dataset.newest(f"{part}.h5")): store.size_of(packed.file(part))
                for part in PARTS
            },
            config=config.texts(),
            versions=packed.manifest().versions,
        )


def _rows(task: Stage, fact: str) -> list[tuple[str, int]]:
    """Names and counts that a manifest holds."""
    rows = task.manifest().facts[fact]
    assert isinstance(rows, list)
    return [(str(name), int(number)) for name, number in rows]


def _stages() -> list[list[Sequence[Stage]]]:
    """The tasks of each stage, in order, by variant."""
    shards = FilterPosts().shards()
    return [
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
        [[PackDataset()]],
    ]


def _sum(variants: Sequence[Sequence[Stage]]) -> StageFacts:
    """A stage in numbers; its pictures are those of the variant with the fewest."""
    manifests = [[task.manifest() for task in tasks] for tasks in variants]
    everything = [manifest for variant in manifests for manifest in variant]
    dropped: Counter[str] = Counter()
    for manifest in everything:
        dropped.update(manifest.dropped)
    return StageFacts(
        name=variants[0][0].stage,
        unit=variants[0][0].unit,
        kept=min(sum(manifest.kept for manifest in variant) for variant in manifests),
        dropped=dict(dropped.most_common()),
        seconds=sum(manifest.seconds for manifest in everything),
        bytes=sum(manifest.bytes for manifest in everything),
    )


def say_where(build: BuildDataset) -> None:
    """Prints what a finished build has made and where."""
    counts = PackDataset().manifest().facts
    sys.stderr.write(f"{counts['train']:,} pairs to train with, {counts['test']:,} to test with:\n")
    for name in NAMES:
        sys.stderr.write(f"  {build.dataset.newest(name)}\n")


@BuildDataset.event_handler(luigi.Event.DEPENDENCY_PRESENT)
def _say_nothing_to_do(build: BuildDataset) -> None:
    build.say_nothing_to_do()
