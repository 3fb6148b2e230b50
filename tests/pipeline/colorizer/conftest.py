"""A packed file of random pictures."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.pack.dataset_file import Chunk, DatasetWriter, Row, picture_names

ABOUT = dict.fromkeys(["dataset", "split", "fingerprint", "created"], "x") | {"config": "{}"}
BOX = (4, 0, 26, 32)  # not symmetric, so that a flip shows

WritePacked = Callable[..., Path]


@pytest.fixture
def write_packed(tmp_path: Path) -> WritePacked:
    """Return a function that writes a packed file of random pictures, white around their box."""

    def write(
        ids: Sequence[int] = (3, 5, 8, 13),
        *,
        size: int = 32,
        lines: Sequence[str] = ("",),
        sketches: Sequence[str] = (),
        compression: str = "gzip",
        box: tuple[int, int, int, int] = BOX,
    ) -> Path:
        rng = np.random.default_rng(0)
        names = picture_names(lines, sketches)
        left, top, right, bottom = box
        path = tmp_path / "train.h5"
        with DatasetWriter(
            path, len(ids), size=size, names=names, compression=compression, attributes=ABOUT
        ) as file:
            for post_id in ids:
                pictures = {}
                for name in names:
                    tail = (3,) if name == "color" else ()
                    picture = np.full((size, size, *tail), 255, np.uint8)
                    content = rng.integers(0, 255, (bottom - top, right - left, *tail))
                    picture[top:bottom, left:right] = content
                    pictures[name] = Chunk.compress(picture, compression)
                row = Row(id=post_id, box=box, tags="1girl", sha256="0" * 64, pictures=pictures)
                file.append(row)
        return path

    return write
