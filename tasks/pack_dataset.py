"""The task that packs the files people train from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pipeline import store
from pipeline.outcome import OK, Outcome, count_codes, write_outcomes
from pipeline.pack.extras import REFERENCE
from pipeline.pack.pack import PackOptions, ShardPaths, pack
from pipeline.pack.split import SPLITS, read_split
from pipeline.progress import OnProgress, Progress
from tasks import config
from tasks.download_shard import DownloadShard
from tasks.filter_posts import FilterPosts
from tasks.screen_shard import ScreenShard
from tasks.simplify_shard import SimplifyShard
from tasks.sketch_shard import SketchShard
from tasks.split_dataset import SplitDataset
from tasks.stage import Stage, StageResult


class PackDataset(Stage):
    """Pack colour and line art into `train.h5` and `test.h5`."""

    version = 2
    stage = "pack"

    def upstream(self) -> list[Stage]:
        """Return the split, whose own upstream is everything that is packed."""
        return [SplitDataset()]

    def settings(self) -> dict[str, object]:
        """Return the options of packing; those of later versions only if they are not default."""
        settings = config.result_options(PackOptions)
        extras, rows = sorted(config.options(PackOptions).extras), settings["rows_per_file"]
        del settings["extras"], settings["rows_per_file"]
        settings |= {"extras": extras} if extras else {}
        return settings | ({"rows_per_file": rows} if rows else {})

    def content_from(self) -> list[str]:
        """Return the digests of the split, and of posts, pictures and lines of every shard.

        The digest of posts does not cover artists and characters, which references are found by.
        """
        shards = FilterPosts().shards()
        of_references = REFERENCE in config.options(PackOptions).extras
        return [
            *([FilterPosts().manifest().content] if of_references else []),
            SplitDataset().manifest().content,
            *(str(facts["digest"]) for facts in shards.values()),
            *(ScreenShard(shard=number).manifest().content for number in shards),
            *(
                task.manifest().content
                for number in shards
                for task in SimplifyShard.variants(number).values()
            ),
        ]

    def artefact(self) -> Path:
        """Return the folder of the two files."""
        return self.dataset.packed(self.settings_hash())

    @property
    def outcomes(self) -> Path:
        """Return the path of what became of every picture of the split."""
        return self.dataset.pack_outcomes(self.settings_hash())

    def file(self, split: str) -> Path:
        """Return the path of `train.h5` or `test.h5`."""
        return self.artefact() / f"{split}.h5"

    def shards(self) -> list[ShardPaths]:
        """Return the paths of all shards, in ascending order of post ids."""
        return shards_to_pack()

    def progress(self) -> Progress:
        """Return the number of pictures in the split."""
        return Progress(total=SplitDataset().manifest().kept)

    def make(self, on_progress: OnProgress) -> StageResult:
        """Pack both files and publish them together."""
        split_of_post = read_split(SplitDataset().table)
        outcomes: list[Outcome] = []
        kept: dict[str, int] = {}
        with store.publish(self.artefact()) as folder:
            folder.mkdir()
            for split in SPLITS:
                ids = [post_id for post_id, name in split_of_post.items() if name == split]
                packed = pack(
                    folder / f"{split}.h5",
                    ids,
                    self.shards(),
                    config.options(PackOptions),
                    attributes=self._attributes(split),
                    groups=SplitDataset().groups,
                    on_progress=on_progress,
                )
                kept[split] = count_codes(packed).get(OK, 0)
                outcomes += packed
            write_outcomes(outcomes, folder / self.outcomes.name)
        dropped = count_codes(outcome for outcome in outcomes if outcome.code != OK)
        return StageResult(kept=sum(kept.values()), dropped=dropped, facts=dict(kept))

    def _attributes(self, split: str) -> dict[str, str]:
        return {
            "dataset": config.options(config.BuildOptions).dataset,
            "split": split,
            "fingerprint": store.fingerprint(self.inputs()),
            "config": json.dumps(config.texts()),
        }


def _artefacts(variants: Mapping[str, Stage]) -> dict[str, Path]:
    return {suffix: task.artefact() for suffix, task in variants.items()}


def shards_to_pack() -> list[ShardPaths]:
    """Return the paths of all shards, in ascending order of post ids."""
    return [_paths(number) for number in sorted(FilterPosts().shards())]


def _paths(shard: int) -> ShardPaths:
    download = DownloadShard(shard=shard)
    return ShardPaths(
        posts=FilterPosts().shard_posts(shard),
        color=download.artefact(),
        sketches=_artefacts(SketchShard.variants(shard)),
        lines=_artefacts(SimplifyShard.variants(shard)),
        screen=ScreenShard(shard=shard).artefact(),
    )
