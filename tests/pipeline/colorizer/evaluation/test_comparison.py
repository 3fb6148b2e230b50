"""Methods compared picture by picture, and which is the best."""

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from pipeline.colorizer.evaluation.comparison import (
    Best,
    Difference,
    MethodKey,
    best,
    compare,
    differences_to_json,
)
from pipeline.colorizer.evaluation.evaluation import score
from pipeline.colorizer.evaluation.scores import Score
from tests.pipeline.colorizer.evaluation.test_scores import SCORES

Values = Mapping[MethodKey, Mapping[str, Sequence[float]]]

PICTURES = np.random.default_rng(3).normal(15, 5, 40)  # PSNR of one method: pictures differ much
NAN = math.nan


def shifted(by: float, spread: float = 0.5) -> dict[str, list[float]]:
    """Return the PSNR of a method that is better on average by as much."""
    rng = np.random.default_rng(round(10 * by))
    noise = rng.normal(0, spread, len(PICTURES))
    return {"psnr": (PICTURES + by + noise - noise.mean()).tolist()}


def compared(values: Values) -> list[Difference]:
    return list(compare(values, 10, seed=0))


def ranked(values: Values) -> Best:
    scores: list[Score] = []
    for (method, z), metrics in values.items():
        scores += score(method, z, 10, metrics, 0)
    found = best(scores, compared(values), next(iter(metrics)), 10)
    assert found is not None
    return found


def test_difference_is_of_the_same_pictures() -> None:
    fill, network = {"psnr": [10.0, 30.0, 20.0]}, {"psnr": [11.0, 33.0, 22.0]}
    (difference,) = compared({("geodesic fill", ""): fill, ("SPADE", "zero"): network})
    assert (difference.method, difference.z) == ("SPADE", "zero")
    assert (difference.other, difference.other_z) == ("geodesic fill", "")
    assert (difference.mean, difference.n, difference.hints) == (2.0, 3, 10)
    assert 1 <= difference.low <= 2 <= difference.high <= 3
    assert difference.winner == ("SPADE", "zero")


def test_picture_without_a_value_of_both_is_left_out() -> None:
    one, other = {"psnr": [10.0, NAN, 20.0, 5.0]}, {"psnr": [11.0, 3.0, NAN, 7.0]}
    (difference,) = compared({("white fill", ""): one, ("SPADE", "zero"): other})
    assert (difference.mean, difference.n) == (1.5, 2)
    (nothing,) = compared({("white fill", ""): {"psnr": [NAN]}, ("SPADE", "zero"): {"psnr": [1.0]}})
    assert nothing.winner is None
    assert json.loads(differences_to_json([nothing])) == []


def test_a_small_lead_on_every_picture_is_clear_though_intervals_of_the_means_overlap() -> None:
    values = {("geodesic fill", ""): shifted(0), ("SPADE", "zero"): {"psnr": PICTURES + 1.0}}
    fill, network = (next(iter(score(*key, 10, of, 0))) for key, of in values.items())
    assert fill.high > network.low
    found = ranked(values)
    assert (found.score.method, found.clear) == ("SPADE", True)


def test_a_lead_that_may_be_chance_is_not_clear() -> None:
    values = {("geodesic fill", ""): shifted(0, 9), ("SPADE", "zero"): shifted(0.5, 9)}
    (difference,) = compared(values)
    assert difference.winner is None
    assert not ranked(values).clear


@pytest.mark.parametrize(
    ("metric", "by", "winner"),
    [
        ("psnr", 1.0, ("SPADE", "zero")),
        ("psnr", -1.0, ("white fill", "")),
        ("leakage", 1.0, ("white fill", "")),
        ("leakage", -1.0, ("SPADE", "zero")),
        ("unevenness", 1.0, None),
    ],
)
def test_winner_is_higher_or_lower_as_the_metric_says(
    metric: str, by: float, winner: MethodKey | None
) -> None:
    values = {
        ("white fill", ""): {metric: PICTURES.tolist()},
        ("SPADE", "zero"): {metric: (PICTURES + by).tolist()},
    }
    (difference,) = compared(values)
    assert difference.winner == winner


def test_only_methods_with_the_same_z_that_have_not_seen_the_truth_are_compared() -> None:
    keys = [("the truth", ""), ("white fill", "")]
    keys += [(name, z) for name in ("netL-SPADE", "SPADE") for z in ("prior", "zero", "posterior")]
    pairs = {
        (each.method, each.z, each.other, each.other_z)
        for each in compared({key: shifted(n) for n, key in enumerate(keys)})
    }
    assert pairs == {
        ("netL-SPADE", "prior", "white fill", ""),
        ("netL-SPADE", "zero", "white fill", ""),
        ("SPADE", "prior", "white fill", ""),
        ("SPADE", "zero", "white fill", ""),
        ("SPADE", "prior", "netL-SPADE", "prior"),
        ("SPADE", "zero", "netL-SPADE", "zero"),
    }


def test_win_is_clear_only_over_every_other_method() -> None:
    values = {
        ("white fill", ""): shifted(0),
        ("SPADE", "zero"): shifted(4.4, 5),
        ("netL-SPADE", "zero"): shifted(5),
    }
    found = ranked(values)
    assert (found.score.method, found.clear) == ("netL-SPADE", False)
    values["SPADE", "zero"] = shifted(3)
    assert ranked(values).clear


def test_a_method_without_rivals_is_not_clear() -> None:
    assert not ranked({("SPADE", "zero"): shifted(5), ("SPADE", "prior"): shifted(4)}).clear


def test_best_is_the_highest_or_lowest_of_methods_that_have_not_seen_the_truth() -> None:
    psnr = best(SCORES, (), "psnr", 10)
    assert psnr is not None
    assert (psnr.score.label, psnr.score.mean, psnr.clear) == ("netL-SPADE, z = 0", 19.5, False)
    difference = best(SCORES, (), "hint_difference", 10)
    assert difference is not None
    assert (difference.score.method, difference.score.mean) == ("SPADE", 5.0)
    assert best(SCORES, (), "diversity", 10) is None  # neither side is better
    assert best(SCORES, (), "lpips", 10) is None
    assert best(SCORES, (), "psnr", 50) is None


def test_json_has_every_field() -> None:
    values = {("white fill", ""): shifted(0), ("SPADE", "zero"): shifted(1)}
    (row,) = json.loads(differences_to_json(compared(values)))
    assert {key: row[key] for key in ("method", "z", "other", "other_z", "hints", "metric")} == {
        "method": "SPADE",
        "z": "zero",
        "other": "white fill",
        "other_z": "",
        "hints": 10,
        "metric": "psnr",
    }
    assert row["low"] <= row["mean"] <= row["high"]
