"""The report shows all facts, escaped, in one self-contained file."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from pipeline.picture import encode_png
from pipeline.report.report import (
    FunnelStep,
    ReportFacts,
    StageFacts,
    format_bytes,
    funnel,
    summary_table,
    write_report,
)

SHEET = encode_png(np.zeros((4, 4, 3), np.uint8))


def stage(name: str, kept: int, unit: str = "pictures", **dropped: int) -> StageFacts:
    return StageFacts(name=name, unit=unit, kept=kept, dropped=dropped, seconds=2.0, bytes=1500)


FACTS = ReportFacts(
    dataset="upper_body",
    created="2026-01-02T03:04:05+00:00",
    fingerprint="0123456789abcdef",
    stages=[
        stage("metadata", 2_736_037, "posts", field_count=12),
        stage("filter", 17_000, "posts"),
        stage("download", 8_800, http_404=8_100, timeout=100),
        stage("screen", 8_700, greyscale=40, too_small=60),
        stage("sketch", 8_690, truncated=10),
        stage("simplify", 8_690),
        stage("split", 8_690),
        stage("pack", 8_690),
    ],
    funnel=[("all_tags solo", 2_000_000), ("ratings s", 719_037), ("limit 1", 0)],
    gates=[("too_small", 60), ("bad_aspect", 0), ("greyscale", 40)],
    color_profiles={"none": 8_000, "converted": 690, "ignored": 10},
    joins={"same_bytes": 3, "same_look": 1_200, "same_tags": 0},
    split={"train": 8_590, "test": 100},
    files={"data/upper_body/train.h5": 1_200_000_000},
    config={"filter": {"all_tags": "<script>alert(1)</script>"}},
    versions={"luigi": "3.8.1"},
)


def steps_of(facts: ReportFacts) -> list[FunnelStep]:
    return funnel(facts.stages, facts.funnel, facts.gates)


@pytest.fixture
def html(tmp_path: Path) -> str:
    write_report(tmp_path / "report.html", FACTS, SHEET)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "8,690 pairs",
        "2,736,037",
        "http_404",
        "8,100",
        "1.2 GB",
        "train 8,590",
        "luigi",
        "690 pictures were converted to sRGB",
        "10 have a profile",
    ],
)
def test_facts_are_shown(html: str, text: str) -> None:
    assert text in html


def test_values_are_escaped(html: str) -> None:
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_page_is_self_contained(html: str) -> None:
    assert not re.findall(r"(?:src|href)=\"(?!data:)", html)
    assert "url(" not in html
    assert "data:image/png;base64," in html


def test_funnel_counts_down_to_the_pairs() -> None:
    steps = steps_of(FACTS)
    assert [(step.label, step.kept, step.dropped) for step in steps] == [
        ("posts read", 2_736_037, 12),
        ("all_tags solo", 736_037, 2_000_000),
        ("ratings s", 17_000, 719_037),
        ("limit 1", 17_000, 0),
        ("download", 8_800, 8_200),
        ("screen too_small", 8_740, 60),
        ("screen bad_aspect", 8_740, 0),
        ("screen greyscale", 8_700, 40),
        ("sketch", 8_690, 10),
        ("simplify", 8_690, 0),
        ("pack", 8_690, 0),
    ]
    assert steps[1].of_previous == pytest.approx(736_037 / 2_736_037)


def test_dropped_duplicates_are_a_step_of_the_funnel() -> None:
    stages = [*FACTS.stages[:-2], stage("split", 8_600, duplicate=90), stage("pack", 8_600)]
    assert [(step.label, step.dropped) for step in steps_of(replace(FACTS, stages=stages))][
        -2:
    ] == [
        ("split", 90),
        ("pack", 0),
    ]


def test_groups_are_shown_if_there_are_any(html: str, tmp_path: Path) -> None:
    assert "None found" in html
    write_report(tmp_path / "r.html", FACTS, SHEET, SHEET)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "same bytes 3, same look 1,200, same tags 0." in text


def test_build_that_drops_nothing_says_so(tmp_path: Path) -> None:
    stages = [replace(one, dropped={}) for one in FACTS.stages]
    write_report(tmp_path / "r.html", replace(FACTS, stages=stages, funnel=[]), SHEET)
    assert "None: every post that matched is in the dataset." in (tmp_path / "r.html").read_text()


def test_funnel_of_no_posts_does_not_divide_by_zero() -> None:
    stages = [replace(one, kept=0) for one in FACTS.stages]
    facts = replace(FACTS, stages=stages, funnel=[], gates=[])
    assert {step.share for step in steps_of(facts)} == {0.0}


def test_equal_facts_make_equal_reports(html: str, tmp_path: Path) -> None:
    write_report(tmp_path / "again.html", FACTS, SHEET)
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == html


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e12, "2.5 TB")]
)
def test_bytes_are_formatted(number: float, text: str) -> None:
    assert format_bytes(number) == text


def test_summary_table_has_a_row_per_stage() -> None:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(summary_table(FACTS))
    assert "download" in capture.get()
    assert "8,200" in capture.get()
    assert "http_404 8,100" in capture.get()


def test_each_step_of_the_funnel_has_its_label_bar_and_number_together(html: str) -> None:
    steps = re.findall(r'<div class="step">(.*?)\n</div>\n', html, re.DOTALL)
    assert len(steps) == len(steps_of(FACTS))
    for step, text in zip(steps_of(FACTS), steps, strict=True):
        label, track, number = re.findall(r"<div.*?</div>", text, re.DOTALL)
        assert step.label in label
        assert 'class="track"' in track
        assert f"{step.kept:,}" in number
