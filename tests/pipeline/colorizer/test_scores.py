"""Scores: what is best, what stands apart, and what is written."""

import json
import math

from pipeline.colorizer.scores import Score, columns, markdown, scores_to_json, table

NAN = float("nan")


def score(method: str, measure: str, mean: float, z: str = "", **changed: float) -> Score:
    values = {"low": mean - 1, "high": mean + 1, "n": 9, "hints": 10, **changed}
    return Score(method=method, z=z, measure=measure, mean=mean, **values)


SCORES = [
    score("the truth", "psnr", 99),
    score("white fill", "psnr", 10),
    score("white fill", "hint_difference", NAN, low=NAN, high=NAN),
    score("netL-SPADE", "psnr", 18.256, "zero"),
    score("netL-SPADE", "hint_difference", 9, "zero"),
    score("SPADE", "hint_difference", 12, "zero"),
    score("netL-SPADE", "psnr", 25, "posterior"),
    score("netL-SPADE", "fid", 50, "zero", low=NAN, high=NAN),
    score("white fill", "psnr", 50, hints=1),
]


def test_the_best_is_the_best_that_did_not_see_the_truth() -> None:
    rows = {row.label: row for row in table(SCORES, 10)}
    assert columns(SCORES) == ["psnr", "hint_difference", "fid"]
    best = {(label, i) for label, row in rows.items() for i in range(3) if row.cells[i].best}
    assert best == {("netL-SPADE, z = 0", 0), ("netL-SPADE, z = 0", 1), ("netL-SPADE, z = 0", 2)}


def test_what_saw_the_truth_comes_last() -> None:
    rows = table(SCORES, 10)
    assert [row.bound for row in rows] == [False, False, False, True, True]
    assert rows[-1].label == "netL-SPADE, z from the truth"


def test_cells_show_intervals_and_dashes() -> None:
    rows = {row.label: row.cells for row in table(SCORES, 10)}
    assert rows["netL-SPADE, z = 0"][0].mean == "18.26"
    assert rows["netL-SPADE, z = 0"][0].interval == "17.26 to 19.26"
    assert rows["netL-SPADE, z = 0"][2].interval == ""
    assert rows["white fill"][1].mean == "–"
    assert rows["SPADE, z = 0"][0].mean == "–"


def test_markdown_marks_the_best() -> None:
    lines = markdown(SCORES, 10).splitlines()
    assert lines[0] == "| method | PSNR, dB ↑ | CIEDE2000 in hints ↓ | FID ↓ |"
    assert any("| **18.26** (17.26 to 19.26) |" in line for line in lines)
    assert sum(line.count("**") for line in lines) == 6


def test_json_has_null_for_what_is_no_number() -> None:
    rows = json.loads(scores_to_json(SCORES))
    assert len(rows) == len(SCORES)
    assert rows[2]["mean"] is None
    assert rows[3]["mean"] == 18.256
    assert not math.isnan(rows[3]["low"])
