"""Sketches and line art of a shard: a picture that fails is an outcome and stops no other."""

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.draw.simplify import SimplifyOptions, simplify_shard
from pipeline.draw.sketch import SketchOptions, sketch_shard
from pipeline.outcome import Outcome
from pipeline.picture import decode_grey, encode_png
from pipeline.shard import ShardReader, write_shard
from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.errors import ConfigError
from sketch_models.styles import STYLES
from sketch_models.xdog import Xdog, XdogOptions
from tests.pipeline.picture_files import chunk, jpeg, jpeg_exif, png, turned

XDOG, CENTERLINE = Xdog(XdogOptions()), Centerline(CenterlineOptions())
SMALL = SketchOptions(size=128)


def drawing(width: int, height: int) -> np.ndarray:
    picture = np.full((height, width, 3), 250, np.uint8)
    center = (width // 2, height // 2)
    cv2.circle(picture, center, min(width, height) // 4, (40, 30, 50), 4)
    return picture


def colour_shard(path: Path) -> dict[int, bytes]:
    jpeg = io.BytesIO()
    Image.fromarray(drawing(300, 200)).save(jpeg, "jpeg", quality=95)
    contents = {
        1: encode_png(drawing(200, 300)),
        2: jpeg.getvalue(),
        3: encode_png(drawing(200, 300))[:-30],
        4: encode_png(np.full((50, 50, 3), 128, np.uint8)),
        5: encode_png(drawing(150, 150)),
        6: b"not requested",
    }
    write_shard(path, ((post_id, {"png": content}) for post_id, content in contents.items()))
    return contents


def test_odd_exif_stops_no_shard(tmp_path: Path) -> None:
    exif = turned(6, (271, 5, struct.pack("<II", 1, 1)))
    image = Image.fromarray(drawing(300, 200))
    contents = {1: jpeg(jpeg_exif(exif), image=image), 2: png(chunk(b"eXIf", exif), image=image)}
    write_shard(tmp_path / "0.tar", ((number, {"a": file}) for number, file in contents.items()))
    target = tmp_path / "sketch.tar"
    outcomes = sketch_shard(tmp_path / "0.tar", [1, 2], target, XDOG, SMALL)
    assert [outcome.code for outcome in outcomes] == ["ok", "ok"]
    with ShardReader(target) as shard:
        for number in (1, 2):
            assert decode_grey(shard.read(number, "original.png")).shape == (128, 85)


@pytest.fixture
def sketched(tmp_path: Path) -> tuple[Path, list[Outcome]]:
    colour_shard(tmp_path / "color.tar")
    target = tmp_path / "sketch.tar"
    return target, sketch_shard(tmp_path / "color.tar", [1, 2, 3, 4, 5], target, XDOG, SMALL)


def test_every_picture_has_an_outcome(sketched: tuple[Path, list[Outcome]]) -> None:
    target, outcomes = sketched
    codes = {outcome.id: outcome.code for outcome in outcomes}
    assert codes == {1: "ok", 2: "ok", 3: "truncated", 4: "no_ink", 5: "ok"}
    with ShardReader(target) as shard:
        assert shard.ids == [1, 2, 5]


def test_sketches_have_the_aspect_of_the_picture(sketched: tuple[Path, list[Outcome]]) -> None:
    with ShardReader(sketched[0]) as shard:
        shapes = {i: decode_grey(shard.read(i, "original.png")).shape for i in shard.ids}
        assert shard.parts(1) == ["original.png", "enhanced.png", "pured.png"]
    assert shapes == {1: (128, 85), 2: (85, 128), 5: (128, 128)}


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_sketches_do_not_depend_on_the_batch_size(
    sketched: tuple[Path, list[Outcome]], tmp_path: Path, batch_size: int
) -> None:
    options = SketchOptions(size=128, batch_size=batch_size)
    again = tmp_path / "again.tar"
    sketch_shard(tmp_path / "color.tar", [1, 2, 3, 4, 5], again, XDOG, options)
    assert again.read_bytes() == sketched[0].read_bytes()


def test_progress_counts_every_picture(tmp_path: Path) -> None:
    colour_shard(tmp_path / "color.tar")
    done: list[int] = []
    sketch_shard(tmp_path / "color.tar", [1, 3, 4], tmp_path / "s.tar", XDOG, SMALL, done.append)
    assert sum(done) == 3


def test_empty_shard_makes_an_empty_tar(tmp_path: Path) -> None:
    colour_shard(tmp_path / "color.tar")
    assert sketch_shard(tmp_path / "color.tar", [], tmp_path / "s.tar", XDOG, SMALL) == []
    with ShardReader(tmp_path / "s.tar") as shard:
        assert shard.ids == []


def test_picture_that_is_not_in_the_shard_is_missing(tmp_path: Path) -> None:
    colour_shard(tmp_path / "color.tar")
    outcomes = sketch_shard(tmp_path / "color.tar", [1, 7], tmp_path / "s.tar", XDOG, SMALL)
    assert [(outcome.id, outcome.code) for outcome in outcomes] == [(1, "ok"), (7, "missing")]


def centroid(grey: np.ndarray) -> np.ndarray:
    ink = 255.0 - grey
    rows, columns = np.indices(grey.shape)
    return np.array([(ink * rows).sum(), (ink * columns).sum()]) / ink.sum()


def test_lines_are_thicker_than_sketches_and_aligned(
    sketched: tuple[Path, list[Outcome]], tmp_path: Path
) -> None:
    target = tmp_path / "line.tar"
    outcomes = simplify_shard(sketched[0], target, CENTERLINE, SimplifyOptions())
    assert [(outcome.id, outcome.code) for outcome in outcomes] == [(1, "ok"), (2, "ok"), (5, "ok")]
    with ShardReader(sketched[0]) as sketches, ShardReader(target) as lines:
        for post_id in lines.ids:
            for part in lines.parts(post_id):
                sketch = decode_grey(sketches.read(post_id, part))
                line = decode_grey(lines.read(post_id, part))
                assert np.abs(centroid(line) - centroid(sketch)).max() < 0.5
                assert (255.0 - line).sum() > (255.0 - sketch).sum()


def test_broken_and_blank_sketches_have_codes(tmp_path: Path) -> None:
    good = encode_png(255 - cv2.circle(np.zeros((60, 60), np.uint8), (30, 30), 20, 255, 2))
    blank = encode_png(np.full((60, 60), 255, np.uint8))
    samples = {1: good, 2: good[:50], 3: blank}
    parts = ("original.png", "enhanced.png", "pured.png")
    shard = ((i, dict.fromkeys(parts, content)) for i, content in samples.items())
    write_shard(tmp_path / "s.tar", shard)
    outcomes = simplify_shard(
        tmp_path / "s.tar", tmp_path / "l.tar", CENTERLINE, SimplifyOptions(batch_size=3)
    )
    assert [outcome.code for outcome in outcomes] == ["ok", "broken", "no_lines"]


def test_lines_of_several_sizes_stay_aligned(tmp_path: Path) -> None:
    """The smaller the size, the wider the stroke in the picture; its middle does not move."""
    sketch = 255 - cv2.circle(np.zeros((300, 200), np.uint8), (120, 130), 60, 255, 2)
    write_shard(tmp_path / "s.tar", [(1, {f"{s}.png": encode_png(sketch) for s in STYLES})])
    shares = []
    for size in (0, 150, 600):
        target = tmp_path / f"{size}.tar"
        simplify_shard(tmp_path / "s.tar", target, CENTERLINE, SimplifyOptions(), size=size)
        with ShardReader(target) as shard:
            line = decode_grey(shard.read(1, "original.png"))
        assert max(line.shape) == (size or 300)
        scale = 300 / max(line.shape)
        middle = (centroid(line) + 0.5) * scale - 0.5
        half = 0.5 * scale + 0.1  # a skeleton takes the one or the other of two middle pixels
        np.testing.assert_allclose(middle, centroid(sketch), atol=half)
        shares.append((255 - line.astype(float)).mean())
    assert shares[1] > 1.5 * shares[0] > 2.2 * shares[2]


@pytest.mark.parametrize(
    ("options_type", "values", "message"),
    [
        (SketchOptions, {"models": ("pencil",)}, r"\[sketch\] models = pencil: expected one or"),
        (
            SketchOptions,
            {"models": ()},
            r"\[sketch\] models = '': expected one or more of tracer, xdog",
        ),
        (SketchOptions, {"models": ("xdog", "xdog")}, r"models = xdog xdog: expected .*each once"),
        (SimplifyOptions, {"sizes": (512, 32)}, r"\[simplify\] sizes = 512 32: expected .*pixels"),
        (SimplifyOptions, {"sizes": (512, 512)}, r"sizes = 512 512: expected .*each once"),
        (SketchOptions, {"size": 3}, r"\[sketch\] size = 3"),
        (SketchOptions, {"batch_size": -1}, r"\[sketch\] batch_size = -1"),
        (
            SimplifyOptions,
            {"model": "x"},
            r"\[simplify\] model = x: expected one of inker, centerline",
        ),
        (SimplifyOptions, {"batch_size": -1}, r"\[simplify\] batch_size = -1"),
    ],
)
def test_wrong_options_are_named(
    options_type: type, values: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        options_type(**values)
