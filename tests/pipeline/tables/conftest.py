"""A dataset whose build left a post behind in every stage, and older artefacts beside it."""

from pathlib import Path

import polars as pl
import pytest

from pipeline.collect import outcome
from pipeline.collect.outcome import DownloadOutcome
from pipeline.manifest import Manifest
from pipeline.outcome import Outcome, write_outcomes
from pipeline.pack.split import TEST, TRAIN, write_split
from pipeline.posts.rows import POSTS
from pipeline.screen.duplicates import DuplicateGroups, write_groups
from pipeline.store import Dataset, manifest_path, outcomes_path
from pipeline.tables.newest import LINEAGE, Lineage

WIDTH = 10  # ids per shard
IDS = (1, 2, 3, 14, 15, 16, 17, 18, 19)
NO_PICTURE, TOO_SMALL, NO_SKETCH, NO_LINES, TWIN, MISALIGNED, LATE = IDS[2:]

SCREEN = {
    "id": pl.Int64,
    "code": pl.String,
    "sha256": pl.String,
    "width": pl.Int32,
    "height": pl.Int32,
    "phash": pl.String,
    "phash_mirrored": pl.String,
    "color_profile": pl.String,
    "chroma": pl.Float64,
    "hues": pl.Float64,
    "paper": pl.Float64,
    "uniform": pl.Float64,
    "outline": pl.Float64,
}


def write(path: Path, rows: list[dict[str, object]], schema: dict[str, type[pl.DataType]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows, schema=schema).write_parquet(path)


def post(post_id: int) -> dict[str, object]:
    return {
        "id": post_id,
        "created_at": None if post_id == 1 else 0 if post_id == 2 else 1_450_000_000,
        "rating": "s",
        "score": None if post_id == 1 else 3,
        "url": f"https://safebooru.example/{post_id}.png",
        "width": 64,
        "height": 96,
        "tags": "1girl solo",
    }


def fail(ids: list[int], failing: int, code: str, detail: str = "") -> list[Outcome]:
    return [Outcome(i, code if i == failing else "ok", detail if i == failing else "") for i in ids]


def write_manifest(artefact: Path, **values: object) -> None:
    facts = {"fingerprint": "", "inputs": {}, "content": "", "kept": 0, **values}
    Manifest(**facts).write(manifest_path(artefact))  # type: ignore[arg-type]


def write_shard(dataset: Dataset, shard: int, lineage: Lineage) -> None:
    ids = [post_id for post_id in IDS if post_id // WIDTH == shard]
    schema = {name: kind for name, kind in POSTS.items() if name != "line"}
    for settings in (lineage.posts, "olderposts"):
        shown = ids if settings == lineage.posts else [999]
        path = dataset.posts(settings) / f"shard-{shard:05d}.parquet"
        write(path, [post(post_id) for post_id in shown], schema)
    ids = [post_id for post_id in ids if post_id != LATE]
    fetched = [
        DownloadOutcome(i, "http_404", "Not Found", url=f"u{i}", status=404)
        if i == NO_PICTURE
        else DownloadOutcome(i, "ok", url=f"u{i}", status=200, bytes=1000, sha256="ab")
        for i in (*ids, 12 if shard else 5)  # one more, of a post that was asked for long ago
    ]
    path = dataset.color_outcomes(shard)
    path.parent.mkdir(exist_ok=True)
    outcome.write_outcomes(fetched, path)
    ids = [post_id for post_id in ids if post_id != NO_PICTURE]
    screens: list[dict[str, object]] = [
        {"id": i, "code": "too_small" if i == TOO_SMALL else "ok", "sha256": "ab"}
        | {
            "width": 64,
            "height": 96,
            "phash": "0f",
            "phash_mirrored": "f0",
            "color_profile": "srgb",
        }
        | dict.fromkeys(("chroma", "hues", "paper", "uniform", "outline"), 0.5)
        for i in ids
    ]
    write(dataset.screen(lineage.screen, shard), screens, SCREEN)
    ids = [post_id for post_id in ids if post_id != TOO_SMALL]
    path = outcomes_path(dataset.sketch(lineage.sketch[""], shard))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_outcomes(fail(ids, NO_SKETCH, "broken"), path)
    ids = [post_id for post_id in ids if post_id != NO_SKETCH]
    for variant, failing in (("_64", 0), ("_128", NO_LINES)):
        path = outcomes_path(dataset.line(lineage.line[variant], shard))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_outcomes(fail(ids, failing, "no_lines", "the pured line art is blank"), path)


@pytest.fixture
def lineage() -> Lineage:
    return Lineage(
        shards=[0, 1],
        posts="posts" * 3,
        screen="screen" * 3,
        split="split" * 3,
        packed="packed" * 3,
        sketch={"": "sketch" * 3},
        line={"_64": "small_line" * 3, "_128": "large_line" * 3},
    )


@pytest.fixture
def built(tmp_path: Path, lineage: Lineage) -> Path:
    """The folder of the dataset."""
    dataset = Dataset(tmp_path / "sample")
    for shard in lineage.shards:
        write_shard(dataset, shard, lineage)
    split = dataset.split(lineage.split)
    split.mkdir(parents=True)
    whole = [1, 2, TWIN, MISALIGNED]
    write_groups(DuplicateGroups({i: 1 if i == TWIN else i for i in whole}, []), split)
    write_split({1: TRAIN, 2: TEST, MISALIGNED: TRAIN}, split / "split.parquet")
    write_manifest(split, inputs={"settings": {"duplicates": "first"}})
    packed = dataset.packed(lineage.packed)
    packed.mkdir(parents=True)
    rows = fail([1, 2, MISALIGNED], MISALIGNED, "misaligned", "line/pured is 4 x 5")
    write_outcomes(rows, dataset.pack_outcomes(lineage.packed))
    report = packed / "report.html"
    report.write_text("a report")
    write_manifest(report, facts={LINEAGE: lineage.to_dict()})
    dataset.link_newest("report.html", report)
    return dataset.root
