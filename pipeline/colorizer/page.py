"""The page of an evaluation: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.colorizer.scores import Score, columns, heading, table


@dataclass(frozen=True, kw_only=True)
class PageFigure:
    """A picture with what it shows.

    Attributes:
        title: above it.
        caption: one sentence below it.
        png: the picture.
    """

    title: str
    caption: str
    png: bytes

    @property
    def data(self) -> str:
        """The picture as text."""
        return base64.b64encode(self.png).decode()


@dataclass(frozen=True, kw_only=True)
class PageFacts:
    """What the page shows.

    Attributes:
        dataset: its name.
        pictures: how many were painted by every method.
        size: their side, in pixels.
        colorizers: what is known of each, by name: heading and value.
        scores: all numbers.
        hints: the numbers of patches, in their order.
        figures: in their order.
    """

    dataset: str
    pictures: int
    size: int
    colorizers: Mapping[str, Mapping[str, str]]
    scores: Sequence[Score]
    hints: Sequence[int]
    figures: Sequence[PageFigure]


def write_page(target: Path, facts: PageFacts) -> None:
    """Writes the page."""
    environment = Environment(
        loader=PackageLoader("pipeline.colorizer", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("page.html").render(
        facts=facts,
        headings=[heading(name) for name in columns(facts.scores)],
        tables={hints: table(facts.scores, hints) for hints in facts.hints},
        shown=facts.hints[len(facts.hints) // 2],
    )
    target.write_text(html, encoding="utf-8")
