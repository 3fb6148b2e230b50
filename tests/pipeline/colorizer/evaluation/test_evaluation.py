"""What is measured: on the content alone, with the same hints for everybody."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.evaluation import evaluate, figures
from pipeline.colorizer.evaluation.evaluate_job import Job, read_job
from pipeline.colorizer.evaluation.evaluation import baselines, drawn_z, measure, measure_all
from pipeline.colorizer.evaluation.paper_figures import draw_figures
from pipeline.colorizer.hints import HintOptions, Hints
from pipeline.colorizer.networks.painter import Painter
from pipeline.colorizer.options import EvaluateOptions
from pipeline.colorizer.packed_pictures import HeldOut, read_held_out, read_relatives
from pipeline.colorizer.train_job import Recipe
from pipeline.pack.dataset_reader import DatasetReader
from sketch_models.errors import SengaError
from sketch_models.network_options import GpuOptions
from tests.pipeline.colorizer.networks.test_networks import small

OPTIONS = EvaluateOptions(hints=(0, 5), shifts=2)


@pytest.fixture
def pictures(write_packed: Callable[..., Path]) -> list[HeldOut]:
    return read_held_out(write_packed((4, 9), size=64, box=(10, 0, 54, 64)))


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    recipe = Recipe(train="train.h5", network=small())
    return Colorizer(Painter(small(), 64), recipe, 64, GpuOptions(device="cpu"))


def job(**changed: object) -> Job:
    return Job(test="test.h5", colorizers={}, name="sample", **{"options": OPTIONS, **changed})


def test_a_job_comes_back_as_it_was() -> None:
    told = job(seed=3, hints=HintOptions(color="median"))
    assert read_job(told.text()) == told


def test_pictures_are_read_with_their_box(pictures: list[HeldOut]) -> None:
    assert [picture.id for picture in pictures] == [4, 9]
    assert pictures[0].box == (10, 0, 54, 64)
    assert pictures[0].color.shape == (64, 64, 3)
    assert pictures[0].line.shape == (64, 64)


def test_hints_are_the_same_every_time_and_inside_the_box(pictures: list[HeldOut]) -> None:
    first, again = (pictures[0].hints(50, HintOptions(), 1) for _ in range(2))
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.mask, pictures[0].hints(50, HintOptions(), 2).mask)
    assert not first.mask[:, :10].any()
    assert not first.mask[:, 54:].any()
    assert not pictures[0].hints(0, HintOptions(), 1).mask.any()


@pytest.mark.parametrize("line", ["", "pured"])
def test_the_line_may_be_chosen(write_packed: Callable[..., Path], line: str) -> None:
    path = write_packed((4, 9), size=64)
    assert len(read_held_out(path, line, 1)) == 1


def test_a_line_or_file_that_is_not_there(write_packed: Callable[..., Path]) -> None:
    path = write_packed((4,), size=64)
    with pytest.raises(SengaError, match="no line art sideways, expected one of enhanced"):
        read_held_out(path, "sideways")
    with pytest.raises(SengaError, match="is missing: build it first"):
        read_held_out(path.with_name("nothing.h5"))


def test_an_empty_file_is_refused(write_packed: Callable[..., Path]) -> None:
    with pytest.raises(SengaError, match="has no pictures"):
        read_held_out(write_packed(()))


def test_relatives_are_the_sketch_and_the_variants_of_one_style(
    write_packed: Callable[..., Path],
) -> None:
    path = write_packed((4, 9), lines=("_512", "_768"), sketches=("",))
    found = read_relatives(path, "pured_768", 1)
    assert list(found.lines) == ["pured_512", "pured_768"]
    reader = DatasetReader(path)
    assert np.array_equal(found.lines["pured_512"][0], reader.picture("line/pured_512", 0))
    assert [sketch.tolist() for sketch in found.sketches] == [
        reader.picture("sketch/pured", 0).tolist()
    ]
    assert len(read_relatives(path, "", 5).sketches) == 2


def test_a_sketch_of_several_models_is_the_lines_own(write_packed: Callable[..., Path]) -> None:
    models = ("_sketchkeras", "_xdog")
    path = write_packed((4,), lines=models, sketches=models)
    expected = DatasetReader(path).picture("sketch/pured_xdog", 0)
    assert np.array_equal(read_relatives(path, "pured_xdog", 1).sketches[0], expected)


def test_no_sketches_where_none_were_packed(write_packed: Callable[..., Path]) -> None:
    found = read_relatives(write_packed((4,)), "pured", 1)
    assert found.sketches == []
    assert list(found.lines) == ["pured"]
    with pytest.raises(SengaError, match="no line art sideways"):
        read_relatives(write_packed((4,)), "sideways", 1)


@pytest.mark.parametrize(
    ("lines", "sketches", "headings"),
    [
        (("",), (), [("line art", "hints"), ("as it is", "1 px thicker", "2 px thicker")]),
        (("_512", "_768"), ("",), [("sketch", "line art"), ("enhanced_512", "enhanced_768")]),
    ],
)
def test_figures_show_sketches_and_variants_where_there_are_some(
    write_packed: Callable[..., Path],
    colorizer: Colorizer,
    monkeypatch: pytest.MonkeyPatch,
    lines: tuple[str, ...],
    sketches: tuple[str, ...],
    headings: list[tuple[str, ...]],
) -> None:
    path = write_packed((4, 9), size=64, lines=lines, sketches=sketches)
    pictures, grid = read_held_out(path), figures.picture_grid
    scores, painted = measure_all(pictures, {"SPADE": colorizer}, job(), lambda *_: None)
    seen: list[tuple[str, ...]] = []

    def watched(columns: list[str], *others: Any, **named: Any) -> figures.Picture:
        seen.append(tuple(columns))
        return grid(columns, *others, **named)

    monkeypatch.setattr(figures, "picture_grid", watched)
    relatives = read_relatives(path, "", 2)
    draw_figures(pictures, relatives, {"SPADE": colorizer}, scores, painted, {}, job())
    for columns in headings:
        assert any(found[: len(columns)] == columns for found in seen)


def test_measures_see_the_content_alone(pictures: list[HeldOut]) -> None:
    hints = [Hints.none(64, 64) for _ in pictures]
    results = [picture.color.copy() for picture in pictures]
    results[0][:, :10] = 0
    results[1][:, 10] = 255 - results[1][:, 10]
    found = measure(pictures, hints, results)
    assert found["psnr"][0] == 99
    assert found["psnr"][1] < 40
    assert all(math.isnan(value) for value in found["hint_difference"])


def test_every_method_paints_with_every_number_of_hints(
    pictures: list[HeldOut], colorizer: Colorizer
) -> None:
    heard: list[tuple[int, int]] = []
    scores, painted = measure_all(
        pictures, {"SPADE": colorizer}, job(), lambda done, total: heard.append((done, total))
    )
    methods = {(score.method, score.z) for score in scores}
    assert methods == {("white fill", ""), ("nearest-hint fill", ""), ("the truth", "")} | {
        ("SPADE", z) for z in ("prior", "zero", "posterior")
    }
    assert len(painted) == 6 * 2
    assert heard[-1] == (24, 24)
    psnr = {(s.method, s.hints): s.mean for s in scores if s.measure == "psnr"}
    assert psnr["the truth", 5] == 99
    assert psnr["nearest-hint fill", 0] == psnr["white fill", 0]
    diverse = [score for score in scores if score.measure == "diversity"]
    assert [(score.z, score.hints, score.n) for score in diverse] == [
        ("prior", 0, 2),
        ("prior", 5, 2),
    ]


def test_the_same_job_gives_the_same_scores(pictures: list[HeldOut], colorizer: Colorizer) -> None:
    first, again = (
        measure_all(pictures, {"SPADE": colorizer}, job(), lambda *_: None)[0] for _ in range(2)
    )
    assert str(first) == str(again)


def test_z_is_another_for_every_picture() -> None:
    assert np.array_equal(drawn_z(8, 0, 4), drawn_z(8, 0, 4))
    assert not np.array_equal(drawn_z(8, 0, 4), drawn_z(8, 0, 9))
    assert drawn_z(8, 0, 4).dtype == np.float32


def test_baselines_are_the_fills(pictures: list[HeldOut]) -> None:
    hints = [picture.hints(5, HintOptions(), 0) for picture in pictures]
    white, nearest = (method.paint(pictures, hints) for method in baselines())
    assert np.array_equal(white[0][..., 0], pictures[0].line)
    assert not np.array_equal(white[0], nearest[0])


def test_pictures_of_another_size_are_refused(
    write_packed: Callable[..., Path], colorizer: Colorizer
) -> None:
    (picture,) = read_held_out(write_packed((4,), size=32))
    with pytest.raises(SengaError, match="expected 64 x 64, which SPADE was trained on"):
        evaluate.require_same_size("SPADE", colorizer, picture, "test.h5")
