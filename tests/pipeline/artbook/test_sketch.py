"""Sketches: the same for a seed, of every kind, with the lines of the drawing."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.artbook import sketch as sketch_module
from pipeline.artbook.canvas import PageCanvas
from pipeline.artbook.damage import Damage
from pipeline.artbook.page import draw_page
from pipeline.artbook.paper import PAPERS, Paper
from pipeline.artbook.rough import MEDIA, Rough
from pipeline.artbook.sketch import SOURCES, SketchPage, draw_sketch
from pipeline.artbook.subjects import SUBJECTS
from tests.pipeline.artbook.conftest import SIZE, disc
from tests.pipeline.artbook.scoring import count_lines, distance_to, middle, share_near

TOP = Path(__file__).parents[3]
SEEDS = (5, 0, 11, 3, 8)


def dark_ink(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what is darker than its surroundings, as a tracer that is not good."""
    grey = picture.astype(np.float32).mean(axis=2) / 255
    return np.clip(6 * (cv2.GaussianBlur(grey, (0, 0), 4) - grey), 0, 1)


def digest(page: SketchPage) -> str:
    content = b"".join(layer.tobytes() for layer in (page.sketch, page.lines, page.weight))
    return hashlib.sha256(
        content + repr((page.subject, page.source, page.medium)).encode()
    ).hexdigest()


def digests(seeds: Sequence[int]) -> list[str]:
    """Return the digests of a sketch and a page of every seed."""
    drawn = []
    for seed in seeds:
        page = draw_page(seed, 72)
        content = page.color.tobytes() + page.lines.tobytes() + page.weight.tobytes()
        drawn += [digest(draw_sketch(seed, 72)), hashlib.sha256(content).hexdigest()]
    return drawn


def test_a_sketch_depends_on_its_seed_alone() -> None:
    first, again = ([digest(draw_sketch(seed, 72)) for seed in SEEDS] for _ in range(2))
    assert first == again
    assert len(set(first)) == len(SEEDS)


def test_pages_and_sketches_are_the_same_in_another_process_and_order() -> None:
    code = (
        "from tests.pipeline.artbook.test_sketch import SEEDS, digests\n"
        "print(*digests(sorted(SEEDS)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TOP)
    expected = digests(sorted(SEEDS, reverse=True))
    assert sorted(done.stdout.split()) == sorted(expected), done.stderr


def check(page: SketchPage, size: int) -> None:
    for layer in (page.sketch, page.lines, page.weight):
        assert layer.shape == (size, size)
        assert layer.dtype == np.uint8
    assert set(np.unique(page.weight)) <= {0, 1}
    assert page.source in SOURCES
    assert page.subject in SUBJECTS
    assert page.medium in MEDIA if page.source == "hand" else not page.medium


@settings(max_examples=12)
@given(seed=st.integers(0, 10**9), size=st.integers(64, 110))
def test_sketches_have_any_size_and_keep_the_conventions(seed: int, size: int) -> None:
    check(draw_sketch(seed, size), size)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_sources_and_subjects_can_be_asked_for(source: str, subject: str) -> None:
    page = draw_sketch(3, 64, source=source, subject=subject, tracer=dark_ink)
    check(page, 64)
    assert (page.source, page.subject) == (source, subject)


@pytest.mark.parametrize("medium", MEDIA)
def test_media_can_be_asked_for(medium: str) -> None:
    page = draw_sketch(3, 64, source="hand", subject="composition", medium=medium)
    check(page, 64)
    assert page.medium == medium


@pytest.mark.parametrize("paper", PAPERS)
def test_papers_can_be_asked_for(paper: str) -> None:
    for seed in range(3):
        page = draw_sketch(seed, 80, source="hand", subject="composition", paper=paper)
        check(page, 80)
        if paper == "white":
            assert np.quantile(page.sketch, 0.99) > 250


@pytest.mark.parametrize("source", SOURCES)
def test_ink_of_a_sketch_is_dark_and_where_its_lines_are(source: str) -> None:
    darkness = []
    for seed in range(5):
        page = draw_sketch(
            seed, 96, source=source, subject="composition", paper="white", tracer=dark_ink
        )
        lines = (page.lines < 128) & (page.weight > 0)
        paper = (distance_to(page.lines < 128) > 8) & (page.weight > 0)
        if lines.any() and paper.any():
            darkness.append((page.sketch[lines].mean(), page.sketch[paper].mean()))
    on_lines, beside = np.mean(darkness, axis=0)
    assert on_lines < beside - 25
    assert beside > 190


def test_a_tracer_makes_sketches_of_pages() -> None:
    page = draw_page(7, 96, subject="composition")
    shown = np.zeros((96, 96), np.float32)
    shown[:, 48:] = 0.5

    def half(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        np.testing.assert_array_equal(picture, page.color)
        return shown

    sketch = draw_sketch(7, 96, subject="composition", source="tracer", tracer=half)
    np.testing.assert_array_equal(sketch.sketch, np.rint(255 * (1 - shown)))
    np.testing.assert_array_equal(sketch.lines, page.lines)
    # Of what the tracer does not show at all, the line art cannot say; its other faults count.
    unseen = page.lines[:, :44] < 128
    assert unseen.any()
    assert not sketch.weight[:, :44][unseen].any()
    np.testing.assert_array_equal(sketch.weight[:, 52:], page.weight[:, 52:])


def test_a_fifth_of_the_sketches_are_those_of_the_tracer_if_there_is_one() -> None:
    with_tracer = [draw_sketch(seed, 64, tracer=dark_ink).source for seed in range(60)]
    without = {draw_sketch(seed, 64).source for seed in range(60)}
    assert 6 <= with_tracer.count("tracer") <= 18
    assert set(with_tracer) == set(SOURCES)
    assert without == set(SOURCES) - {"tracer"}
    with pytest.raises(ValueError, match="no tracer is given"):
        draw_sketch(0, 64, source="tracer")


def draw_plain(
    monkeypatch: pytest.MonkeyPatch, paper: Paper | None = None, *, chances: bool = False
) -> SketchPage:
    """Return a sketch of a disc by an exact hand on a paper, white if not given.

    With hatching and construction lines if chances are.
    """
    hand = Rough(passes=1, jitter=0.0, overshoot=0.0, pressure=(1.0, 1.0), swell=0.0, width=2.0)

    def draw(canvas: PageCanvas, *_: object) -> None:
        disc(canvas)

    monkeypatch.setattr(sketch_module, "random_rough", lambda *_: hand)
    monkeypatch.setattr(sketch_module, "random_paper", lambda *_: paper or Paper())
    monkeypatch.setattr(sketch_module, "random_damage", lambda *_: Damage())
    monkeypatch.setattr(sketch_module, "chance", lambda *_: chances)
    monkeypatch.setitem(SUBJECTS, "scene", (0.0, draw))
    return draw_sketch(1, SIZE, source="hand", subject="scene")


def test_the_lines_of_a_hand_are_those_of_the_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    page = draw_plain(monkeypatch)
    assert count_lines(page.lines) == 1
    assert page.weight.min() == 1
    ink = page.sketch < 128
    assert share_near(middle(ink), middle(page.lines < 128)) == 1
    assert share_near(middle(page.lines < 128), middle(ink)) > 0.97


def test_hatching_and_construction_lines_are_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, hatched = draw_plain(monkeypatch), draw_plain(monkeypatch, chances=True)
    assert (hatched.sketch < 200).sum() > 1.2 * (plain.sketch < 200).sum()
    np.testing.assert_array_equal(hatched.lines, plain.lines)


@pytest.mark.parametrize("paper", [Paper(rules=20.0), Paper(creases=1), Paper(grain=0.9)])
def test_what_looks_like_a_line_and_is_none_is_known(
    monkeypatch: pytest.MonkeyPatch, paper: Paper
) -> None:
    assert draw_plain(monkeypatch, paper).has_distractors
    assert draw_plain(monkeypatch, chances=True).has_distractors
    assert not draw_plain(monkeypatch, Paper(grain=0.3, smudge=0.5)).has_distractors


def test_lines_of_a_photograph_move_with_the_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, tilted = draw_plain(monkeypatch), draw_plain(monkeypatch, Paper(tilt=0.06))
    lines = middle(tilted.lines < 128)
    assert share_near(lines, middle(plain.lines < 128)) < 0.9
    assert share_near(lines, middle(tilted.sketch < 128)) > 0.97
    assert tilted.weight.min() == 1  # nor is there a line beyond the sheet


def test_sketches_of_pictures_have_the_lines_of_the_picture() -> None:
    for source in ("filter", "network", "lines"):
        page, sketch = draw_page(6, 80), draw_sketch(6, 80, source=source)
        np.testing.assert_array_equal(sketch.lines, page.lines)
        assert sketch.subject == page.subject


@pytest.mark.parametrize("source", ["filter", "network"])
def test_lines_that_a_sketch_does_not_show_do_not_count(source: str) -> None:
    hidden = 0
    for seed in range(30):
        page = draw_sketch(seed, 96, source=source)
        ink = page.sketch < 255 * 0.95
        lost = (page.lines < 128) & (distance_to(ink) > 6)
        assert not page.weight[lost].any()
        hidden += int(lost.sum())
    assert hidden > 50


def test_specks_of_a_network_are_no_lines_for_certain() -> None:
    specks = 0
    for seed in range(6):
        page = draw_sketch(seed, 96, source="network")
        far = (distance_to(page.lines < 128) > 8) & (page.sketch < 255 * 0.85)
        assert page.weight[far].all()
        specks += int(far.sum())
    assert specks > 20


def test_lines_that_cannot_be_seen_on_their_paper_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def weights(darkest: float, texture: float) -> float:
        sheet = Paper(tone=0.8, darkest=darkest, texture=texture)
        monkeypatch.setattr(sketch_module, "random_paper", lambda *_: sheet)
        monkeypatch.setattr(sketch_module, "random_damage", lambda *_: Damage())
        pages = [draw_sketch(seed, 96, source="hand", medium="ballpoint") for seed in range(8)]
        return float(np.mean([page.weight[page.lines < 128].mean() for page in pages]))

    assert weights(0.1, 0.01) > 0.6
    assert weights(0.78, 0.03) < 0.1


def test_nobody_can_say_what_ink_of_a_filter_is_beside_the_lines() -> None:
    stray = 0
    for seed in range(12):
        page, sketch = draw_page(seed, 96), draw_sketch(seed, 96, source="filter")
        far = distance_to(page.lines < 128) > max(4, page.width) * 1.05 + 1
        ink = far & (sketch.sketch < 255 * 0.8)
        assert not sketch.weight[ink].any()
        stray += int((ink & (page.weight > 0)).sum())
    assert stray > 100


def sketched(
    rough: Rough, draw: Callable[[PageCanvas], object], monkeypatch: pytest.MonkeyPatch
) -> SketchPage:
    """Return what a hand draws on white paper."""
    monkeypatch.setattr(sketch_module, "random_rough", lambda *_: rough)
    monkeypatch.setattr(sketch_module, "random_paper", lambda *_: Paper())
    monkeypatch.setattr(sketch_module, "random_damage", lambda *_: Damage())
    monkeypatch.setattr(sketch_module, "chance", lambda *_: False)  # no hatching
    monkeypatch.setitem(SUBJECTS, "scene", (0.0, lambda canvas, *_: draw(canvas)))
    return draw_sketch(0, SIZE, source="hand", subject="scene")


def test_strokes_that_have_run_together_hide_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(canvas: PageCanvas) -> None:
        for y in (40.0, 47, 54, 120):
            canvas.stroke(np.array([[20.0, y], [80, y], [140, y]]), (0, 0, 0))

    values: dict[str, object] = {"passes": 1, "jitter": 0.2, "overshoot": 0.0, "swell": 0.0}
    wide = Rough(width=9.0, pressure=(0.9, 1.0), **values)
    page = sketched(wide, draw, monkeypatch)
    assert page.weight[47, 30:130].mean() < 0.1
    assert page.weight[105:135].min() == 1  # the fourth is by itself
    fine = sketched(replace(wide, width=2.0), draw, monkeypatch)
    assert fine.weight.min() == 1


def test_the_rim_of_a_black_area_is_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    square = np.array([[40.0, 40], [120, 40], [120, 120], [40, 120]])
    rough = Rough(width=2.0, pressure=(0.9, 1.0), jitter=0.2)
    page = sketched(rough, lambda canvas: canvas.ink(square, (0, 0, 0)), monkeypatch)
    assert (page.lines[40, 50:110] < 128).all()
    assert page.weight.min() == 1


def test_pencil_in_deep_shadow_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def weights(uneven: float) -> float:
        sheet = Paper(tone=0.9, darkest=0.85, texture=0.01, uneven=uneven)
        monkeypatch.setattr(sketch_module, "random_paper", lambda *_: sheet)
        monkeypatch.setattr(sketch_module, "random_damage", lambda *_: Damage())
        pages = [draw_sketch(seed, 96, source="hand", medium="ballpoint") for seed in range(6)]
        return float(np.mean([page.weight[page.lines < 128].mean() for page in pages]))

    assert weights(3.0) < 0.8 * weights(0.0)
