"""Characters of the package `dicebear-styles`, by style and number."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import Any

from dicebear import Avatar, Style

from benchmarks.line_art.vector import Drawing


def character(style: str, number: int, **options: object) -> Drawing:
    """Return a character: always the same for the same style, number and options."""
    chosen = {"seed": f"senga {number}", **options}
    return Drawing(Avatar(_style(style), chosen).to_string())


def variants(style: str, component: str) -> list[str]:
    """Return the names of the variants of a component, such as `hair`."""
    return sorted(_definition(style)["components"][component]["variants"])


@cache
def _definition(style: str) -> dict[str, Any]:
    name = f"dicebear_styles/{style}.json"
    (path,) = (file for file in files("dicebear-styles") or () if str(file) == name)
    return json.loads(Path(str(path.locate())).read_text(encoding="utf-8"))


@cache
def _style(name: str) -> Style:
    return Style(_definition(name))
