"""A folder of pictures is drawn once; what cannot be drawn is a row; stopping breaks nothing."""

import csv
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.harness.line_networks import write_random
from pipeline.draw import draw_folder as module
from pipeline.draw.__main__ import main
from pipeline.draw.draw_folder import FolderResult, draw_folder, find_pictures
from pipeline.draw.folder_options import FolderOptions
from pipeline.picture import decode, resize_long_side
from sketch_models.errors import SengaError
from sketch_models.styles import ink_to_sketch
from sketch_models.xdog import Xdog, XdogOptions
from tests.pipeline.picture_files import chunk, jpeg, jpeg_exif, png, turned

XDOG = Xdog(XdogOptions())


def picture(width: int = 60, height: int = 50) -> Image.Image:
    pixels = np.full((height, width, 3), (240, 220, 200), np.uint8)
    pixels[height // 2 - 2 : height // 2 + 1, width // 8 :] = 20
    return Image.fromarray(pixels)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures in two folders."""
    root = tmp_path / "in"
    (root / "x" / "y").mkdir(parents=True)
    picture().save(root / "a.png")
    picture(64).save(root / "x" / "b.jpg")
    picture(60, 70).save(root / "x" / "y" / "c.gif")
    return root


def drawn(results: Path) -> dict[str, NDArray[np.uint8]]:
    """The drawings in a folder of results, by their paths."""
    return {
        str(path.relative_to(results)): np.asarray(cv2.imread(str(path), -1), np.uint8)
        for path in sorted(results.rglob("*.png"))
    }


def run(folder: Path, results: Path, **options: object) -> FolderResult:
    values = {"sketch": "xdog", "line": "centerline", **options}
    return draw_folder(FolderOptions(folder=str(folder), results=str(results), **values))  # type: ignore[arg-type]


def test_drawings_have_the_folders_and_names_of_the_pictures(folder: Path, tmp_path: Path) -> None:
    result = run(folder, tmp_path / "out")
    assert (result.drawn, result.done_before, result.errors) == (3, 0, [])
    drawings = drawn(tmp_path / "out")
    names = ["a.png", "x/b.png", "x/y/c.png"]
    assert sorted(drawings) == [
        f"{stage}/{name}" for stage in ("lines", "sketches") for name in names
    ]
    (ink,) = XDOG.lines([decode((folder / "a.png").read_bytes())])
    np.testing.assert_array_equal(drawings["sketches/a.png"], ink_to_sketch(ink, "original"))
    assert drawings["lines/x/y/c.png"].shape == (70, 60)
    assert drawings["lines/a.png"].min() == 0


def test_all_styles_at_a_size(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out", style="all", size=32)
    drawings = drawn(tmp_path / "out")
    assert len(drawings) == 18
    assert max(drawings["lines/pured/x/b.png"].shape) == 32
    (ink,) = XDOG.lines([resize_long_side(decode((folder / "a.png").read_bytes()), 32)])
    for style in ("original", "enhanced", "pured"):
        sketch = drawings[f"sketches/{style}/a.png"]
        np.testing.assert_array_equal(sketch, ink_to_sketch(ink, style))


def test_rough_drawings_become_line_art_alone(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out", from_sketch=True)
    assert sorted(drawn(tmp_path / "out")) == ["lines/a.png", "lines/x/b.png", "lines/x/y/c.png"]


def test_one_picture(folder: Path, tmp_path: Path) -> None:
    run(folder / "x" / "b.jpg", tmp_path / "out")
    assert sorted(drawn(tmp_path / "out")) == ["lines/b.png", "sketches/b.png"]


def test_networks_draw_pictures_of_any_kind(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, color in (("black", 0), ("white", 255), ("one", (200, 30, 90))):
        Image.new("RGB", (64, 48), color).save(folder / f"{name}.png")
    Image.new("RGBA", (40, 40)).save(folder / "transparent.png")
    picture(1, 70).save(folder / "column.png")
    picture(800, 20).save(folder / "strip.png")
    picture().convert("L").save(folder / "grey.png")
    picture().convert("CMYK").save(folder / "cmyk.jpg")
    Image.fromarray(np.arange(3000, dtype=np.uint16).reshape(50, 60)).save(folder / "deep.png")
    paths = {name: str(write_random(tmp_path / name, name)) for name in ("tracer", "inker")}
    result = run(
        folder,
        tmp_path / "out",
        sketch="tracer",
        line="inker",
        sketch_weights=paths["tracer"],
        line_weights=paths["inker"],
    )
    assert (result.drawn, result.errors) == (9, [])
    drawings = drawn(tmp_path / "out")
    assert drawings["lines/column.png"].shape == (70, 1)
    assert drawings["lines/strip.png"].shape == (20, 800)


def test_a_second_run_draws_what_is_new(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
    result = run(folder, tmp_path / "out")
    assert (result.drawn, result.done_before) == (0, 3)
    picture().save(folder / "new.png")
    (tmp_path / "out" / "sketches" / "a.png").unlink()
    result = run(folder, tmp_path / "out")
    assert (result.drawn, result.done_before) == (2, 2)
    unchanged = tmp_path / "out" / "lines" / "x" / "b.png"
    assert unchanged.stat().st_mtime_ns == times[unchanged]


def test_other_settings_need_another_folder(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out")
    with pytest.raises(SengaError, match="--style was original, now pured. Choose another folder"):
        run(folder, tmp_path / "out", style="pured")
    assert run(folder, tmp_path / "out", style="pured", overwrite=True).drawn == 3
    assert run(folder, tmp_path / "out", style="pured").done_before == 3


def test_files_that_cannot_be_drawn_are_rows(folder: Path, tmp_path: Path) -> None:
    (folder / "empty.png").write_bytes(b"")
    (folder / "page.jpg").write_bytes(b"<html>")
    (folder / "cut.png").write_bytes((folder / "a.png").read_bytes()[:-30])
    (folder / "gone.png").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.png")
    (folder / "notes.txt").write_bytes(b"not looked at")
    (folder / ".hidden.png").write_bytes(b"not looked at")
    result = run(folder, tmp_path / "out")
    assert result.drawn == 3
    assert result.table is not None
    with result.table.open(encoding="utf-8") as table:
        rows = {row["picture"]: row["code"] for row in csv.DictReader(table)}
    assert rows == {
        "cut.png": "truncated",
        "empty.png": "empty",
        "gone.png": "unreadable",
        "page.jpg": "not_a_picture",
        "pipe.png": "unreadable",
    }
    for name in rows:
        (folder / name).unlink()
    assert run(folder, tmp_path / "out").table is None
    assert not result.table.exists()


def test_odd_exif_and_every_format_are_drawn_as_a_person_sees_them(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    fraction = (271, 5, struct.pack("<II", 1, 1))
    exif = turned(6, fraction)
    (folder / "a.jpg").write_bytes(jpeg(jpeg_exif(exif), image=picture()))
    (folder / "a.png").write_bytes(png(chunk(b"eXIf", exif), image=picture()))
    for suffix in ("webp", "bmp"):
        picture().save(folder / f"{suffix}.{suffix}")
    assert run(folder, tmp_path / "out").drawn == 4
    shapes = {name: drawing.shape for name, drawing in drawn(tmp_path / "out" / "lines").items()}
    assert shapes == {
        "a.jpg.png": (60, 50),
        "a.png.png": (60, 50),
        "bmp.png": (50, 60),
        "webp.png": (50, 60),
    }


def test_large_pictures_are_drawn_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(folder, tmp_path / "out")
    monkeypatch.setattr(module, "MAX_PARALLEL_PIXELS", 60 * 50)
    (folder / "cut.png").write_bytes((folder / "x" / "b.jpg").read_bytes()[:-30])
    result = run(folder, tmp_path / "alone")
    assert result.drawn == 3
    assert [row[:2] for row in result.errors] == [("cut.png", "truncated")]
    expected, drawings = drawn(tmp_path / "out"), drawn(tmp_path / "alone")
    assert drawings.keys() == expected.keys()
    for name, drawing in drawings.items():
        np.testing.assert_array_equal(drawing, expected[name])


def test_results_among_the_pictures_are_left_out(folder: Path) -> None:
    run(folder, folder / "out")
    assert run(folder, folder / "out").done_before == 3
    with pytest.raises(SengaError, match="has the pictures: choose another folder"):
        run(folder, folder)


def test_nothing_to_draw_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match="there is no such folder or picture"):
        run(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "in").mkdir()
    with pytest.raises(SengaError, match="has no pictures"):
        run(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.getuid() == 0, reason="root reads every folder")
def test_folder_that_cannot_be_read_is_a_row(folder: Path, tmp_path: Path) -> None:
    (folder / "x").chmod(0)
    result = FolderResult()
    assert len(find_pictures(folder, tmp_path / "out", result)) == 1
    (folder / "x").chmod(0o700)
    assert result.errors[0][1] == "unreadable"


def command(*arguments: object) -> int:
    return main([*map(str, arguments), "--sketch=xdog", "--line=centerline"])


def test_command_says_what_it_did(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "out"
    assert command(folder, results) == 0
    assert capsys.readouterr().out == f"3 pictures drawn: {results}\n"
    (folder / "empty.png").write_bytes(b"")
    assert command(folder, results) == 1
    assert capsys.readouterr().out == (
        f"0 pictures drawn, 3 done before: {results}\n"
        f"1 picture could not be drawn, for the reason in {results}/errors.csv\n"
    )
    assert command(folder, results, "--size=64") == 3
    assert "--size was 0, now 64" in capsys.readouterr().err


def test_stopping_leaves_nothing_half_written(folder: Path, tmp_path: Path) -> None:
    for index in range(40):
        shutil.copy(folder / "a.png", folder / f"{index}.png")
    results = tmp_path / "out"
    arguments = [folder, results, "--size=600", "--sketch=xdog", "--line=centerline"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.draw", *arguments], stderr=subprocess.PIPE, text=True
    )
    while not list(results.glob("lines/*.png")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.endswith("Stopped. Run it again to draw the rest.\n")
    assert "Traceback" not in errors
    drawings = drawn(results)
    assert 0 < len(drawings) < 86
    assert all(max(drawing.shape) == 600 for drawing in drawings.values())
    assert not list(results.rglob(".*"))
    result = run(folder, results, size=600)
    assert result.done_before > 0
    assert result.drawn + result.done_before == 43
