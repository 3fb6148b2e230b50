"""Tables with pictures for tests, as `datasets` writes them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import datasets
from PIL import Image


def png(color: int, size: tuple[int, int] = (40, 30)) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, (color, 30, 60)).save(file, "PNG")
    return file.getvalue()


def dataset(columns: dict[str, list[Any]], **features: Any) -> datasets.Dataset:
    """Return a dataset; a column `image` has bytes, or what a struct of them is."""
    rows = columns | {
        "image": [
            {"bytes": content, "path": None} if isinstance(content, bytes) else content
            for content in columns["image"]
        ]
    }
    made = datasets.Dataset.from_dict(rows)
    return made.cast(datasets.Features({**made.features, "image": datasets.Image(), **features}))


def write_parquet(path: Path, columns: dict[str, list[Any]], **features: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset(columns, **features).to_parquet(path)
    return path
