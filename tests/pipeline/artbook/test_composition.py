"""Compositions are of their seed, and about different things on different pages."""

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.artbook import composition
from pipeline.artbook.canvas import PageCanvas
from pipeline.artbook.composition import draw_composition
from pipeline.artbook.motifs import MOTIFS, PLAIN, Place
from tests.pipeline.artbook.conftest import even_pen, make_canvas

Motif = Callable[[PageCanvas, np.random.Generator, Place], None]


def drawn(seed: int, size: int = 64, width: float = 3.0) -> PageCanvas:
    canvas = make_canvas(even_pen(width), size=size)
    draw_composition(canvas, np.random.default_rng(seed), size)
    return canvas


@pytest.mark.parametrize(("size", "width"), [(64, 30.0), (65, 0.9), (130, 5.0)])
def test_a_composition_is_of_its_seed(size: int, width: float) -> None:
    first, again, other = (drawn(seed, size, width) for seed in (3, 3, 4))
    assert first.state.areas > 0
    for name in ("color", "line", "strokes", "area"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        assert not np.array_equal(getattr(first, name), getattr(other, name))


def test_half_of_the_pages_leave_little_of_the_background() -> None:
    covered = [(drawn(seed).area > 0).mean() for seed in range(40)]
    assert 12 < sum(share > 0.6 for share in covered) < 34


def test_all_motifs_are_drawn_large_ones_first(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[float] = []
    kinds: set[str] = set()

    def watch(name: str):  # noqa: ANN202
        def draw(_canvas: PageCanvas, _rng: np.random.Generator, place: Place) -> None:
            sizes.append(place.size)
            kinds.add(name)

        return draw

    watched = {watch(motif.__name__): weight for motif, weight in MOTIFS.items()}
    monkeypatch.setattr(composition, "MOTIFS", watched)
    monkeypatch.setattr(composition, "chance", lambda *_: False)
    for seed in range(30):
        sizes.clear()
        draw_composition(make_canvas(), np.random.default_rng(seed), 160)
        assert 6 <= len(sizes) <= 35
        assert sizes == sorted(sizes, reverse=True)
        assert min(sizes) >= 14
        assert max(sizes) <= 1.4 * 160
    assert kinds == {motif.__name__ for motif in MOTIFS}


def test_larger_pages_show_more_things(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_things: list[float] = []
    monkeypatch.setattr(
        composition,
        "MOTIFS",
        {lambda _canvas, _rng, place: drawn_things.append(place.size): 1.0},
    )
    counts = {}
    for size in (160, 384, 768):
        drawn_things.clear()
        for seed in range(40):
            draw_composition(make_canvas(size=64), np.random.default_rng(seed), size)
        counts[size] = len(drawn_things)
    assert counts[160] == counts[384]
    assert counts[768] == pytest.approx(2 * counts[384], rel=0.05)


@pytest.mark.parametrize(("width", "plain"), [(3.0, False), (20.0, True)])
def test_wide_outlines_are_drawn_where_they_have_room(
    width: float, plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: set[str] = set()

    def watch(motif: Motif) -> Motif:
        def draw(*_: object) -> None:
            kinds.add(motif.__name__)

        return draw

    watched = {motif: watch(motif) for motif in MOTIFS}
    monkeypatch.setattr(
        composition, "MOTIFS", {watched[motif]: weight for motif, weight in MOTIFS.items()}
    )
    monkeypatch.setattr(composition, "PLAIN", tuple(watched[motif] for motif in PLAIN))
    monkeypatch.setattr(composition, "shape", lambda *_: None)
    monkeypatch.setattr(composition, "chance", lambda *_: True)
    for seed in range(30):
        draw_composition(make_canvas(even_pen(width)), np.random.default_rng(seed), 160)
    expected = {motif.__name__ for motif in (PLAIN if plain else MOTIFS)}
    assert kinds == expected
