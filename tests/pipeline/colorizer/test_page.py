"""The page of an evaluation."""

from pathlib import Path

import numpy as np

from pipeline.colorizer.page import PageFacts, PageFigure, write_page
from pipeline.picture import encode_png
from tests.pipeline.colorizer.test_scores import SCORES


def page(folder: Path, dataset: str = "sample") -> str:
    png = encode_png(np.zeros((4, 4, 3), np.uint8))
    facts = PageFacts(
        dataset=dataset,
        pictures=9,
        size=64,
        colorizers={"netL-SPADE": {"parameters": "1,234"}},
        scores=SCORES,
        hints=[1, 10],
        figures=[PageFigure(title="Samples", caption="What is painted.", png=png)],
    )
    write_page(folder / "index.html", facts)
    return (folder / "index.html").read_text(encoding="utf-8")


def test_it_shows_numbers_figures_and_facts(tmp_path: Path) -> None:
    html = page(tmp_path)
    for text in ("18.26", "17.26 to 19.26", "What is painted.", "1,234", "10 patches", "1 patch"):
        assert text in html
    assert html.count("data:image/png;base64,iVBOR") == 1
    assert 'class="n best">18.26' in html
    assert 'class="bound first"' in html


def test_it_asks_nobody_for_anything(tmp_path: Path) -> None:
    html = page(tmp_path)
    assert "http" not in html
    assert "<script" not in html


def test_names_are_text(tmp_path: Path) -> None:
    assert "<b>&" not in page(tmp_path, "<b>&")
