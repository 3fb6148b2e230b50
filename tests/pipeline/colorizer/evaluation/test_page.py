"""The page: its numbers and their ranking, escaping, and no outside resources."""

import base64
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.colorizer.evaluation.comparison import Difference
from pipeline.colorizer.evaluation.page import (
    PageFacts,
    PageFigure,
    count_hints,
    format_duration,
    make_table,
    write_page,
)
from pipeline.picture import encode_png
from tests.pipeline.colorizer.evaluation.test_scores import score

PNG = encode_png(np.zeros((4, 4, 3), np.uint8))
NAN = math.nan


SCORES = [
    score("white fill", "psnr", 11.0),
    score("SPADE", "psnr", 17.0, "zero"),
    score("netL-SPADE", "psnr", 20.0, "zero"),
    score("netL-SPADE", "psnr", 25.0, "posterior"),
    score("white fill", "hint_difference", 30.0),
    score("SPADE", "hint_difference", NAN, "zero"),
    score("netL-SPADE", "hint_difference", 10.0, "zero"),
    score("SPADE", "psnr", 15.25, "zero", hints=0),
    score("netL-SPADE", "psnr", 15.5, "zero", hints=0),
]


def difference(other: str, other_z: str, metric: str, mean: float, hints: int = 10) -> Difference:
    """Return a difference of netL-SPADE from another method, of 1 up or down."""
    return Difference(
        method="netL-SPADE",
        z="zero",
        other=other,
        other_z=other_z,
        hints=hints,
        metric=metric,
        mean=mean,
        low=mean - 1,
        high=mean + 1,
        n=40,
    )


DIFFERENCES = [
    difference("white fill", "", "psnr", 9.0),
    difference("SPADE", "zero", "psnr", 3.0),
    difference("white fill", "", "hint_difference", -20.0),
    difference("SPADE", "zero", "psnr", 0.25, hints=0),
    difference("white fill", "", "psnr", NAN, hints=0),
]
FACTS = PageFacts(
    dataset="upper_body",
    pictures=1_234,
    size=256,
    colorizers={"netL-SPADE": {"parameters": "110,417,283", "epochs": "<script>alert(1)</script>"}},
    scores=SCORES,
    differences=DIFFERENCES,
    figures=[PageFigure(title="Samples", caption="Rows of <pictures>.", png=PNG)],
    seconds=845.0,
)


def written(facts: PageFacts, folder: Path) -> str:
    write_page(folder / "index.html", facts)
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def html(tmp_path: Path) -> str:
    return written(FACTS, tmp_path)


def body_rows(html: str) -> dict[str, list[str]]:
    """Return the cells for ten hints with their tags, by the text of the row's first cell."""
    (part,) = re.findall(r"10 hints per picture</summary>(.*?)</details>", html, re.DOTALL)
    rows = [re.findall(r"<td.*?</td>", row, re.DOTALL) for row in part.split("<tr")]
    return {re.sub(r"<[^>]*>", "", row[0]): row[1:] for row in rows if row}


@pytest.mark.parametrize(
    "text",
    [
        "1,234 test pictures of 256 × 256",
        "14 min 5 s",
        "110,417,283",
        "PSNR, dB ↑",
        "CIEDE2000 in hints ↓",
        "No hints per picture",
        "Rows of &lt;pictures&gt;.",
    ],
)
def test_facts_are_shown(html: str, text: str) -> None:
    assert text in html


def test_numbers_and_intervals_are_in_their_cells_and_the_best_is_bold(html: str) -> None:
    rows = body_rows(html)
    assert list(rows) == [
        "white fill",
        "SPADE, z = 0",
        "netL-SPADE, z = 0",
        "netL-SPADE, z of the truth (upper bound)",
    ]
    psnr, difference = rows["netL-SPADE, z = 0"]
    assert "<b>20.00</b>" in psnr
    assert "19.00–21.00" in psnr
    assert "<b>10.00</b>" in difference
    bold = [cell for row in rows.values() for cell in row if "<b>" in cell]
    assert bold == [psnr, difference]
    assert "25.00" in rows["netL-SPADE, z of the truth (upper bound)"][0]


def test_missing_number_is_a_dash(html: str) -> None:
    assert re.sub(r"<[^>]*>", "", body_rows(html)["SPADE, z = 0"][1]) == "–"
    assert "nan" not in html.lower()


def test_table_for_ten_hints_is_open(html: str) -> None:
    assert re.findall(r"<details open>\s*<summary>(.*?)</summary>", html) == [
        "10 hints per picture"
    ]
    assert html.count("per picture</summary>") == 2


def test_winners_are_named_and_clear_ones_are_bold(html: str) -> None:
    (part,) = re.findall(r'class="winners">(.*?)</table>', html, re.DOTALL)
    none, ten = re.findall(r"<tr><td>(?:no hints|10 hints)</td>(.*?)</tr>", part, re.DOTALL)
    assert ten.count("<b>netL-SPADE</b>") == 2
    assert "dot open" not in ten
    assert "<b>" not in none
    assert none.count("dot open") == 1
    assert "<td>–</td>" in none  # CIEDE2000 in hints: there are none


def test_values_are_escaped(html: str) -> None:
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_page_is_self_contained(html: str) -> None:
    assert re.findall(r'(?:src|href)="([^"]{22})', html) == ["data:image/png;base64,"]
    assert "url(" not in html
    assert "@import" not in html
    assert base64.b64encode(PNG).decode() in html


def test_hints_can_be_chosen_and_unknown_facts_are_left_out(tmp_path: Path) -> None:
    page = written(replace(FACTS, hints=[0], seconds=None, figures=()), tmp_path)
    assert re.findall(r"<details( open)?>\s*<summary>No hints", page) == [" open"]
    assert "10 hints" not in page
    assert "The evaluation took" not in page


def test_scores_on_other_pictures_have_tables_of_their_own(tmp_path: Path) -> None:
    other = [score("white fill", "psnr", 7.25), score("netL-SPADE", "psnr", 9.75, "zero")]
    page = written(replace(FACTS, other_scores={"micah": other}), tmp_path)
    own, micah = page.split("<h2>Scores on other pictures: micah</h2>")
    assert "<b>9.75</b>" in micah
    assert "9.75" not in own
    assert "<b>20.00</b>" in own
    assert "Scores on other pictures" not in written(FACTS, tmp_path)


def test_page_without_scores(tmp_path: Path) -> None:
    assert "upper_body" in written(replace(FACTS, scores=()), tmp_path)


def test_equal_facts_give_equal_pages(html: str, tmp_path: Path) -> None:
    assert written(FACTS, tmp_path) == html


def test_bars_show_intervals_between_the_worst_and_the_best() -> None:
    rows = {row.label: row for row in make_table(SCORES, 10).rows}
    spans = {label: [cell.span for cell in row.cells] for label, row in rows.items()}
    # PSNR from 10 to 21; CIEDE2000 from 31 to 9, lower is better.
    assert spans["white fill"] == [
        pytest.approx((0, 100 * 2 / 11)),
        pytest.approx((0, 100 * 2 / 22)),
    ]
    assert spans["SPADE, z = 0"] == [pytest.approx((100 * 6 / 11, 100 * 2 / 11)), None]
    assert spans["netL-SPADE, z = 0"] == [
        pytest.approx((100 * 9 / 11, 100 * 2 / 11)),
        pytest.approx((100 * 20 / 22, 100 * 2 / 22)),
    ]
    assert spans["netL-SPADE, z of the truth"] == [None, None]


def test_single_score_has_no_bar() -> None:
    (row,) = make_table([score("SPADE", "fid", 70.0, width=NAN)], 10).rows
    assert row.cells[0].span is None
    assert (row.cells[0].number, row.cells[0].interval) == ("70.0", "")


def test_method_has_one_colour_in_all_tables() -> None:
    colors = {row.label: row.color for hints in (0, 10) for row in make_table(SCORES, hints).rows}
    assert colors["SPADE, z = 0"] == "#d9822b"
    assert colors["netL-SPADE, z = 0"] == colors["netL-SPADE, z of the truth"] == "#4a5fc1"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "no hints"), (1, "1 hint"), (5, "5 hints"), (1000, "1,000 hints")],
)
def test_count_hints(count: int, text: str) -> None:
    assert count_hints(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599.7, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_format_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_differences_are_signed_and_sure_ones_are_bold(html: str) -> None:
    (part,) = re.findall(r"minus other methods: PSNR(.*?)</details>", html, re.DOTALL)
    white, spade = (re.findall(r"<td.*?</td>", row, re.DOTALL) for row in part.split("<tr")[2:])
    assert "white fill" in white[0]
    assert ">–<" in white[1]
    assert "<b>+9.00</b><small>+8.00 to +10.00</small>" in white[2]
    assert "SPADE, z = 0" in spade[0]
    assert ">+0.25<small>−0.75 to +1.25</small>" in spade[1]  # it holds 0
    (part,) = re.findall(r"minus other methods: CIEDE2000 in hints ↓(.*?)</details>", html, re.S)
    assert "<b>−20.00</b>" in part  # lower is better


def test_page_without_differences_has_no_such_part(tmp_path: Path) -> None:
    html = written(replace(FACTS, differences=()), tmp_path)
    assert "picture by picture</h2>" not in html


def test_differences_on_other_test_sets_are_shown_with_them(tmp_path: Path) -> None:
    others = {"micah": [difference("white fill", "", "ssim", 0.125)]}
    facts = replace(FACTS, other_scores={"micah": SCORES}, other_differences=others)
    part = written(facts, tmp_path).split("Scores on other pictures: micah")[1]
    assert "minus other methods: SSIM" in part
