"""Vector pictures whose outlines can be redrawn, and the lines that they show.

What counts as a line: strokes, narrow dark areas, and edges between opaque areas of different
colours. Areas that are translucent, blended or filtered are shading, and have none.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from resvg import render, usvg

from benchmarks.line_art.truth import SIZE, area_ink, centre_lines

SVG = "http://www.w3.org/2000/svg"
ElementTree.register_namespace("", SVG)

_SHAPES = frozenset(
    f"{{{SVG}}}{name}"
    for name in ("path", "rect", "circle", "ellipse", "polygon", "polyline", "line")
)
_HIDDEN = frozenset(f"{{{SVG}}}{name}" for name in ("mask", "clipPath", "metadata"))
_THIN = 2.5  # pixels; wide enough to have no gaps


@dataclass(frozen=True, kw_only=True)
class Paint:
    """How a shape is painted, with what it takes from its groups."""

    fill: str
    stroke: str
    shading: bool  # translucent, blended or filtered

    def inherit(self, element: ElementTree.Element) -> Paint:
        """Return how an element inside is painted."""
        return Paint(
            fill=element.get("fill", self.fill),
            stroke=element.get("stroke", self.stroke),
            shading=self.shading or _is_shading(element),
        )


_UNPAINTED = Paint(fill="black", stroke="none", shading=False)  # what SVG says of a shape by itself


def _is_shading(element: ElementTree.Element) -> bool:
    """Return whether an element is translucent, blended or filtered."""
    opacity = float(element.get("opacity", 1)) * float(element.get("fill-opacity", 1))
    blended = "mix-blend-mode" in element.get("style", "") or "filter" in element.attrib
    return opacity < 0.9 or blended


class Drawing:
    """A vector picture, which stays as it is: every change makes another one."""

    def __init__(self, svg: str) -> None:
        self.svg = svg

    @property
    def unit(self) -> float:
        """The length of one pixel of the rendered picture, in the units of the drawing."""
        _, _, width, height = (float(n) for n in self._root().attrib["viewBox"].split())
        return max(width, height) / SIZE

    def outlined(self, width: float, color: str | None, *, add: bool = False) -> Drawing:
        """Return the drawing with other outlines.

        Args:
            width: of the outlines, in pixels of the rendered picture.
            color: of the outlines, or None to keep it.
            add: also give outlines to opaque areas that have none.
        """
        root = self._root()
        for shape, paint in _shapes(root):
            stroked = paint.stroke != "none"
            if stroked or (add and not paint.shading and paint.fill != "none"):
                shape.set("stroke-width", f"{width * self.unit:.3f}")
                shape.set("stroke-linejoin", "round")
                shape.set("stroke", color or (paint.stroke if stroked else "#000000"))
        return Drawing(ElementTree.tostring(root, "unicode"))

    def pixels(self) -> NDArray[np.uint8]:
        """Render the drawing: (H, W, 4) uint8 RGBA, with a long side of `SIZE`."""
        return _render(self._root())

    def lines(self) -> NDArray[np.bool_]:
        """Return the lines that the drawing shows, one pixel wide; (H, W) bool."""
        ink = area_ink(on_paper(self._areas())) | (on_paper(self._strokes())[..., 0] < 128)
        return centre_lines(ink)

    def _areas(self) -> NDArray[np.uint8]:
        """Render the opaque areas alone, without mixed colours at their edges."""
        root = _without_shading(self._root())
        root.set("shape-rendering", "crispEdges")
        for shape, paint in _shapes(root):
            if paint.shading:
                shape.set("display", "none")
            shape.set("stroke", "none")
        return _render(root)

    def _strokes(self) -> NDArray[np.uint8]:
        """Render thin strokes in black, hidden by what lies above them."""
        root = _without_shading(self._root())
        for shape, paint in _shapes(root):
            if paint.shading and paint.stroke == "none":
                shape.set("display", "none")
            if paint.fill != "none":
                shape.set("fill", "none" if paint.shading else "white")
            if paint.stroke != "none":
                shape.set("stroke", "black")
                shape.set("stroke-width", f"{_THIN * self.unit:.3f}")
        return _render(root)

    def _root(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.svg)


def on_paper(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return RGBA pixels on white: (H, W, 3) uint8."""
    return over(pixels, np.full((*pixels.shape[:2], 3), 255, np.uint8))


def over(pixels: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return RGBA pixels (H, W, 4) on a background (H, W, 3)."""
    alpha = pixels[..., 3:].astype(np.float32) / 255
    mixed = pixels[..., :3] * alpha + background * (1 - alpha)
    return np.rint(mixed).astype(np.uint8)


def _shapes(
    element: ElementTree.Element,
    paint: Paint = _UNPAINTED,
) -> Iterator[tuple[ElementTree.Element, Paint]]:
    """Yield the shapes of a drawing that are painted, and how."""
    if element.tag in _HIDDEN:
        return
    paint = paint.inherit(element)
    if element.tag in _SHAPES:
        yield element, paint
    for child in element:
        yield from _shapes(child, paint)


def _without_shading(root: ElementTree.Element) -> ElementTree.Element:
    """Hide groups, and uses of groups, that are shading; a shape may still have an outline."""
    for element in root.iter():
        if element.tag not in _SHAPES and _is_shading(element):
            element.set("display", "none")
    return root


@cache
def _options() -> usvg.Options:
    return usvg.Options.default()


def _render(root: ElementTree.Element) -> NDArray[np.uint8]:
    """Render a drawing at its own place in a picture whose long side is `SIZE`."""
    _, _, width, height = (float(n) for n in root.attrib["viewBox"].split())
    root.set("width", f"{SIZE * width / max(width, height):.0f}")
    root.set("height", f"{SIZE * height / max(width, height):.0f}")
    tree = usvg.Tree.from_str(ElementTree.tostring(root, "unicode"), _options())
    with Image.open(io.BytesIO(bytes(render(tree, (1, 0, 0, 0, 1, 0))))) as image:
        return np.array(image.convert("RGBA"))
