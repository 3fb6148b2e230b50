"""A dataset from tables with pictures, as Hugging Face's `datasets` writes them."""

from pathlib import Path

import datasets
import h5py

from pipeline.picture import encode_png
from pipeline.posts.local_file import row_id
from pipeline.sample_booru.artist.draw import draw
from tests.end_to_end.luigi import run_luigi

FEW_LINES = ("--sketch-models=xdog", "--simplify-model=centerline", "--pack-size=32")


def table(*, seed: int = 0) -> datasets.Dataset:
    pictures = [encode_png(draw(seed + number).color[::2, ::2].copy()) for number in range(1, 5)]
    rows = {
        "image": [*({"bytes": content, "path": None} for content in pictures), None],
        "text": ["1girl, white background", "solo", None, "", "gone"],
    }
    features = {"image": datasets.Image(), "text": datasets.Value("string")}
    return datasets.Dataset.from_dict(rows, features=datasets.Features(features))


def build(source: Path) -> str:
    data = source.parent / "data"
    return run_luigi(f"--metadata-hf={source}", f"--build-data={data}", *FEW_LINES)


def packed(folder: Path) -> dict[int, str]:
    """Return the tags by id of all packed pictures."""
    tags: dict[int, str] = {}
    for name in ("train.h5", "test.h5"):
        with h5py.File(folder / name) as file:
            tags |= dict(zip(file["id"][:].tolist(), file["tags"].asstr()[:], strict=True))
    return tags


TAGS = ("1girl white_background", "solo", "", "")


def test_a_folder_with_parquet_becomes_a_dataset(tmp_path: Path) -> None:
    source, name = tmp_path / "My pictures", "data/train-00000-of-00001.parquet"
    (source / "data").mkdir(parents=True)
    table().to_parquet(source / name)
    log = build(source)
    assert "metadata  4 posts" in log
    assert "no_bytes" in log
    made = tmp_path / "data" / "My_pictures"
    assert packed(made) == {row_id(name, row): text for row, text in enumerate(TAGS)}
    assert "Nothing to do" in build(source)

    table(seed=9).to_parquet(source / "more.parquet")
    build(source)
    assert len(packed(made)) == 8


def test_what_save_to_disk_writes_becomes_a_dataset(tmp_path: Path) -> None:
    source = tmp_path / "saved"
    table().save_to_disk(source)
    build(source)
    expected = {row_id("data-00000-of-00001.arrow", row): text for row, text in enumerate(TAGS)}
    assert packed(tmp_path / "data" / "saved") == expected
