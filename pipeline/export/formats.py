"""The formats of an export: which files a part becomes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.export.parquet_file import write_parquet
from pipeline.export.sample import FACTS, Part, Sample
from pipeline.shard import TarSample, write_shard

Writer = Callable[[Path, Part, Sequence[str], Iterable[Sample]], list[Path]]
"""Writes the samples of a part into a folder, given the names of their pictures.

Returns the paths of the files.
"""


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format.

    Attributes:
        write: writes a part.
        color: name of the colour pictures.
        only_map: name of the drawing, in formats that have one per picture; it is RGB or grey.
        pictures: file types that the colour pictures may have.
        white_lines: whether lines are white on black unless the options say otherwise.
        rgb_lines: whether drawings are RGB, not grey.
        metadata: facts in `metadata.jsonl` besides file names and text; None: there is no such
            file.
        data_files: pattern of the files of a split, for the Hugging Face hub; empty: it is not
            for `datasets`.
    """

    write: Writer
    color: str
    only_map: str = ""
    pictures: Sequence[str] = ("png", "jpg", "webp")
    white_lines: bool = False
    rgb_lines: bool = False
    metadata: Sequence[str] | None = None
    data_files: str = ""


def _write_files(
    folder: Path, part: Part, names: Sequence[str], samples: Iterable[Sample]
) -> list[Path]:
    """Write `<split>/<name>/<id>.<extension>`."""
    for name in names:
        (folder / part.split / name).mkdir(parents=True, exist_ok=True)
    files = []
    for sample in samples:
        for name, picture in sample.pictures.items():
            path = folder / part.split / name / f"{sample.id}.{picture.extension}"
            path.write_bytes(picture.content)
            files.append(path)
    return files


def _write_files_and_captions(
    folder: Path, part: Part, names: Sequence[str], samples: Iterable[Sample]
) -> list[Path]:
    """Write, besides, the caption of every colour picture beside it, `<id>.txt`."""
    captions: list[Path] = []

    def with_caption() -> Iterable[Sample]:
        for sample in samples:
            path = folder / part.split / names[0] / f"{sample.id}.txt"
            path.write_text(sample.caption + "\n", encoding="utf-8")
            captions.append(path)
            yield sample

    return _write_files(folder, part, names, with_caption()) + captions


def _write_tar(
    folder: Path, part: Part, _names: Sequence[str], samples: Iterable[Sample]
) -> list[Path]:
    """Write `<split>-<number>.tar` with the parts `color.png`, `line.png`, `txt` and `json`."""
    path = folder / f"{part.split}-{part.number:06d}.tar"
    write_shard(path, map(_tar_sample, samples))
    return [path]


def _tar_sample(sample: Sample) -> TarSample:
    facts = json.dumps({**sample.facts, "text": sample.caption}, ensure_ascii=False)
    parts = {
        f"{name}.{picture.extension}": picture.content for name, picture in sample.pictures.items()
    }
    return sample.id, {**parts, "txt": sample.caption.encode(), "json": facts.encode()}


def metadata_row(target: Format, sample: Sample) -> dict[str, object]:
    """Return the line of a sample in `metadata.jsonl`, with names as `datasets` wants them.

    The column `file_name` becomes the picture `image`, `line_file_name` the picture `line`.
    """
    names: dict[str, object] = {}
    for number, (name, picture) in enumerate(sample.pictures.items()):
        column = f"{name}_file_name" if number else "file_name"
        names[column] = f"{name}/{sample.id}.{picture.extension}"
    facts = {key: sample.facts[key] for key in target.metadata or ()}
    return {**names, "text": sample.caption, **facts}


FORMATS = {
    "imagefolder": Format(
        write=_write_files,
        color="color",
        metadata=tuple(FACTS),
        data_files="{split}/**",
    ),
    "webdataset": Format(write=_write_tar, color="color", data_files="{split}-*.tar"),
    "parquet": Format(write=write_parquet, color="image", data_files="data/{split}-*.parquet"),
    "controlnet": Format(
        write=_write_files,
        color="image",
        only_map="conditioning_image",
        white_lines=True,
        rgb_lines=True,
        metadata=("id",),
        data_files="{split}/**",
    ),
    "folders": Format(
        write=_write_files_and_captions,
        color="color",
        only_map="sketch",
        pictures=("png",),  # as the drawings: their loaders look for equal names
    ),
}
"""Every format by its name."""
