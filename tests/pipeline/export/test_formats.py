"""Every format, loaded by the library that it is for: the right pairs, captions and splits."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pytest
import webdataset
from PIL import Image

from tests.pipeline.export.small_build import (
    HEIGHT,
    IDS,
    SPLIT,
    WIDTH,
    Run,
    color_of,
    level_of,
    post_of,
)

Load = Callable[[Path], datasets.DatasetDict]

LEAVES_FILES_OPEN = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def caption_of(post_id: int) -> str:
    return f"1girl, long hair, tag {post_id} 猫, someone"


def ids_of(split: str) -> list[int]:
    return [i for i in IDS if SPLIT[i] == split]


def assert_pair(post_id: int, color: Image.Image, line: Image.Image, level: int) -> None:
    assert (np.array(color) == color_of(post_id)).all()
    assert line.size == color.size == (WIDTH, HEIGHT)
    assert (np.array(line) == level).all()


@pytest.mark.parametrize("name", ["imagefolder", "parquet"])
@pytest.mark.parametrize("size", [1000, 2])
def test_datasets_loads_pictures_with_everything_that_is_known(
    tmp_path: Path, run: Run, load: Load, name: str, size: int
) -> None:
    run(format=name, lines=("original", "pured"), sketches=("pured",), pictures_per_file=size)
    loaded = load(tmp_path / "out" / name)
    assert list(loaded) == ["train", "test"]
    for split, rows in loaded.items():
        assert rows["id"] == ids_of(str(split))
        for row in rows:
            post_id = row["id"]
            assert_pair(post_id, row["image"], row["line_original"], level_of(post_id))
            assert_pair(post_id, row["image"], row["line_pured"], level_of(post_id, "pured"))
            assert_pair(post_id, row["image"], row["sketch"], level_of(post_id + 1, "pured"))
            assert row["text"] == caption_of(post_id)
            assert row["tags"] == post_of(post_id).tags
            assert (row["artist"], row["character"], row["rating"]) == ("someone", "", "s")
            assert (row["width"], row["height"]) == (WIDTH, HEIGHT)
            assert row["link"].endswith(f"&id={post_id}")


def test_imagefolder_has_a_folder_per_kind_of_picture(tmp_path: Path, run: Run) -> None:
    run(picture="jpg")
    folder = tmp_path / "out" / "imagefolder"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    pairs = {
        f"{split}/{name}"
        for i, split in SPLIT.items()
        for name in (f"color/{i}.jpg", f"line/{i}.png")
    }
    about = {"README.md", "credits.csv", "train/metadata.jsonl", "test/metadata.jsonl"}
    assert files == pairs | about


@pytest.mark.parametrize("size", [1000, 2])
def test_parquet_files_are_named_and_cut_as_the_hub_does(
    tmp_path: Path, run: Run, size: int
) -> None:
    run(format="parquet", pictures_per_file=size)
    names = sorted(path.name for path in (tmp_path / "out" / "parquet" / "data").iterdir())
    train = [f"train-{n:05d}-of-{4 // size or 1:05d}.parquet" for n in range(4 // size or 1)]
    assert names == ["test-00000-of-00001.parquet", *train]


def test_parquet_files_load_without_the_card(tmp_path: Path, run: Run) -> None:
    run(format="parquet")
    file = str(tmp_path / "out" / "parquet" / "data" / "train-00000-of-00001.parquet")
    cache = str(tmp_path / "cache")
    rows = datasets.load_dataset("parquet", data_files=file, split="train", cache_dir=cache)
    assert isinstance(rows.features["image"], datasets.Image)
    assert isinstance(rows.features["line"], datasets.Image)
    assert rows.features["text"] == datasets.Value("string")
    assert_pair(3, rows[0]["image"], rows[0]["line"], level_of(3))


@pytest.mark.parametrize("picture", ["png", "webp"])
@LEAVES_FILES_OPEN
def test_webdataset_loads_pairs(tmp_path: Path, run: Run, picture: str) -> None:
    run(format="webdataset", pictures_per_file=2, picture=picture)
    folder = tmp_path / "out" / "webdataset"
    assert sorted(path.name for path in folder.glob("*.tar")) == [
        "test-000000.tar",
        "train-000000.tar",
        "train-000001.tar",
    ]
    for split in ("train", "test"):
        files = sorted(map(str, folder.glob(f"{split}-*.tar")))
        samples = list(webdataset.WebDataset(files, shardshuffle=False).decode("pil"))
        assert [sample["__key__"] for sample in samples] == [str(i) for i in ids_of(split)]
        for sample in samples:
            post_id = sample["json"]["id"]
            assert str(post_id) == sample["__key__"]
            line = sample["line.png"].convert("L")
            color = sample[f"color.{picture}"]
            if picture == "png":
                assert_pair(post_id, color, line, level_of(post_id))
            assert color.size == line.size
            assert sample["txt"] == sample["json"]["text"] == caption_of(post_id)
            assert sample["json"]["tags"] == post_of(post_id).tags


@LEAVES_FILES_OPEN
def test_datasets_loads_webdataset_too(tmp_path: Path, run: Run, load: Load) -> None:
    run(format="webdataset")
    loaded = load(tmp_path / "out" / "webdataset")
    for split, rows in loaded.items():
        assert rows["__key__"] == [str(i) for i in ids_of(str(split))]
        for row in rows:
            post_id = int(row["__key__"])
            assert_pair(post_id, row["color.png"], row["line.png"], level_of(post_id))
            assert row["txt"] == caption_of(post_id)


def test_folders_have_equal_names_and_captions(tmp_path: Path, run: Run) -> None:
    run(format="folders")
    for split in ("train", "test"):
        folder = tmp_path / "out" / "folders" / split
        sketches = sorted(folder.glob("sketch/*"), key=lambda path: int(path.stem))
        assert [path.name for path in sketches] == [f"{i}.png" for i in ids_of(split)]
        assert len(list(folder.glob("color/*.png"))) == len(sketches)
        for sketch in sketches:
            # As ColorizeDiffusion finds the colour: the same path with another folder.
            color = str(sketch).replace(str(folder / "sketch"), str(folder / "color"))
            post_id = int(sketch.stem)
            with Image.open(color) as painted, Image.open(sketch) as drawn:
                assert_pair(post_id, painted, drawn, level_of(post_id))
            text = Path(color).with_suffix(".txt").read_text(encoding="utf-8")
            assert text == caption_of(post_id) + "\n"


@pytest.mark.parametrize("name", ["imagefolder", "webdataset", "parquet", "controlnet", "folders"])
def test_every_format_has_credits(tmp_path: Path, run: Run, name: str) -> None:
    run(format=name)
    text = (tmp_path / "out" / name / "credits.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    expected = [(split, str(i)) for split in ("train", "test") for i in ids_of(split)]
    assert [(row["split"], row["id"]) for row in rows] == expected
    assert {row["artist"] for row in rows} == {"someone"}
    assert all(row["link"].endswith(f"&id={row['id']}") for row in rows)


def test_metadata_of_controlnet_is_what_its_trainer_reads(tmp_path: Path, run: Run) -> None:
    run(format="controlnet")
    lines = (tmp_path / "out" / "controlnet" / "test" / "metadata.jsonl").read_text("utf-8")
    assert [json.loads(line) for line in lines.splitlines()] == [
        {
            "file_name": f"image/{i}.png",
            "conditioning_image_file_name": f"conditioning_image/{i}.png",
            "text": caption_of(i),
            "id": i,
        }
        for i in (5, 1002)
    ]
