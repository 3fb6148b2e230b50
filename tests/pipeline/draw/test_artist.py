"""Drawings of a picture do not depend on the others, and have a folder for each style."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.draw.artist import Artist
from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.styles import STYLES, ink_to_sketch
from sketch_models.xdog import Xdog, XdogOptions

XDOG, CENTERLINE = Xdog(XdogOptions()), Centerline(CenterlineOptions())


def pictures() -> list[NDArray[np.uint8]]:
    drawn = []
    for width in (60, 90, 60):
        picture = np.full((70, width, 3), (240, 220, 200), np.uint8)
        picture[10:60, width // 2 - 2 : width // 2 + 2] = 20
        picture[30:33, 5 : width - 5] = (180, 60, 60)
        drawn.append(picture)
    return drawn


@pytest.mark.parametrize("styles", [("pured",), STYLES])
def test_drawings_are_those_of_the_models(styles: tuple[str, ...]) -> None:
    artist = Artist(XDOG, CENTERLINE, styles)
    for picture, drawings in zip(pictures(), artist.draw(pictures()), strict=True):
        assert list(drawings) == artist.folders
        (ink,) = XDOG.lines([picture])
        for style in styles:
            inner = f"/{style}" if len(styles) > 1 else ""
            sketch = ink_to_sketch(ink, style)
            np.testing.assert_array_equal(drawings[f"sketches{inner}"], sketch)
            (line,) = CENTERLINE.simplify([sketch])
            np.testing.assert_array_equal(drawings[f"lines{inner}"], line)
            assert line.min() == 0


def test_sketches_become_line_art_alone() -> None:
    artist = Artist(None, CENTERLINE, ("original",))
    assert artist.folders == ["lines"]
    drawn = artist.draw(pictures())
    assert [list(each) for each in drawn] == [["lines"]] * 3
    grey = np.full((50, 50, 3), 255, np.uint8)
    grey[25, 5:45] = 60
    (drawing,) = artist.draw([grey])
    np.testing.assert_array_equal(drawing["lines"], CENTERLINE.simplify([grey[..., 0]])[0])


def test_no_pictures_give_no_drawings() -> None:
    assert Artist(XDOG, CENTERLINE, STYLES).draw([]) == []
