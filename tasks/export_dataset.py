"""The task that exports the pictures of a build and their line art for other trainers."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

from pipeline import lock, store
from pipeline.export.card import CardFacts
from pipeline.export.drawings import choose_drawings
from pipeline.export.export import export
from pipeline.export.options import ExportOptions
from pipeline.export.read import Plan
from pipeline.pack.split import SplitOptions, read_split
from pipeline.posts.options import MetadataOptions
from pipeline.progress import OnProgress, Progress
from pipeline.report.report import funnel
from sketch_models.option import text_of
from tasks import config
from tasks.build_dataset import BuildDataset
from tasks.fetch_weights import FetchWeights
from tasks.filter_posts import FilterPosts
from tasks.pack_dataset import shards_to_pack
from tasks.screen_shard import ScreenShard
from tasks.simplify_shard import SimplifyShard
from tasks.sketch_shard import SketchShard
from tasks.split_dataset import SplitDataset
from tasks.stage import Stage, StageResult, check_requirements, versions
from tasks.stage_facts import facts_up_to_split, filter_rules, screen_counts


class ExportDataset(Stage):
    """Export pictures, line art and captions in the format of another trainer."""

    stage = "export"

    def __init__(self, *args: object, **values: object) -> None:
        """Check the options, and that everything exists that a person must provide."""
        super().__init__(*args, **values)
        self._plan()
        check_requirements(BuildDataset.sources())

    def _plan(self) -> Plan:
        """Return what to take of every picture; raise ConfigError for a wrong variant."""
        options = config.options(ExportOptions)
        return Plan(
            options=options,
            drawings=choose_drawings(SimplifyShard.variants(0), SketchShard.variants(0), options),
            with_links=not _is_drawn(),
        )

    def upstream(self) -> list[Stage]:
        """Return the split, whose own upstream is everything that is exported."""
        return [SplitDataset()]

    def requires(self) -> list[FetchWeights]:
        """Return the tasks that fetch the weights; `run` waits for the split after these."""
        return FetchWeights.of_configured_models()

    def settings(self) -> dict[str, object]:
        """Return the options of the export."""
        return config.result_options(ExportOptions)

    def content_from(self) -> list[str]:
        """Return the digests of the split, the posts, and of what is exported of every shard."""
        drawn = (
            [SimplifyShard, SketchShard]
            if config.options(ExportOptions).sketches
            else [SimplifyShard]
        )
        shards = FilterPosts().shards()
        return [
            SplitDataset().manifest().content,
            FilterPosts().manifest().content,
            *(ScreenShard(shard=number).manifest().content for number in shards),
            *(
                task.manifest().content
                for stage in drawn
                for number in shards
                for task in stage.variants(number).values()
            ),
        ]

    def artefact(self) -> Path:
        """Return the folder of the export and of the table of what became of every picture."""
        return self.dataset.export(self.settings_hash())

    @property
    def files(self) -> Path:
        """The folder for the trainer, which has the name of the format."""
        return self.artefact() / config.options(ExportOptions).format

    @property
    def link(self) -> str:
        """The name of the link to the newest export of this format."""
        return f"export/{self.files.name}"

    def complete(self) -> bool:
        """Return whether it is exported, and the link in the dataset's folder points at it."""
        return super().complete() and self._is_newest()

    def _is_newest(self) -> bool:
        return self.dataset.is_newest(self.link, self.files)

    def make_and_record(self) -> None:
        """Export; or, if only a later export has taken the link, set it back."""
        if super().complete() and not self._is_newest():
            lock.lock_dataset(self.dataset.root)
            self.dataset.link_newest(self.link, self.files)
        super().make_and_record()

    def progress(self) -> Progress:
        """Return the number of pictures in the split."""
        return Progress(total=SplitDataset().manifest().kept)

    def make(self, on_progress: OnProgress) -> StageResult:
        """Write the export, or what an earlier run has left to do, and link to it."""
        exported = export(
            self.artefact(),
            read_split(SplitDataset().table),
            shards_to_pack(),
            self._plan(),
            _card_facts(),
            fingerprint=store.fingerprint(self.inputs()),
            on_progress=on_progress,
        )
        self.dataset.link_newest(self.link, self.files)
        return StageResult(
            kept=sum(exported.counts.values()),
            dropped=exported.dropped,
            facts=dict(exported.counts),
        )

    def log_done(self) -> None:
        """Print the line of the stage, and the path of the export."""
        super().log_done()
        self._print()

    def log_up_to_date(self) -> None:
        """Print the path of the earlier export."""
        sys.stderr.write("Nothing to do: it is exported from exactly these settings and posts.\n")
        self._print()

    def _print(self) -> None:
        counts = self.manifest().facts
        sys.stderr.write(
            f"{counts['train']:,} pairs to train with, {counts['test']:,} to test with:\n"
            f"  {self.dataset.newest(self.link)}\n"
        )


def _is_drawn() -> bool:
    """Return whether the pictures are those of the sample booru."""
    return config.options(MetadataOptions).source == "sample"


def _card_facts() -> CardFacts:
    return CardFacts(
        dataset=config.options(config.BuildOptions).dataset,
        version=versions()["senga"],
        recipe=_recipe(),
        steps=funnel(facts_up_to_split(), filter_rules(), list(screen_counts("gates").items())),
        drawn=_is_drawn(),
    )


def _recipe() -> dict[str, str]:
    """Return the options that differ from the defaults; of paths, which are private, the name."""
    names = list(config.SECTIONS)
    recipe: dict[str, str] = {}
    for name in [*names[: names.index(SplitOptions.section) + 1], ExportOptions.section]:
        options_type = config.SECTIONS[name]
        for key in fields(options_type):
            value = getattr(config.options(options_type), key.name)
            is_weights = key.name.endswith("weights")  # which count by their content
            if value != key.default and (key.metadata["affects_result"] or is_weights):
                text = text_of(value)
                is_path = is_weights or key.metadata["limits"].path
                recipe[options_type.name_of(key.name)] = Path(text).name if is_path else text
    return recipe
