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
    """Return whether an element is translucent, blended or filtered; black hides all the same."""
    opacity = float(element.get("opacity", 1)) * float(element.get("fill-opacity", 1))
    blended = "mix-blend-mode" in element.get("style", "") and element.get("fill") != "black"
    return opacity < 0.9 or blended or "filter" in element.attrib


class Drawing:
    """A vector picture, which stays as it is: every change makes another one."""

    def __init__(self, svg: str) -> None:
        self.svg = svg

    @property
    def unit(self) -> float:
        """The length of one pixel of the rendered picture, in the units of the drawing."""
        _, _, width, height = (float(n) for n in self._root().attrib["viewBox"].split())
        return max(width, height) / SIZE

    def outlined(
        self, width: float, color: str | None, *, add: bool = False, group: str | None = None
    ) -> Drawing:
        """Return the drawing with other outlines.

        Args:
            width: of the outlines, in pixels of the rendered picture.
            color: of the outlines, or None to keep it.
            add: also give outlines to opaque areas that have none.
            group: id of the group to change; the others stay as they are.
        """
        root = self._root()
        for shape, paint in _shapes(root if group is None else _group(root, group)):
            stroked = paint.stroke != "none"
            if stroked or (add and not paint.shading and paint.fill != "none"):
                shape.set("stroke-width", f"{width * self.unit:.3f}")
                shape.set("stroke-linejoin", "round")
                shape.set("stroke", color or (paint.stroke if stroked else "#000000"))
        return Drawing(ElementTree.tostring(root, "unicode"))

    def only(self, group: str) -> Drawing:
        """Return one group of the drawing, by its id."""
        root = self._root()
        kept = _group(root, group)
        root[:] = [kept]
        return Drawing(ElementTree.tostring(root, "unicode"))

    def pixels(self) -> NDArray[np.uint8]:
        """Render the drawing: (H, W, 4) uint8 RGBA, with a long side of `SIZE`."""
        return _render(self._root())

    def lines(self) -> NDArray[np.bool_]:
        """Return the lines that the drawing shows, one pixel wide; (H, W) bool.

        Strokes count as ink whatever their colour, as wide as they are: where they run together
        or are half hidden, the line is where one sees it.
        """
        root = _without_shading(self._root())
        root.set("shape-rendering", "crispEdges")  # no mixed colours
        for shape, paint in _shapes(root):
            fill = "none" if paint.shading else paint.fill
            if paint.stroke != "none":
                shape.set("stroke", "black")
                fill = _beside_ink(fill)
            shape.set("fill", fill)
        return centre_lines(area_ink(on_paper(_render(root))))

    def _root(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.svg)


def _group(root: ElementTree.Element, name: str) -> ElementTree.Element:
    (group,) = (element for element in root.iter() if element.get("id") == name)
    return group


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


def _beside_ink(fill: str) -> str:
    """Return grey for a very dark area, so that its outline is apart from it; black stays."""
    if not fill.startswith("#") or fill in ("#000", "#000000"):
        return fill
    digits = fill[1:] if len(fill) == 7 else "".join(2 * digit for digit in fill[1:4])
    return "#808080" if max(bytes.fromhex(digits)) < 80 else fill


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
