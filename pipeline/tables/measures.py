"""The table of the screen's measures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.tables.newest import newest_build
from pipeline.tables.to_pandas import TEXT, Dtype, to_pandas

_DTYPES: dict[str, Dtype] = {
    "id": "int64",
    "code": TEXT,
    "width": "Int32",
    "height": "Int32",
    "chroma": "float64",
    "hues": "float64",
    "paper": "float64",
    "uniform": "float64",
    "outline": "float64",
    "phash": TEXT,
    "phash_mirrored": TEXT,
    "color_profile": TEXT,
    "sha256": TEXT,
}


def read_measures(folder: str | Path) -> pd.DataFrame:
    """Read the measures of the newest build's screen, and which pictures it kept.

        >>> measures = read_measures("data/sample")
        >>> pale = measures[measures["chroma"] < 0.1]

    Args:
        folder: of the dataset, such as `data/sample`.

    Returns:
        A row per downloaded picture, ascending by id. Measures are NA if the picture could not be
        decoded:

        | column | dtype | |
        |---|---|---|
        | id | int64 | post id, each once |
        | code | string | `ok` if the picture was kept, else the reason, such as `too_small` |
        | width, height | Int32 | of the picture as a person sees it, in pixels |
        | chroma | float64 | share of the pixels that are colourful, 0 to 1 |
        | hues | float64 | distance of colours from grey, or from one ink; in levels of 8 bits |
        | paper | float64 | share of the pixels that are about white, 0 to 1 |
        | uniform | float64 | share of the pixels that have about the mean colour, 0 to 1 |
        | outline | float64 | changes of brightness per darkness: high if all ink is thin lines |
        | phash | string | perceptual hash, 64 hex digits |
        | phash_mirrored | string | that of the mirror image |
        | color_profile | string | `none`; `srgb`; `converted` to sRGB; `ignored`, since damaged |
        | sha256 | string | of the downloaded file, 64 hex digits |

    Raises:
        DatasetError: If there is no such dataset, or no finished build of it.
    """
    return to_pandas(newest_build(folder).screens().sort("id"), _DTYPES)
