"""The task that builds the whole dataset, and writes the report on it."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from pipeline import store
from pipeline.pack.split import SPLITS
from pipeline.pack.verify_files import verify
from pipeline.picture import encode_png
from pipeline.progress import OnProgress
from pipeline.report.contact_sheet import read_contact_sheet
from pipeline.report.groups_sheet import groups_sheet
from pipeline.report.report import ReportFacts, summary_table, write_report
from pipeline.tables.newest import LINEAGE, REPORT, Lineage
from tasks import config
from tasks.fetch_weights import FetchWeights
from tasks.filter_posts import FilterPosts
from tasks.import_metadata import ImportMetadata
from tasks.pack_dataset import PackDataset
from tasks.screen_shard import ScreenShard
from tasks.simplify_shard import SimplifyShard
from tasks.sketch_shard import SketchShard
from tasks.split_dataset import SplitDataset
from tasks.stage import Stage, StageResult, check_requirements
from tasks.stage_facts import facts_up_to_split, filter_rules, screen_counts, sum_up

OUTPUTS = ("train.h5", "test.h5", REPORT)


class BuildDataset(Stage):
    """Build `train.h5`, `test.h5` and `report.html` from the configured posts."""

    version = 3
    stage = "report"

    def __init__(self, *args: object, **values: object) -> None:
        """Check that everything exists that a person must provide."""
        super().__init__(*args, **values)
        check_requirements(self.sources())

    @staticmethod
    def sources() -> list[Stage]:
        """Return the tasks that use what a person provides: a CSV, a library, weights."""
        return [
            ImportMetadata(),
            *SketchShard.variants(0).values(),
            *SimplifyShard.variants(0).values(),
        ]

    def upstream(self) -> list[Stage]:
        """Return the packed files."""
        return [PackDataset()]

    def requires(self) -> list[FetchWeights]:
        """Return the tasks that fetch the weights; `run` waits for the packed files after these.

        So a build whose weights cannot be fetched ends before any post or picture is downloaded.
        """
        return FetchWeights.of_configured_models()

    def settings(self) -> dict[str, object]:
        """Return no settings: it has none of its own."""
        return {}

    def artefact(self) -> Path:
        """Return the path of the report, beside the files that it describes."""
        return PackDataset().artefact() / REPORT

    def complete(self) -> bool:
        """Return whether, besides, the links in the dataset's folder point at this build."""
        return super().complete() and all(
            self.dataset.is_newest(name, self.artefact().parent / name) for name in OUTPUTS
        )

    def make(self, on_progress: OnProgress) -> StageResult:
        """Verify the files, write the report, and make the dataset's links point at this build."""
        packed = PackDataset()
        verify([packed.file(split) for split in SPLITS])
        with store.publish(self.artefact()) as temporary:
            sheet = read_contact_sheet(packed.file("train"), packed.shards())
            colors = [paths.color for paths in packed.shards()]
            groups = groups_sheet(SplitDataset().artefact(), colors)
            groups_png = b"" if groups is None else encode_png(groups)
            write_report(temporary, self._facts(), encode_png(sheet), groups_png)
        for name in OUTPUTS:
            self.dataset.link_newest(name, self.artefact().parent / name)
        on_progress(1)
        return StageResult(kept=packed.manifest().kept, facts={LINEAGE: _lineage().to_dict()})

    def log_done(self) -> None:
        """Print the table of the build and the paths of its files."""
        console = Console(stderr=True)
        console.print(summary_table(self._facts()))
        print_outputs(self)

    def log_up_to_date(self) -> None:
        """Print the paths of the files of the earlier build."""
        sys.stderr.write("Nothing to do: all is made from exactly these settings and posts.\n")
        print_outputs(self)

    def log_still_complete(self) -> None:
        """Print the paths of the files of the earlier build.

        For it something was mended, or a board was asked for posts and had no new ones.
        """
        sys.stderr.write("Nothing has changed: what was made again is as it was before.\n")
        print_outputs(self)

    def _facts(self) -> ReportFacts:
        packed = PackDataset()
        joins = SplitDataset().manifest().facts["joins"]
        assert isinstance(joins, dict)
        return ReportFacts(
            dataset=config.options(config.BuildOptions).dataset,
            created=packed.manifest().created,
            fingerprint=packed.manifest().fingerprint,
            stages=[*facts_up_to_split(), sum_up([[packed]])],
            funnel=filter_rules(),
            gates=list(screen_counts("gates").items()),
            color_profiles=screen_counts("color_profiles"),
            joins=joins,
            split={split: int(str(packed.manifest().facts[split])) for split in SPLITS},
            files={
                str(self.dataset.newest(f"{split}.h5")): store.size_of(packed.file(split))
                for split in SPLITS
            },
            config=config.texts(),
            versions=packed.manifest().versions,
        )


def _lineage() -> Lineage:
    """Return the shards and settings hashes of the build, by which `pipeline.tables` finds it."""
    return Lineage(
        shards=sorted(FilterPosts().shards()),
        posts=FilterPosts().settings_hash(),
        screen=ScreenShard(shard=0).settings_hash(),
        split=SplitDataset().settings_hash(),
        packed=PackDataset().settings_hash(),
        sketch={suffix: task.settings_hash() for suffix, task in SketchShard.variants(0).items()},
        line={suffix: task.settings_hash() for suffix, task in SimplifyShard.variants(0).items()},
    )


def print_outputs(build: BuildDataset) -> None:
    """Print the paths of the files of a finished build, and how many pairs they hold."""
    counts = PackDataset().manifest().facts
    sys.stderr.write(f"{counts['train']:,} pairs to train with, {counts['test']:,} to test with:\n")
    for name in OUTPUTS:
        sys.stderr.write(f"  {build.dataset.newest(name)}\n")
