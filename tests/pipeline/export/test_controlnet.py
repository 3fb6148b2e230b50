"""`controlnet`, loaded and prepared as diffusers' ControlNet training does: 1,000 right pairs."""

from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.export.export import export
from tests.pipeline.export.small_build import FACTS, color_of, level_of, plan_of, shard_of

RESOLUTION = 16
PICTURES = 1_000
COLUMNS = ("image", "conditioning_image", "text")
"""Defaults of its options `image_column`, `conditioning_image_column` and `caption_column`."""


def square(picture: Image.Image) -> torch.Tensor:
    """Return (3, R, R) float32 in [0, 1]: the short side resized, then the middle."""
    scale = RESOLUTION / min(picture.size)
    width, height = (round(side * scale) for side in picture.size)
    resized = picture.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - RESOLUTION) // 2, (height - RESOLUTION) // 2
    cropped = resized.crop((left, top, left + RESOLUTION, top + RESOLUTION))
    return torch.from_numpy(np.array(cropped)).permute(2, 0, 1) / 255


def prepare(rows: dict[str, list[object]]) -> dict[str, list[object]]:
    """Add what the training step reads to a batch of rows."""
    images, conditions, texts = (rows[name] for name in COLUMNS)
    assert all(isinstance(text, str) for text in texts)
    return {
        **rows,
        "pixel_values": [square(image) * 2 - 1 for image in images],  # type: ignore[arg-type]
        "conditioning_pixel_values": [square(image) for image in conditions],  # type: ignore[arg-type]
    }


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """Return an export of 1,000 pictures, the last ten of them for tests."""
    ids = list(range(1, PICTURES + 1))
    shards = [shard_of(tmp_path / "0", ids[:600]), shard_of(tmp_path / "1", ids[600:])]
    split = {i: "train" if i <= PICTURES - 10 else "test" for i in ids}
    plan = plan_of(format="controlnet", pictures_per_file=300)
    exported = export(tmp_path / "out", split, shards, plan, FACTS, fingerprint="a")
    assert exported.counts == {"train": PICTURES - 10, "test": 10}
    return tmp_path / "out" / "controlnet"


def test_training_gets_the_right_pairs(
    exported: Path, load: Callable[[Path], datasets.DatasetDict]
) -> None:
    loaded = load(exported)
    assert set(COLUMNS) <= set(loaded["train"].column_names)
    assert [len(rows) for rows in loaded.values()] == [PICTURES - 10, 10]
    train = loaded["train"].with_transform(prepare)
    seen = []
    for row in train:
        painted = ((row["pixel_values"] + 1) * 127.5).round().int()
        assert painted.shape == row["conditioning_pixel_values"].shape == (3, 16, 16)
        red, green, blue = (int(channel.unique()) for channel in painted)
        post_id = green * 256 + red
        assert [red, green, blue] == color_of(post_id)[0, 0].tolist()
        line = (row["conditioning_pixel_values"] * 255).round()
        assert line.unique().tolist() == [255 - level_of(post_id)]  # white ink
        assert f"tag {post_id} 猫" in row["text"]
        seen.append(post_id)
    assert seen == list(range(1, PICTURES - 9))
