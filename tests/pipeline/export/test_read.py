"""Samples: sizes, shapes, colours of lines, file types, and pictures that cannot be exported."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.export.read import Plan, read_samples
from pipeline.export.sample import Sample
from pipeline.outcome import Outcome
from pipeline.pack.pack import ShardPaths
from pipeline.shard import write_shard
from tests.pipeline.export.small_build import (
    HEIGHT,
    IDS,
    WIDTH,
    color_of,
    drawing_of,
    level_of,
    plan_of,
    png,
    shard_of,
)


def read(shards: list[ShardPaths], ids: list[int], plan: Plan | None = None) -> list[Sample]:
    samples = list(read_samples(ids, shards, plan or plan_of()))
    assert all(isinstance(sample, Sample) for sample in samples), samples
    return [sample for sample in samples if isinstance(sample, Sample)]


def pixels(sample: Sample, name: str) -> np.ndarray:
    with Image.open(io.BytesIO(sample.pictures[name].content)) as image:
        return np.array(image)


def test_samples_come_in_ascending_order_with_their_own_drawings(
    shards: list[ShardPaths],
) -> None:
    samples = read(shards, [*reversed(IDS), 999_999])
    assert [sample.id for sample in samples] == IDS
    for sample in samples:
        assert list(sample.pictures) == ["color", "line"]
        assert (pixels(sample, "color") == color_of(sample.id)).all()
        line = pixels(sample, "line")
        assert line.shape == (HEIGHT, WIDTH)  # drawn at half of that
        assert (line == level_of(sample.id)).all()


def test_facts_and_credit_are_those_of_the_post(shards: list[ShardPaths]) -> None:
    (sample,) = read(shards, [300])
    link = "https://safebooru.org/index.php?page=post&s=view&id=300"
    tags = "1girl long_hair tag_300_猫 someone"
    assert sample.caption == "1girl, long hair, tag 300 猫, someone"
    assert sample.facts == {
        "id": 300,
        "width": WIDTH,
        "height": HEIGHT,
        "tags": tags,
        "artist": "someone",
        "character": "",
        "copyright": "",
        "meta": "",
        "rating": "s",
        "link": link,
    }
    assert sample.credit == ("300", "someone", link, "")
    (unlinked,) = read(shards, [300], replace(plan_of(), with_links=False))
    assert unlinked.facts["link"] == unlinked.credit[2] == ""


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (HEIGHT, WIDTH)),
        ({"size": 16}, (16, 12)),
        ({"size": 64}, (HEIGHT, WIDTH)),  # never enlarged
        ({"size": 40, "shape": "pad"}, (40, 40)),
        ({"size": 40, "shape": "crop"}, (40, 40)),
    ],
)
def test_picture_and_drawing_have_the_size_of_the_options(
    shards: list[ShardPaths], options: dict[str, object], shape: tuple[int, int]
) -> None:
    (sample,) = read(shards, [8], plan_of(**options))
    assert pixels(sample, "color").shape == (*shape, 3)
    assert pixels(sample, "line").shape == shape
    assert (sample.facts["height"], sample.facts["width"]) == shape


def test_margins_are_paper(shards: list[ShardPaths]) -> None:
    (sample,) = read(shards, [8], plan_of(size=64, shape="pad"))
    color, line = pixels(sample, "color"), pixels(sample, "line")
    assert (color[:, :8] == 255).all()
    assert (line[:, :8] == 255).all()
    assert (color[:, 8:56] == color_of(8)[0, 0]).all()
    assert (line[:, 8:56] == level_of(8)).all()
    (sample,) = read(shards, [8], plan_of(size=64, shape="pad", ink="white"))
    assert (pixels(sample, "line")[:, :8] == 0).all()


def test_picture_and_drawing_stay_aligned_when_they_are_resized(tmp_path: Path) -> None:
    """A black square on white lies in the same place in both."""
    color = np.full((60, 40, 3), 255, np.uint8)
    color[20:40, 10:30] = 0
    line = np.ascontiguousarray(color[::2, ::2, 0])
    shard = shard_of(tmp_path / "s", [1])
    write_shard(shard.color, [(1, {"png": png(color)})])
    write_shard(shard.lines[""], [(1, {"original.png": png(line)})])
    for options in ({}, {"size": 30}, {"size": 90, "shape": "pad"}, {"size": 20, "shape": "crop"}):
        (sample,) = read([shard], [1], plan_of(**options))
        painted = pixels(sample, "color")[..., 0].astype(int)
        drawn = pixels(sample, "line").astype(int)
        inner, outer = painted < 20, painted > 235
        assert inner.any()
        assert (drawn[inner] < 128).all()
        assert (drawn[outer] > 127).mean() > 0.97  # bilinear edges reach one pixel out


def test_controlnet_has_white_lines_in_rgb(shards: list[ShardPaths]) -> None:
    (sample,) = read(shards, [8], plan_of(format="controlnet"))
    line = pixels(sample, "conditioning_image")
    assert line.shape == (HEIGHT, WIDTH, 3)
    assert (line == 255 - level_of(8)).all()
    assert (pixels(sample, "image") == color_of(8)).all()


def test_styles_and_sketches_are_those_of_the_options(shards: list[ShardPaths]) -> None:
    (sample,) = read(shards, [8], plan_of(lines=("pured", "enhanced"), sketches=("pured",)))
    assert list(sample.pictures) == ["color", "line_pured", "line_enhanced", "sketch"]
    assert (pixels(sample, "line_pured") == level_of(8, "pured")).all()
    assert (pixels(sample, "line_enhanced") == level_of(8, "enhanced")).all()
    assert (pixels(sample, "sketch") == level_of(9, "pured")).all()


@pytest.mark.parametrize(("picture", "kind"), [("jpg", "JPEG"), ("webp", "WEBP")])
def test_colour_can_be_compressed_and_lines_never_are(
    shards: list[ShardPaths], picture: str, kind: str
) -> None:
    contents = []
    for quality in (95, 20):
        (sample,) = read(shards, [8], plan_of(picture=picture, quality=quality))
        content = sample.pictures["color"].content
        assert sample.pictures["color"].extension == picture
        with Image.open(io.BytesIO(content)) as image:
            assert image.format == kind
        assert abs(pixels(sample, "color").astype(int) - color_of(8)).max() < 12
        assert (pixels(sample, "line") == level_of(8)).all()
        contents.append(content)
    assert contents[0] != contents[1]


def test_jpeg_has_its_colours_in_full_resolution(tmp_path: Path) -> None:
    """Columns of red and blue would become purple at half the resolution."""
    color = np.zeros((32, 24, 3), np.uint8)
    color[:, ::2, 0] = color[:, 1::2, 2] = 255
    shard = shard_of(tmp_path / "s", [1])
    write_shard(shard.color, [(1, {"png": png(color)})])
    (sample,) = read([shard], [1], plan_of(picture="jpg"))
    assert abs(pixels(sample, "color").astype(int) - color).max() < 40


@pytest.mark.parametrize(("picture", "width"), [("webp", 16_500), ("jpg", 66_000)])
def test_picture_that_is_too_large_for_its_file_type_is_an_outcome(
    tmp_path: Path, picture: str, width: int
) -> None:
    shard = shard_of(tmp_path / "s", [1])
    write_shard(shard.color, [(1, {"png": png(np.zeros((2, width, 3), np.uint8))})])
    write_shard(shard.lines[""], [(1, {"original.png": png(np.zeros((2, width), np.uint8))})])
    assert list(read_samples([1], [shard], plan_of(picture=picture))) == [
        Outcome(1, "too_large", f"{width} x 2 is too large for {picture}")
    ]


def test_what_cannot_be_exported_is_an_outcome(tmp_path: Path) -> None:
    shard = shard_of(tmp_path / "s", [1, 2, 3, 4, 5, 6])
    whole = png(color_of(1))
    wide = png(np.zeros((4, 100, 3), np.uint8))
    colors = {1: whole[:-30], 3: whole, 4: whole, 5: whole, 6: wide}
    write_shard(shard.color, [(i, {"png": content}) for i, content in colors.items()])
    lines = {
        1: drawing_of(1),
        2: drawing_of(2),
        3: np.full_like(drawing_of(3), 255),
        4: drawing_of(4).T,
        6: np.zeros((4, 100), np.uint8),
    }
    write_shard(shard.lines[""], [(i, {"original.png": png(p)}) for i, p in lines.items()])
    outcomes = list(read_samples(range(9), [shard], plan_of(size=16, shape="crop")))
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)
    codes = {outcome.id: outcome.code for outcome in outcomes if isinstance(outcome, Outcome)}
    assert codes == {
        1: "truncated",
        2: "missing",
        3: "blank_line",
        4: "misaligned",
        5: "missing",
        6: "too_narrow",
    }
