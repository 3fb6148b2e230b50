"""An export as a whole: resumed after a kill, made anew after a change, never half-written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from pipeline.damage import DamagedFileError
from pipeline.export import read
from pipeline.export.export import Exported, export
from pipeline.export.formats import FORMATS
from pipeline.export.post import Post
from pipeline.export.unfinished import WORK
from pipeline.outcome import OK
from pipeline.pack.pack import ShardPaths
from pipeline.shard import write_shard
from pipeline.table import read_table
from sketch_models.errors import SengaError
from tests.pipeline.export.small_build import (
    FACTS,
    IDS,
    SPLIT,
    Run,
    color_of,
    plan_of,
    png,
    shard_of,
)


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def read_ids(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by the ids of the pictures that are read."""
    seen: list[int] = []
    make_sample = read._make_sample

    def spy(shard: object, plan: object, post: Post) -> object:
        seen.append(post.id)
        return make_sample(shard, plan, post)  # type: ignore[arg-type]

    monkeypatch.setattr(read, "_make_sample", spy)
    return seen


def stop_after(pictures: int) -> Callable[[int], None]:
    """Return an `OnProgress` that stops the run as a Ctrl-C does."""
    done = 0

    def on_progress(count: int) -> None:
        nonlocal done
        done += count
        if done >= pictures:
            raise KeyboardInterrupt

    return on_progress


@pytest.mark.parametrize("name", FORMATS)
def test_run_that_was_stopped_goes_on_with_the_next_part(
    tmp_path: Path, run: Run, shards: list[ShardPaths], read_ids: list[int], name: str
) -> None:
    plan = plan_of(format=name, pictures_per_file=2, threads=1)
    out = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        export(out, SPLIT, shards, plan, FACTS, fingerprint="a", on_progress=stop_after(3))
    assert not (out / name).exists()
    assert not (out / "outcomes.parquet").exists()
    read_ids.clear()
    advanced: list[int] = []
    exported = export(out, SPLIT, shards, plan, FACTS, fingerprint="a", on_progress=advanced.append)
    assert sorted(read_ids) == [5, 300, 1001, 1002]  # 3 and 8 were complete
    assert sum(advanced) == len(IDS)
    assert exported == run(format=name, pictures_per_file=2)
    assert contents(out) == contents(tmp_path / "out")
    assert not (out / WORK).exists()


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_part_whose_files_are_not_whole_is_written_again(
    tmp_path: Path, shards: list[ShardPaths], read_ids: list[int], damage: str
) -> None:
    plan = plan_of(pictures_per_file=2, threads=1)
    with pytest.raises(KeyboardInterrupt):
        export(tmp_path, SPLIT, shards, plan, FACTS, fingerprint="a", on_progress=stop_after(3))
    file = tmp_path / WORK / "imagefolder" / "train" / "color" / "3.png"
    whole = file.read_bytes()
    file.unlink()
    if damage == "cut":
        file.write_bytes(whole[:-1])
    read_ids.clear()
    export(tmp_path, SPLIT, shards, plan, FACTS, fingerprint="a")
    assert sorted(read_ids) == IDS
    assert (tmp_path / "imagefolder" / "train" / "color" / "3.png").read_bytes() == whole


def test_run_of_other_pictures_begins_anew(
    tmp_path: Path, shards: list[ShardPaths], read_ids: list[int]
) -> None:
    plan = plan_of(pictures_per_file=2, threads=1)
    with pytest.raises(KeyboardInterrupt):
        export(tmp_path, SPLIT, shards, plan, FACTS, fingerprint="a", on_progress=stop_after(3))
    read_ids.clear()
    export(tmp_path, SPLIT, shards, plan, FACTS, fingerprint="b")
    assert sorted(read_ids) == IDS


def test_older_export_stays_whole_until_the_new_one_takes_its_place(
    tmp_path: Path, run: Run, shards: list[ShardPaths]
) -> None:
    run()
    before = contents(tmp_path / "out")
    fewer = {i: SPLIT[i] for i in IDS if i != 8}
    plan = plan_of()

    def export_fewer(**more: object) -> Exported:
        return export(tmp_path / "out", fewer, shards, plan, FACTS, fingerprint="b", **more)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        export_fewer(on_progress=stop_after(3))
    after = contents(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    export_fewer()
    names = contents(tmp_path / "out" / "imagefolder")
    assert "train/color/3.png" in names
    assert "train/color/8.png" not in names


def test_pictures_that_cannot_be_exported_are_counted_and_listed(tmp_path: Path) -> None:
    shard = shard_of(tmp_path / "s", [1, 2, 3])
    write_shard(shard.color, [(1, {"png": png(color_of(1))}), (2, {"png": b"\x89PNG\r\n\x1a\n"})])
    split = {1: "train", 2: "train", 3: "test", 4: "test"}
    exported = export(tmp_path, split, [shard], plan_of(), FACTS, fingerprint="a")
    assert exported.counts == {"train": 1, "test": 0}
    assert exported.dropped == {"missing": 2, "broken": 1}
    rows = list(read_table(tmp_path / "outcomes.parquet", ["id", "code"]).iter_rows())
    assert rows == [(1, OK), (2, "broken"), (3, "missing"), (4, "missing")]
    card = (tmp_path / "imagefolder" / "README.md").read_text()
    assert "| missing | 2 |" in card
    text = (tmp_path / "imagefolder" / "train" / "metadata.jsonl").read_text()
    assert [json.loads(line)["id"] for line in text.splitlines()] == [1]


@pytest.mark.parametrize("name", FORMATS)
def test_export_without_a_picture_has_its_files(tmp_path: Path, name: str) -> None:
    shard = shard_of(tmp_path / "s", [1])
    exported = export(
        tmp_path, {7: "train", 8: "test"}, [shard], plan_of(format=name), FACTS, fingerprint="a"
    )
    assert exported.dropped == {"missing": 2}
    assert (tmp_path / name / "README.md").exists()


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_shard_is_named(tmp_path: Path, shards: list[ShardPaths], name: str) -> None:
    with shards[1].color.open("r+b") as file:
        file.truncate(700)
    with pytest.raises(DamagedFileError) as error:
        export(tmp_path, SPLIT, shards, plan_of(format=name), FACTS, fingerprint="a")
    assert error.value.path == shards[1].color
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", FORMATS)
def test_full_disk_is_one_sentence(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(read, "_make_sample", full)
    with pytest.raises(SengaError, match=r"could not be written: the disk is full\. Free some"):
        run(format=name)
    assert not (tmp_path / "out" / name).exists()
    monkeypatch.undo()
    run(format=name)


def test_folder_that_is_a_file_is_one_sentence(tmp_path: Path, run: Run) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(SengaError, match=r"could not be written: a file has the name of a folder"):
        run()
    assert (tmp_path / "out").read_text() == "mine"
