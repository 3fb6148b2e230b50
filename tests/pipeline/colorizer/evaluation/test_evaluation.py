"""An evaluation: its pictures, hints, methods, metrics and figures."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.colorizer_file import LoadedModel
from pipeline.colorizer.evaluation import evaluate, evaluation, figures
from pipeline.colorizer.evaluation.evaluate_job import EvaluateJob
from pipeline.colorizer.evaluation.evaluation import (
    evaluate_methods,
    picture_metrics,
    random_z,
    reference_methods,
)
from pipeline.colorizer.evaluation.paper_figures import draw_figures
from pipeline.colorizer.hints import HintOptions, Hints
from pipeline.colorizer.networks.vae import Vae
from pipeline.colorizer.options import EvaluateOptions
from pipeline.colorizer.packed_pictures import PackedPicture, read_pictures, read_variants
from pipeline.colorizer.train_job import TrainJob
from pipeline.pack.dataset_reader import DatasetReader
from sketch_models.errors import SengaError
from tests.pipeline.colorizer.networks.test_networks import small

OPTIONS = EvaluateOptions(hint_counts=(0, 5), diversity_samples=2)


@pytest.fixture
def pictures(write_packed: Callable[..., Path]) -> list[PackedPicture]:
    return read_pictures(write_packed((4, 9), size=64, box=(10, 0, 54, 64)))


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    job = TrainJob(train="train.h5", network=small())
    return Colorizer(LoadedModel(Vae(small(), 64), job, 64), "cpu")


def make_job(**changed: object) -> EvaluateJob:
    return EvaluateJob(
        test="test.h5", colorizers={}, name="sample", **{"options": OPTIONS, **changed}
    )


def test_job_survives_json() -> None:
    job = make_job(seed=3, hints=HintOptions(color="median"))
    assert EvaluateJob.from_json(job.to_json()) == job


def test_pictures_are_read_with_their_box(pictures: list[PackedPicture]) -> None:
    assert [picture.id for picture in pictures] == [4, 9]
    assert pictures[0].box == (10, 0, 54, 64)
    assert pictures[0].color.shape == (64, 64, 3)
    assert pictures[0].line.shape == (64, 64)


def test_hints_are_reproducible_and_inside_the_box(pictures: list[PackedPicture]) -> None:
    first, again = (pictures[0].hints(50, HintOptions(), 1) for _ in range(2))
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.mask, pictures[0].hints(50, HintOptions(), 2).mask)
    assert not first.mask[:, :10].any()
    assert not first.mask[:, 54:].any()
    assert not pictures[0].hints(0, HintOptions(), 1).mask.any()


@pytest.mark.parametrize("line", ["", "pured"])
def test_line_can_be_chosen(write_packed: Callable[..., Path], line: str) -> None:
    path = write_packed((4, 9), size=64)
    assert len(read_pictures(path, line, 1)) == 1


def test_missing_line_or_file_is_refused(write_packed: Callable[..., Path]) -> None:
    path = write_packed((4,), size=64)
    with pytest.raises(SengaError, match=r"no line art sideways\. Choose one of enhanced"):
        read_pictures(path, "sideways")
    with pytest.raises(SengaError, match="is missing. Build it first"):
        read_pictures(path.with_name("nothing.h5"))


def test_empty_file_is_refused(write_packed: Callable[..., Path]) -> None:
    with pytest.raises(SengaError, match="has no pictures"):
        read_pictures(write_packed(()))


def test_variants_are_the_sketch_and_the_lines_of_one_style(
    write_packed: Callable[..., Path],
) -> None:
    path = write_packed((4, 9), lines=("_512", "_768"), sketches=("",))
    variants = read_variants(path, "pured_768", 1)
    assert list(variants.lines) == ["pured_512", "pured_768"]
    reader = DatasetReader(path)
    assert np.array_equal(variants.lines["pured_512"][0], reader.picture("line/pured_512", 0))
    assert [sketch.tolist() for sketch in variants.sketches] == [
        reader.picture("sketch/pured", 0).tolist()
    ]
    assert len(read_variants(path, "", 5).sketches) == 2


def test_sketch_is_of_the_model_that_the_line_was_drawn_by(
    write_packed: Callable[..., Path],
) -> None:
    models = ("_sketchkeras", "_xdog")
    path = write_packed((4,), lines=models, sketches=models)
    expected = DatasetReader(path).picture("sketch/pured_xdog", 0)
    assert np.array_equal(read_variants(path, "pured_xdog", 1).sketches[0], expected)


def test_no_sketches_if_none_were_packed(write_packed: Callable[..., Path]) -> None:
    variants = read_variants(write_packed((4,)), "pured", 1)
    assert variants.sketches == []
    assert list(variants.lines) == ["pured"]
    with pytest.raises(SengaError, match="no line art sideways"):
        read_variants(write_packed((4,)), "sideways", 1)


@pytest.mark.parametrize(
    ("lines", "sketches", "headings"),
    [
        (("",), (), [("line art", "hints"), ("unchanged", "1 px thicker", "2 px thicker")]),
        (("_512", "_768"), ("",), [("sketch", "line art"), ("enhanced_512", "enhanced_768")]),
    ],
)
def test_figures_show_sketches_and_variants_that_were_packed(
    write_packed: Callable[..., Path],
    colorizer: Colorizer,
    monkeypatch: pytest.MonkeyPatch,
    lines: tuple[str, ...],
    sketches: tuple[str, ...],
    headings: list[tuple[str, ...]],
) -> None:
    path = write_packed((4, 9), size=64, lines=lines, sketches=sketches)
    pictures, picture_grid = read_pictures(path), figures.picture_grid
    found = evaluate_methods(pictures, {"SPADE": colorizer}, make_job(), lambda *_: None)
    grids: list[tuple[str, ...]] = []

    def record(columns: list[str], *others: Any, **named: Any) -> figures.Picture:
        grids.append(tuple(columns))
        return picture_grid(columns, *others, **named)

    monkeypatch.setattr(figures, "picture_grid", record)
    variants = read_variants(path, "", 2)
    draw_figures(
        pictures, variants, {"SPADE": colorizer}, found.scores, found.results, {}, make_job()
    )
    for columns in headings:
        assert any(grid[: len(columns)] == columns for grid in grids)


def test_metrics_ignore_padding(pictures: list[PackedPicture]) -> None:
    hints = [Hints.none(64, 64) for _ in pictures]
    results = [picture.color.copy() for picture in pictures]
    results[0][:, :10] = 0
    results[1][:, 10] = 255 - results[1][:, 10]
    values = picture_metrics(pictures, hints, results)
    assert values["psnr"][0] == 99
    assert values["psnr"][1] < 40
    assert all(math.isnan(value) for value in values["hint_difference"])


def test_deep_metrics_see_the_content_alone(
    pictures: list[PackedPicture], colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []

    class Recorder:
        def __init__(self, _: EvaluateOptions, truth: list[np.ndarray], *__: object) -> None:
            seen.extend(picture.shape for picture in truth)

        def picture_metrics(self, results: list[np.ndarray]) -> dict[str, list[float]]:
            seen.extend(picture.shape for picture in results)
            return {}

        set_metrics = picture_metrics

    monkeypatch.setattr(evaluation, "DeepMetrics", Recorder)
    evaluate_methods(pictures, {"SPADE": colorizer}, make_job(), lambda *_: None)
    assert set(seen) == {(64, 44, 3)}


def test_every_method_is_scored_with_every_number_of_hints(
    pictures: list[PackedPicture], colorizer: Colorizer
) -> None:
    progress: list[int] = []
    found = evaluate_methods(pictures, {"SPADE": colorizer}, make_job(), progress.append)
    scores, results = found.scores, found.results
    methods = {(score.method, score.z) for score in scores}
    assert methods == {
        ("white fill", ""),
        ("nearest-hint fill", ""),
        ("geodesic fill", ""),
        ("the truth", ""),
    } | {("SPADE", z) for z in ("prior", "zero", "posterior")}
    assert len(results) == 7 * 2
    assert progress == [2] * 14
    psnr = {(s.method, s.hints): s.mean for s in scores if s.metric == "psnr"}
    assert psnr["the truth", 5] == 99
    assert psnr["nearest-hint fill", 0] == psnr["geodesic fill", 0] == psnr["white fill", 0]
    diverse = [score for score in scores if score.metric == "diversity"]
    assert [(score.z, score.hints, score.n) for score in diverse] == [
        ("prior", 0, 2),
        ("prior", 5, 2),
    ]


def test_same_job_gives_the_same_scores(
    pictures: list[PackedPicture], colorizer: Colorizer
) -> None:
    first, again = (
        evaluate_methods(pictures, {"SPADE": colorizer}, make_job(), lambda *_: None)
        for _ in range(2)
    )
    assert str(first) == str(again)


def test_random_z_depends_on_the_picture() -> None:
    assert np.array_equal(random_z(8, 0, 4), random_z(8, 0, 4))
    assert not np.array_equal(random_z(8, 0, 4), random_z(8, 0, 9))
    assert random_z(8, 0, 4).dtype == np.float32


def test_reference_methods_are_the_fills_and_the_truth(pictures: list[PackedPicture]) -> None:
    hints = [picture.hints(5, HintOptions(), 0) for picture in pictures]
    white, nearest, geodesic, truth = (
        method.colorize(pictures, hints) for method in reference_methods()
    )
    assert np.array_equal(white[0][..., 0], pictures[0].line)
    assert not np.array_equal(white[0], nearest[0])
    assert not np.array_equal(geodesic[0], nearest[0])
    assert np.array_equal(truth[0], pictures[0].color)


def test_pictures_of_another_size_are_refused(
    write_packed: Callable[..., Path], colorizer: Colorizer
) -> None:
    (picture,) = read_pictures(write_packed((4,), size=32))
    with pytest.raises(SengaError, match="expected 64 x 64, which SPADE was trained on"):
        evaluate.require_same_size("SPADE", colorizer, picture, "test.h5")
