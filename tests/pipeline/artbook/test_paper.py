"""Paper: tone, pencil, grain, light, creases, rules and smudges, each on its own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artbook.paper import PAPERS, Paper, random_paper


def lay(paper: Paper, pencil: np.ndarray | None = None, seed: int = 0) -> np.ndarray:
    drawing = np.zeros((120, 100), np.float32) if pencil is None else pencil
    return paper.lay_under(drawing, np.random.default_rng(seed))[0]


def darker(paper: Paper, pencil: np.ndarray) -> np.ndarray:
    return paper.lay_under(pencil, np.random.default_rng(0))[1]


def bar() -> np.ndarray:
    pencil = np.zeros((120, 100), np.float32)
    pencil[50:70, 20:80] = 1
    return pencil


def test_plain_paper_has_its_tone_and_the_darkest_pencil_its_own() -> None:
    sketch = lay(Paper(tone=0.7, darkest=0.2), bar())
    np.testing.assert_allclose(sketch[60, 30:70], 0.2, atol=1e-6)
    np.testing.assert_allclose(sketch[:40], 0.7, atol=1e-6)
    half = lay(Paper(tone=0.7, darkest=0.2), bar() / 2)
    np.testing.assert_allclose(half[60, 30:70], 0.45, atol=1e-6)


def test_it_is_known_how_much_darker_the_pencil_is() -> None:
    paper = Paper(tone=0.7, darkest=0.2)
    np.testing.assert_allclose(darker(paper, bar()), 0.5 * bar(), atol=1e-6)
    shadow = Paper(tone=0.7, darkest=0.2, uneven=0.9)
    difference = lay(shadow) - lay(shadow, bar())
    np.testing.assert_allclose(darker(shadow, bar()), difference, atol=1e-6)
    assert darker(shadow, bar())[60, 20:80].min() < 0.45  # less than in full light
    grainy = Paper(tone=0.7, darkest=0.2, grain=0.8)
    assert darker(grainy, bar()).sum() < 0.8 * darker(paper, bar()).sum()


@pytest.mark.parametrize("change", [{"creases": 4}, {"rules": 15.0}])
def test_what_is_printed_and_folded_is_fainter_than_the_pencil(change: dict[str, float]) -> None:
    for tone, darkest in ((1.0, 0.0), (0.5, 0.45)):
        paper = Paper(tone=tone, darkest=darkest, **change)
        off = max(np.abs(lay(paper, seed=seed) - tone).max() for seed in range(12))
        assert 0.05 * paper.contrast < off < 0.6 * paper.contrast


@settings(max_examples=60)
@given(
    kind=st.sampled_from([None, *PAPERS]),
    seed=st.integers(0, 999),
    height=st.integers(64, 100),
    width=st.integers(64, 100),
)
def test_every_paper_is_a_brightness_of_its_seed(
    kind: str | None, seed: int, height: int, width: int
) -> None:
    paper = random_paper(np.random.default_rng(seed), kind)
    pencil = np.random.default_rng(seed).random((height, width), np.float32)
    before = pencil.copy()
    sketch = lay(paper, pencil, seed)
    assert sketch.shape == (height, width)
    assert sketch.dtype == np.float32
    assert sketch.min() >= 0
    assert sketch.max() <= 1
    np.testing.assert_array_equal(sketch, lay(paper, pencil, seed))
    np.testing.assert_array_equal(pencil, before)
    assert 0 <= paper.darkest < paper.tone <= 1


@pytest.mark.parametrize(
    "change",
    [{"texture": 0.03}, {"uneven": 0.6}, {"creases": 3}, {"rules": 20.0}],
)
def test_what_is_on_empty_paper_shows(change: dict[str, float]) -> None:
    plain, changed = lay(Paper(tone=0.8)), lay(Paper(tone=0.8, **change))
    assert np.ptp(plain) == 0
    assert np.ptp(changed) > 0.03
    assert changed.mean() == pytest.approx(0.8, abs=0.25)


@pytest.mark.parametrize("change", [{"grain": 0.8}, {"smudge": 0.6}])
def test_what_happens_to_pencil_leaves_empty_paper_alone(change: dict[str, float]) -> None:
    paper = Paper(tone=0.8, darkest=0.1, **change)
    np.testing.assert_array_equal(lay(paper), lay(Paper(tone=0.8)))
    drawn, plain = lay(paper, bar()), lay(Paper(tone=0.8, darkest=0.1), bar())
    assert np.abs(drawn - plain).mean() > 0.003
    if "grain" in change:
        assert (drawn >= plain - 1e-6).all()  # takes pencil away
        assert drawn[50:70, 20:80].std() > 0.05
    else:
        assert (drawn[:50] < plain[:50] - 0.01).any()  # beside the pencil


def test_texture_has_about_its_deviation() -> None:
    assert lay(Paper(tone=0.5, texture=0.03)).std() == pytest.approx(0.04, abs=0.01)


def test_rules_are_straight_lines_at_their_distance() -> None:
    page = lay(Paper(tone=0.9, rules=20.0), seed=2)
    rows = np.nonzero(page[:, 0] < 0.89)[0]
    rows = rows if len(rows) < 60 else np.nonzero(page[:, 1] < 0.89)[0]
    assert len(rows) in (5, 6)
    assert (np.diff(rows) == 20).all()


def test_uneven_light_only_darkens() -> None:
    assert lay(Paper(tone=0.8, uneven=0.9)).max() <= 0.8 + 1e-6


def many(kind: str | None) -> list[Paper]:
    return [random_paper(np.random.default_rng(seed), kind) for seed in range(40)]


def test_papers_are_what_they_are_called() -> None:
    assert all(paper.tone == 1 and paper.texture == 0 for paper in many("white"))
    assert all(paper.tone <= 0.9 for paper in many("grey"))
    assert all(0.8 <= paper.tone <= 0.95 for paper in many("cream"))
    assert all(paper.tilt > 0 and paper.uneven > 0 for paper in many("photo"))
    assert all(paper.creases > 0 for paper in many("creased"))
    assert all(paper.smudge > 0 for paper in many("smudged"))
    assert all(paper.darkest >= 0.55 * paper.tone for paper in many("faint"))
    assert all(paper.rules >= 12 for paper in many("ruled"))
    for kind in ("white", "grey", "cream"):
        for paper in many(kind):
            rest = (paper.creases, paper.smudge, paper.rules, paper.tilt, paper.uneven)
            assert not any(rest), kind


def test_papers_of_chance_are_of_all_kinds() -> None:
    papers = [random_paper(np.random.default_rng(seed)) for seed in range(200)]
    for name in ("texture", "grain", "uneven", "creases", "smudge", "rules", "tilt"):
        assert 0.01 < np.mean([bool(getattr(paper, name)) for paper in papers]) < 0.9, name
    assert len({paper.tone for paper in papers}) > 100
