"""Hint-AUC of methods whose curves are known."""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.colorizer.evaluation import hint_auc
from pipeline.colorizer.evaluation.evaluate_job import EvaluateJob
from pipeline.colorizer.evaluation.hint_auc import AucScore, HintAuc, auc_to_json
from pipeline.colorizer.evaluation.methods import Method, Pictures
from pipeline.colorizer.evaluation.region_hints import KINDS, RATIOS
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.options import EvaluateOptions
from pipeline.colorizer.packed_pictures import PackedPicture, read_pictures


@pytest.fixture
def test_file(write_packed: Callable[..., Path]) -> Path:
    return write_packed((4, 9), size=64, box=(10, 0, 54, 64))


def job(test: Path, **options: object) -> EvaluateJob:
    return EvaluateJob(
        test=str(test), colorizers={}, name="sample", options=EvaluateOptions(**options)
    )


def share_of_hints(pictures: Sequence[PackedPicture], hints: Sequence[Hints]) -> Pictures:
    """Return the truth where there are hints, else black."""
    return [
        picture.color * each.mask[..., None] for picture, each in zip(pictures, hints, strict=True)
    ]


def compare(test_file: Path, *methods: Method) -> list[AucScore]:
    pictures = read_pictures(test_file)
    return HintAuc(sources={"a": pictures, "b": pictures[:]}, methods=methods).scores(
        lambda _: None
    )


def test_a_constant_metric_is_its_own_area(
    test_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(hint_auc._METRICS, "psnr", lambda *_: 7.0)
    scores = compare(test_file, Method(name="any", colorize=share_of_hints))
    means = {score.hints: score.mean for score in scores if score.metric == "psnr"}
    assert means == {kind: pytest.approx(7.0) for kind in KINDS}


def test_the_area_is_that_of_the_trapezoids(
    test_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([float(ratio) ** 2 for _ in range(4) for ratio in RATIOS for _ in range(2)])
    monkeypatch.setattr(hint_auc, "_METRICS", {"psnr": lambda *_: next(values)})
    scores = compare(test_file, Method(name="any", colorize=share_of_hints))
    area = sum((b - a) * (a**2 + b**2) / 2 for a, b in pairwise(RATIOS))
    assert [score.mean for score in scores] == [pytest.approx(area)] * 2
    assert [score.deviation for score in scores] == [pytest.approx(0)] * 2


def test_mean_and_deviation_are_over_the_sources_of_the_lines(
    test_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = read_pictures(test_file)
    methods = [Method(name="any", colorize=lambda given, _: [p.line[..., None] for p in given])]
    monkeypatch.setattr(hint_auc, "_METRICS", {"psnr": lambda result, _: float(result.mean())})
    black = [PackedPicture(id=p.id, color=p.color, line=p.line * 0, box=p.box) for p in pictures]
    white = [
        PackedPicture(id=p.id, color=p.color, line=p.line * 0 + 255, box=p.box) for p in pictures
    ]
    score = HintAuc(sources={"a": black, "b": white}, methods=methods).scores(lambda _: None)[0]
    assert (score.mean, score.deviation) == (pytest.approx(0.5), pytest.approx(0.5))
    assert score.sources == ["a", "b"]
    assert score.n == 2


def test_more_hints_lie_in_the_box(test_file: Path) -> None:
    seen: list[Sequence[Hints]] = []

    def watch(pictures: Sequence[PackedPicture], hints: Sequence[Hints]) -> Pictures:
        seen.append(hints)
        return share_of_hints(pictures, hints)

    compare(test_file, Method(name="any", colorize=watch))
    counts = [sum(int(h.mask.sum()) for h in hints) for hints in seen[: len(RATIOS)]]
    assert counts == sorted(counts)
    assert counts[0] == 0 < counts[-1]
    for hints in seen:
        for each in hints:
            assert not each.mask[:, :10].any()
            assert not each.mask[:, 54:].any()


def test_a_job_compares_the_fills_on_all_line_art(test_file: Path) -> None:
    auc = HintAuc.of(job(test_file, hint_auc_pictures=1), {})
    progress: list[int] = []
    scores = auc.scores(progress.append)
    assert {score.method for score in scores} == {
        "white fill",
        "nearest-hint fill",
        "geodesic fill",
    }
    assert sum(progress) == auc.images
    assert all(score.n == 1 for score in scores)
    rows = json.loads(auc_to_json(scores))
    assert rows[0]["hints"] in KINDS
    assert np.isfinite([row["mean"] for row in rows]).all()


def test_it_can_be_left_out(test_file: Path) -> None:
    auc = HintAuc.of(job(test_file, hint_auc_pictures=0), {})
    assert auc.images == 0
    assert auc.scores(lambda _: None) == []
