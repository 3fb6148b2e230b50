from __future__ import annotations

import io
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline.outcome import read_ok_ids
from pipeline.picture import encode_png
from pipeline.sample_booru.artist.draw import Drawing, draw
from pipeline.sample_booru.catalogue import catalogue
from pipeline.sample_booru.files import encode
from pipeline.screen.picture_stats import PictureStats, compute_stats
from pipeline.screen.screen import (
    GATES,
    ScreenOptions,
    apply_gates,
    count_color_profiles,
    read_stats,
    screen_picture,
    screen_shard,
)
from pipeline.shard import write_shard
from sketch_models.errors import ConfigError
from tests.pipeline.icc_profiles import rgb_profile
from tests.pipeline.picture_files import chunk, encoded, jpeg, jpeg_exif, png, turned
from tests.pipeline.test_picture_metadata import TURNS

IDS = (*range(1, 12), *(post.id for post in catalogue(8)))
KEEP = ScreenOptions(min_side=1, max_aspect=0, blank="keep", line_art="keep", greyscale="keep")
GOOD = PictureStats(
    width=800, height=1000, phash="f" * 64, phash_mirrored="0" * 64, chroma=0.4, hues=20.0,
    paper=0.5, uniform=0.0, outline=2.0,
)  # fmt: skip
BAD = {
    "too_small": replace(GOOD, width=255),
    "bad_aspect": replace(GOOD, height=2401),
    "blank": replace(GOOD, uniform=1.0, hues=0.0),
    "line_art": replace(GOOD, hues=0.0, outline=6.0, paper=0.8),
    "greyscale": replace(GOOD, hues=0.0),
}
Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def drawings() -> list[Drawing]:
    return [draw(post_id) for post_id in IDS]


def code_of(picture: Picture, file_format: str = "jpg") -> str:
    """Return the screen's code of a picture in a file; a JPEG is decoded at 1/8."""
    height, width = picture.shape[:2]
    with Image.open(io.BytesIO(encode(Drawing(picture, picture[..., 0]), file_format))) as image:
        image.draft("RGB", (1, 1))
        thumbnail = np.asarray(image.convert("RGB"))
    return apply_gates(compute_stats(thumbnail, width, height), ScreenOptions())


def grey(picture: Picture) -> Picture:
    return np.repeat(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))[..., None], 3, axis=2)


@pytest.mark.parametrize("file_format", ["jpg", "png", "png_palette"])
def test_drawings_are_kept(drawings: list[Drawing], file_format: str) -> None:
    some = drawings if file_format == "jpg" else drawings[:5]
    assert {code_of(drawing.color, file_format) for drawing in some} == {"ok"}


def test_greyscale_pictures_are_dropped(drawings: list[Drawing]) -> None:
    assert {code_of(grey(drawing.color)) for drawing in drawings} == {"greyscale"}


def test_prints_in_one_ink_are_dropped_as_greyscale(drawings: list[Drawing]) -> None:
    dark, light = np.array([60, 25, 90]), np.array([255, 247, 220])
    for drawing in drawings:
        printed = dark + grey(drawing.color) / 255 * (light - dark)
        assert code_of(printed.astype(np.uint8)) == "greyscale"


@pytest.mark.parametrize("file_format", ["jpg", "png"])
def test_line_art_is_dropped(drawings: list[Drawing], file_format: str) -> None:
    some = drawings if file_format == "jpg" else drawings[:5]
    lines = [np.repeat(drawing.line[..., None], 3, axis=2) for drawing in some]
    assert {code_of(picture, file_format) for picture in lines} == {"line_art"}


@pytest.mark.parametrize("color", [(255, 255, 255), (252, 250, 247), (30, 90, 200), (0, 0, 0)])
def test_blank_pictures_are_dropped(color: tuple[int, int, int]) -> None:
    noise = np.random.default_rng(0).integers(-3, 4, (600, 500, 3))
    assert code_of(np.clip(noise + color, 0, 255).astype(np.uint8)) == "blank"


def test_small_colour_figure_on_a_white_page_is_kept(drawings: list[Drawing]) -> None:
    for drawing in drawings:
        page = np.full_like(drawing.color, 255)
        small = cv2.resize(drawing.color, None, fx=0.1, fy=0.1, interpolation=cv2.INTER_AREA)
        page[400 : 400 + small.shape[0], 300 : 300 + small.shape[1]] = small
        assert code_of(page) == "ok"


@pytest.mark.parametrize("code", GATES)
def test_each_gate_can_be_turned_off(code: str) -> None:
    assert apply_gates(BAD[code], ScreenOptions()) == code
    assert apply_gates(BAD[code], KEEP) == "ok"


@pytest.mark.parametrize("code", ["blank", "line_art", "greyscale"])
def test_picture_kept_by_its_gate_passes_the_others(code: str) -> None:
    others = {"blank", "line_art", "greyscale"} - {code}
    assert apply_gates(BAD[code], replace(KEEP, **dict.fromkeys(others, "drop"))) == "ok"


def test_first_failed_gate_gives_the_code() -> None:
    everything = replace(BAD["line_art"], width=100, height=1000, uniform=1.0)
    assert apply_gates(everything, ScreenOptions()) == "too_small"
    assert apply_gates(replace(everything, width=300), ScreenOptions()) == "bad_aspect"
    assert apply_gates(replace(everything, width=900), ScreenOptions()) == "blank"
    assert GATES == ("too_small", "bad_aspect", "blank", "line_art", "greyscale")


@pytest.mark.parametrize(
    ("width", "height", "code"),
    [
        (256, 256, "ok"),
        (255, 700, "too_small"),
        (700, 255, "too_small"),
        (300, 900, "ok"),
        (900, 300, "ok"),
        (901, 300, "bad_aspect"),
        (300, 901, "bad_aspect"),
    ],
)
def test_limits_are_inclusive(width: int, height: int, code: str) -> None:
    assert apply_gates(replace(GOOD, width=width, height=height), ScreenOptions()) == code


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_side": 0}, {"min_side": 10_001}, {"max_aspect": 0.5}, {"max_aspect": -1},
        {"max_aspect": float("nan")}, {"blank": "yes"}, {"line_art": ""}, {"greyscale": "Drop"},
    ],
)  # fmt: skip
def test_wrong_options_are_named(wrong: dict[str, str | float]) -> None:
    with pytest.raises(ConfigError, match=rf"\[screen\] {next(iter(wrong))}"):
        replace(KEEP, **wrong)  # type: ignore[arg-type]


def shard_of(tmp_path: Path, pictures: dict[int, tuple[str, bytes]]) -> Path:
    path = tmp_path / "color.tar"
    write_shard(path, ((post_id, dict([entry])) for post_id, entry in pictures.items()))
    return path


def pictures_of() -> dict[int, tuple[str, bytes]]:
    good = draw(1).color
    grey = np.repeat(good.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    return {
        1: ("jpg", encode(draw(1), "jpg")),
        2: ("png", encode_png(good)),
        3: ("png", encode_png(grey)),
        4: ("png", encode_png(np.full((400, 400, 3), 250, np.uint8))),
        5: ("png", encode_png(good[:100, :300].copy())),
        6: ("png", b"\x89PNG\r\n\x1a\nbut not really"),
    }


def test_shard_is_screened_into_a_table(tmp_path: Path) -> None:
    color, done = shard_of(tmp_path, pictures_of()), []
    table = tmp_path / "screen.parquet"
    outcomes = screen_shard(
        color, [6, 5, 4, 3, 2, 1], table, ScreenOptions(), on_progress=done.append
    )
    codes = ["ok", "ok", "greyscale", "blank", "too_small", "broken"]
    assert [(row.id, row.code) for row in outcomes] == list(enumerate(codes, 1))
    assert sum(done) == 6
    assert read_ok_ids(table) == [1, 2]
    rows = pl.read_parquet(table)
    assert rows.columns[:3] == ["id", "code", "sha256"]
    height, width = draw(1).color.shape[:2]
    assert rows.select("width", "height").rows()[:2] == [(width, height)] * 2
    assert rows["phash"].null_count() == 1


def test_unforeseen_error_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(content: bytes) -> PictureStats:
        if content == pictures[2][1]:
            raise ZeroDivisionError("by a library")
        return read_stats(content)

    pictures = pictures_of()
    monkeypatch.setattr("pipeline.screen.screen.read_stats", fail)
    table = tmp_path / "screen.parquet"
    outcomes = screen_shard(shard_of(tmp_path, pictures), [1, 2, 3], table, ScreenOptions())
    assert [row.code for row in outcomes] == ["ok", "unexpected", "greyscale"]


def test_stats_of_previous_tables_are_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    color = shard_of(tmp_path, pictures_of())
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    screen_shard(color, [1, 2, 3], first, ScreenOptions())
    computed: list[bytes] = []

    def recording_read_stats(content: bytes) -> PictureStats:
        computed.append(content)
        return read_stats(content)

    monkeypatch.setattr("pipeline.screen.screen.read_stats", recording_read_stats)
    options = ScreenOptions(greyscale="keep")
    outcomes = screen_shard(color, [1, 2, 3, 4], second, options, previous_tables=[first])
    assert [row.code for row in outcomes] == ["ok", "ok", "ok", "blank"]
    assert len(computed) == 1
    assert pl.read_parquet(second).drop("code")[:3].equals(pl.read_parquet(first).drop("code"))


def test_picture_without_stats_in_a_previous_table_has_its_code_again(tmp_path: Path) -> None:
    color, first, second = (tmp_path / name for name in ("color.tar", "1.parquet", "2.parquet"))
    shard_of(tmp_path, pictures_of())
    for table, previous in ((first, []), (second, [first])):
        outcomes = screen_shard(color, [1, 6], table, ScreenOptions(), previous_tables=previous)
        assert [row.code for row in outcomes] == ["ok", "broken"]


def test_stats_of_an_earlier_version_are_computed_again(tmp_path: Path) -> None:
    color = shard_of(tmp_path, pictures_of())
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    screen_shard(color, [1, 2], first, ScreenOptions())
    old = pl.read_parquet(first)
    old.with_columns(width=pl.lit(1, pl.Int32)).drop("color_profile").write_parquet(first)
    screen_shard(color, [1, 2], second, ScreenOptions(), previous_tables=[first])
    assert pl.read_parquet(second).equals(old)


def test_turned_copies_have_the_stats_of_the_picture() -> None:
    pixels = draw(3).color[:-3, :-5]  # sides that are no multiples of 8
    upright = read_stats(encoded(Image.fromarray(pixels), "jpeg", quality=90))
    for orientation, stored in TURNS.items():
        image = Image.fromarray(np.ascontiguousarray(stored(pixels)))
        for content in (
            jpeg(jpeg_exif(turned(orientation)), image=image),
            png(chunk(b"eXIf", turned(orientation)), image=image),
        ):
            stats = read_stats(content)
            assert (stats.width, stats.height) == (pixels.shape[1], pixels.shape[0])
            for name in ("phash", "phash_mirrored"):
                one, other = (int(getattr(each, name), 16) for each in (upright, stats))
                assert (one ^ other).bit_count() <= 8


def test_colour_profiles_are_counted(tmp_path: Path) -> None:
    image = Image.fromarray(draw(1).color)
    profiles = {1: b"", 2: rgb_profile(), 3: b"garbage"}
    pictures = {
        number: ("jpg", encoded(image, "jpeg", icc_profile=profile))
        for number, profile in profiles.items()
    }
    table = tmp_path / "screen.parquet"
    screen_shard(shard_of(tmp_path, pictures), list(pictures), table, ScreenOptions())
    assert count_color_profiles(table) == {"none": 1, "converted": 1, "ignored": 1}


def test_pictures_of_any_shape_have_stats() -> None:
    for width, height in ((1, 1), (1, 50), (50, 1), (2, 3), (400, 8), (8, 400), (5000, 100)):
        for file_format in ("jpeg", "png"):
            stats = read_stats(encoded(Image.new("RGB", (width, height), "red"), file_format))
            assert (stats.width, stats.height) == (width, height)


def test_empty_shard_makes_an_empty_table(tmp_path: Path) -> None:
    table = tmp_path / "screen.parquet"
    assert screen_shard(shard_of(tmp_path, {}), [], table, ScreenOptions()) == []
    assert read_ok_ids(table) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"uniform": 0.999}, "blank"),
        ({"uniform": 0.998}, "ok"),
        ({"hues": 1.0}, "ok"),
        ({"hues": 0.99}, "greyscale"),
        ({"hues": 0.0, "outline": 4.1, "paper": 0.5}, "line_art"),
        ({"hues": 0.0, "outline": 4.09, "paper": 0.5}, "greyscale"),
        ({"hues": 0.0, "outline": 4.1, "paper": 0.49}, "greyscale"),
        ({"hues": 1.0, "outline": 6.0, "paper": 0.9}, "ok"),
    ],
)
def test_thresholds_of_the_gates(change: dict[str, float], code: str) -> None:
    assert apply_gates(replace(GOOD, **change), ScreenOptions()) == code  # type: ignore[arg-type]


def test_options_of_the_screen() -> None:
    assert asdict(ScreenOptions()) == {
        "min_side": 256,
        "max_aspect": 3.0,
        "blank": "drop",
        "line_art": "drop",
        "greyscale": "drop",
    }
    for right in ({"min_side": 1}, {"min_side": 10_000}, {"max_aspect": 1}, {"max_aspect": 1000}):
        replace(KEEP, **right)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="max_aspect"):
        replace(KEEP, max_aspect=1001)


def test_table_has_the_digest_of_every_file(tmp_path: Path) -> None:
    pictures, table = pictures_of(), tmp_path / "screen.parquet"
    steps: list[int] = []
    screen_shard(shard_of(tmp_path, pictures), pictures, table, KEEP, on_progress=steps.append)
    rows = pl.read_parquet(table)
    assert rows["sha256"].to_list() == [sha256(c).hexdigest() for _, c in pictures.values()]
    assert rows["id"].to_list() == list(pictures)
    assert rows["color_profile"].to_list() == ["none"] * 5 + [None]
    assert steps == [1] * 6


def test_screen_of_one_picture_is_that_of_a_shard(tmp_path: Path, drawings: list[Drawing]) -> None:
    files = {
        1: encode_png(drawings[0].color),
        2: encode_png(drawings[0].line),
        3: b"<html>",
        4: b"",
    }
    color, table = tmp_path / "color.tar", tmp_path / "screen.parquet"
    write_shard(color, [(number, {"png": content}) for number, content in files.items()])
    outcomes = screen_shard(color, list(files), table, ScreenOptions())
    rows = {row.pop("id"): row for row in pl.read_parquet(table).iter_rows(named=True)}
    for outcome in outcomes:
        screening = screen_picture(files[outcome.id])
        assert screening.code == outcome.code
        stats = asdict(screening.stats) if screening.stats else dict.fromkeys(asdict(GOOD))
        assert {**stats, "code": screening.code} == {
            key: value for key, value in rows[outcome.id].items() if key != "sha256"
        }
    assert [outcome.code for outcome in outcomes] == ["ok", "line_art", "not_a_picture", "empty"]


def test_pixels_are_screened_as_a_png_file_with_them(drawings: list[Drawing]) -> None:
    color, line = drawings[0].color, drawings[0].line
    assert screen_picture(color) == screen_picture(encode_png(color))
    assert screen_picture(line) == screen_picture(encode_png(line))
    assert screen_picture(color.astype(np.uint16) * 257) == screen_picture(color)
    assert screen_picture(color, replace(KEEP, min_side=9999)).code == "too_small"
    for wrong in (color.astype(np.float32), color[:0], [[1, 2]], "girl.png"):
        with pytest.raises(ValueError, match="^A picture is"):
            screen_picture(wrong)  # type: ignore[arg-type]


def test_unforeseen_error_is_a_code_of_the_picture(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(content: bytes) -> PictureStats:
        raise ZeroDivisionError(content)

    monkeypatch.setattr("pipeline.screen.screen.read_stats", fail)
    assert screen_picture(b"x", name="girl.png").code == "unexpected"
    assert "picture girl.png: unexpected: ZeroDivisionError" in caplog.text
