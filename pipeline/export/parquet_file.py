"""A part of an export as a Parquet file, whose pictures `datasets` decodes by itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from pipeline.export.sample import FACTS, Part, Sample

_ROWS = 50  # in a row group, which a reader takes into memory as a whole
_PICTURE = pl.Struct({"bytes": pl.Binary, "path": pl.String})
_OWN_SCHEMA, _HIDDEN = b"ARROW:schema", b"polars-arrow"


def write_parquet(
    folder: Path, part: Part, names: Sequence[str], samples: Iterable[Sample]
) -> list[Path]:
    """Write `data/<split>-<number>-of-<count>.parquet`, a few pictures at a time."""
    path = folder / "data" / f"{part.name}-of-{part.of:05d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = {
        **dict.fromkeys(names, _PICTURE),
        "text": pl.String,
        **{key: pl.Int64 if kind is int else pl.String for key, kind in FACTS.items()},
    }
    source = register_io_source(lambda *_: _frames(samples, schema), schema=schema)
    source.sink_parquet(
        path,
        compression="uncompressed",  # pictures are compressed already
        statistics=False,
        row_group_size=_ROWS,
        metadata={"huggingface": _features(names)},
    )
    _hide_own_schema(path)
    return [path]


def _frames(samples: Iterable[Sample], schema: dict[str, Any]) -> Iterator[pl.DataFrame]:
    rows: list[dict[str, object]] = []
    for sample in samples:
        pictures = {
            name: {"bytes": picture.content, "path": f"{sample.id}.{picture.extension}"}
            for name, picture in sample.pictures.items()
        }
        rows.append({**pictures, "text": sample.caption, **sample.facts})
        if len(rows) == _ROWS:
            yield pl.DataFrame(rows, schema)
            rows.clear()
    yield pl.DataFrame(rows, schema)


def _features(names: Sequence[str]) -> str:
    """Return the types of the columns as `datasets` writes them into a file."""
    facts = {key: "int64" if kind is int else "string" for key, kind in FACTS.items()}
    types = {"text": "string", **facts}
    features: dict[str, dict[str, str]] = {
        **{name: {"_type": "Image"} for name in names},
        **{key: {"dtype": dtype, "_type": "Value"} for key, dtype in types.items()},
    }
    return json.dumps({"info": {"features": features}})


def _hide_own_schema(path: Path) -> None:
    """Rename the schema that polars adds to the metadata of a file, in place.

    It says nothing that the file's own schema does not, but pyarrow takes the metadata from it
    alone, and so would not see those for `datasets`.
    """
    with path.open("r+b") as file:
        file.seek(-8, 2)
        length = int.from_bytes(file.read(4), "little")
        start = file.seek(-8 - length, 2)
        position = file.read(length).rfind(_OWN_SCHEMA)
        assert position >= 0
        file.seek(start + position)
        file.write(_HIDDEN)
