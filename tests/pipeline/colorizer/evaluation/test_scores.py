"""Scores: JSON and back, the best of a metric, Markdown tables."""

import json
import math

import pytest

from pipeline.colorizer.evaluation.scores import (
    METRICS,
    Score,
    format_interval,
    hint_counts,
    metrics_of,
    row_labels,
    scores_from_json,
    scores_to_json,
)
from sketch_models.errors import SengaError

NAN = math.nan


def score(
    method: str, metric: str, mean: float, z: str = "", hints: int = 10, width: float = 1.0
) -> Score:
    low, high = mean - width, mean + width
    return Score(
        method=method, z=z, hints=hints, metric=metric, mean=mean, low=low, high=high, n=40
    )


SCORES = [
    score("the truth", "psnr", 99.0),
    score("white fill", "psnr", 11.0),
    score("SPADE", "psnr", 17.0, "zero"),
    score("netL-SPADE", "psnr", 19.5, "zero"),
    score("netL-SPADE", "psnr", 19.0, "prior"),
    score("netL-SPADE", "psnr", 25.0, "posterior"),
    score("white fill", "hint_difference", 30.0),
    score("SPADE", "hint_difference", 5.0, "zero"),
    score("netL-SPADE", "hint_difference", 6.0, "zero"),
    score("netL-SPADE", "diversity", 2.5, "prior"),
    score("netL-SPADE", "fid", 71.0, "zero", width=NAN),
    score("SPADE", "fid", NAN, "zero"),
    score("netL-SPADE", "lpips", NAN, "zero"),
    score("white fill", "psnr", 12.0, hints=0),
]


def test_scores_survive_json() -> None:
    text = scores_to_json(SCORES)
    assert "NaN" not in text
    assert json.loads(text)[10] == {
        "method": "netL-SPADE",
        "z": "zero",
        "hints": 10,
        "metric": "fid",
        "mean": 71.0,
        "low": None,
        "high": None,
        "n": 40,
    }
    scores = scores_from_json(text)
    assert repr(scores) == repr(SCORES)  # NaN is not equal to itself
    assert scores_from_json(scores_to_json([])) == []


def test_scores_of_earlier_evaluations_are_read() -> None:
    rows = json.loads(scores_to_json(SCORES))
    old = [{"measure" if key == "metric" else key: row[key] for key in row} for row in rows]
    assert repr(scores_from_json(json.dumps(old))) == repr(SCORES)


def test_infinite_number_is_null() -> None:
    assert json.loads(scores_to_json([score("SPADE", "psnr", math.inf)]))[0]["mean"] is None


ROW = json.loads(scores_to_json(SCORES[:1]))[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}x",
        "3",
        '["psnr"]',
        json.dumps([{k: v for k, v in ROW.items() if k != "hints"}]),
        json.dumps([{**ROW, "z": "posterier"}]),
        json.dumps([{**ROW, "metric": "speed"}]),
        json.dumps([{**ROW, "mean": "high"}]),
        json.dumps([{**ROW, "n": None}]),
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(SengaError, match="scores cannot be read.*expected a JSON list.*again"):
        scores_from_json(text)


def test_metrics_rows_and_hint_counts_of_scores() -> None:
    assert metrics_of(SCORES) == ["psnr", "hint_difference", "diversity", "fid"]
    assert hint_counts(SCORES) == [0, 10]
    assert row_labels(SCORES, 10) == {
        "white fill": "",
        "SPADE, z = 0": "",
        "netL-SPADE, z = 0": "",
        "netL-SPADE, random z": "",
        "the truth": "for reference",
        "netL-SPADE, z of the truth": "upper bound",
    }


def test_interval_has_the_decimals_of_its_metric() -> None:
    assert format_interval(score("SPADE", "psnr", 17)) == "16.00–18.00"
    assert format_interval(score("SPADE", "ssim", 0.5, width=0.1)) == "0.400–0.600"
    assert format_interval(score("SPADE", "fid", 70, width=NAN)) == ""


def test_every_metric_has_a_title_and_a_meaning() -> None:
    assert all(metric.meaning and metric.title for metric in METRICS.values())
    assert METRICS["psnr"].heading == "PSNR, dB ↑"
    assert METRICS["lpips"].heading == "LPIPS ↓"
    assert METRICS["diversity"].heading == "diversity, CIEDE2000"
