"""Loads training samples in random order: Senga, the original's folders of JPEGs, and WebDataset.

`python benchmarks/loader.py` prints a table; `--save` also writes it to `results/loader.md`.
Every way loads the same drawings in batches of 32 with two workers of PyTorch's DataLoader, in a
process of its own, one after the other and all of them several times; files are in the page cache.

- Senga: `ColorizationDataset`, colour and one of three line maps of 256 x 256 from `train.h5`,
  mirrored, hue, saturation and brightness varied, hints simulated; a batch of bytes. "As floats"
  adds `normalize` in the process that would train, on its CPU; it is the device's work otherwise.
- Folders: the original's loader, re-created. JPEGs of 512 x 512 (quality 95), one folder of
  colour and one of lines, paired by their place in the sorted listings. Opened and converted by
  PIL, resized to 256 (lines bicubic, colour nearest), mirrored, hue varied, hints simulated (by
  Senga's own function), floats from -1 to 1. Hue is turned in float HSV (scikit-image), and in a
  second row in PIL's 8-bit HSV, as torchvision does it: the cheapest way there is.
- WebDataset: tars of 250 samples, each with the post id, the content box, colour and the three
  line maps of 256 x 256. Shuffled shards, a buffer of 1,000 samples; only what is needed is
  decoded, by PIL; then the same function as Senga's makes the same bytes of it. Colour and lines
  as PNG, the same pixels; in a second row colour is a JPEG of quality 95.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import webdataset as wds
from machine import describe
from numpy.typing import NDArray
from PIL import Image
from skimage.color import hsv2rgb, rgb2hsv
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.colorizer.hints import HintOptions, simulate
from pipeline.colorizer.options import AugmentOptions
from pipeline.colorizer.training.dataset import ColorizationDataset
from pipeline.colorizer.training.sample import Sample, draw_sample, normalize
from pipeline.pack.dataset_file import Chunk, DatasetFile, Row, picture_names
from pipeline.pack.square import Placement
from pipeline.picture import fit, keep_freed_memory
from pipeline.sample_booru.artist import draw
from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.styles import STYLES, ink_to_sketch
from sketch_models.xdog import Xdog, XdogOptions

SIZE, ORIGINAL_SIZE = 256, 512
DISTINCT = 48  # drawings that the pictures repeat
BATCH, WORKERS = 32, 2
WARM_UP = 4  # batches; as many as the workers make ahead
TAR_SAMPLES = 250
AUGMENT, HINTS = AugmentOptions(), HintOptions()


@dataclass(frozen=True)
class Drawn:
    """A drawing and its line maps."""

    color: NDArray[np.uint8]
    lines: dict[str, NDArray[np.uint8]]

    def squares(self, size: int) -> tuple[dict[str, NDArray[np.uint8]], tuple[int, int, int, int]]:
        """Colour and lines of one size, by their name in a packed file, and their content box."""
        height, width = self.color.shape[:2]
        place = Placement.of(width, height, size, "pad")
        lines = {f"line/{style}": place.square(line) for style, line in self.lines.items()}
        return {"color": place.square(self.color), **lines}, place.box


def drawn(number: int) -> Drawn:
    color = draw(number).color
    (ink,) = Xdog(XdogOptions()).extract_lines([fit(color, 768)])
    lines = Centerline(CenterlineOptions()).simplify(
        [ink_to_sketch(ink, style) for style in STYLES]
    )
    return Drawn(color, dict(zip(STYLES, lines, strict=True)))


def encoded(picture: NDArray[np.uint8], kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, quality=95)
    return file.getvalue()


def make(folder: Path, pictures: int) -> None:
    """Writes the same pictures in all the ways."""
    drawings = [drawn(number) for number in range(DISTINCT)]
    make_packed(folder / "train.h5", drawings, pictures)
    make_folders(folder, drawings, pictures)
    for kind in ("png", "jpg"):
        make_tars(folder / kind, drawings, pictures, kind)


def make_packed(target: Path, drawings: list[Drawn], pictures: int) -> None:
    rows = []
    for drawing in drawings:
        squares, box = drawing.squares(SIZE)
        rows.append((box, {name: Chunk.of(square, "gzip") for name, square in squares.items()}))
    with DatasetFile(
        target, pictures, size=SIZE, names=picture_names(), compression="gzip", attributes={}
    ) as file:
        for post_id in range(pictures):
            box, chunks = rows[post_id % DISTINCT]
            file.append(Row(id=post_id, box=box, tags="", sha256="0" * 64, pictures=chunks))


def make_folders(folder: Path, drawings: list[Drawn], pictures: int) -> None:
    for name, part in (("color", "color"), ("line", "line/original")):
        (folder / name).mkdir()
        files = [encoded(drawing.squares(ORIGINAL_SIZE)[0][part], "jpeg") for drawing in drawings]
        for post_id in range(pictures):
            (folder / name / f"{post_id:06}.jpg").write_bytes(files[post_id % DISTINCT])


def make_tars(folder: Path, drawings: list[Drawn], pictures: int, kind: str) -> None:
    folder.mkdir()
    files = []
    for drawing in drawings:
        squares, box = drawing.squares(SIZE)
        lines = {f"{s}.png": encoded(squares[f"line/{s}"], "png") for s in STYLES}
        color = encoded(squares["color"], "png" if kind == "png" else "jpeg")
        files.append({f"color.{kind}": color, "json": json.dumps({"box": box}).encode(), **lines})
    with wds.ShardWriter(str(folder / "%03d.tar"), maxcount=TAR_SAMPLES, verbose=0) as writer:
        for post_id in range(pictures):
            writer.write({"__key__": f"{post_id:06}", **files[post_id % DISTINCT]})


class Folders(Dataset[dict[str, Tensor]]):
    """The original's loader; `turn` varies the hue of a PIL picture by a share of the circle."""

    def __init__(
        self, folder: Path, turn: Callable[[Image.Image, float], NDArray[np.uint8]]
    ) -> None:
        self.colors = sorted((folder / "color").iterdir())
        self.lines = sorted((folder / "line").iterdir())
        self.turn = turn

    def __len__(self) -> int:
        return len(self.colors)

    def __getitem__(self, row: int) -> dict[str, Tensor]:
        random = np.random.default_rng()
        half = (SIZE, SIZE)
        line = Image.open(self.lines[row]).convert("L").resize(half, Image.Resampling.BICUBIC)
        color = Image.open(self.colors[row]).convert("RGB").resize(half, Image.Resampling.NEAREST)
        if random.random() < 0.5:
            line = line.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            color = color.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        truth = self.turn(color, random.uniform(-AUGMENT.hue, AUGMENT.hue))
        hints = simulate(truth, (0, 0, SIZE, SIZE), HINTS, random)
        mask = torch.from_numpy(hints.mask[None]).float()
        return {
            "line": floats(np.asarray(line)[..., None]),
            "hint": floats(hints.color) * mask,
            "mask": mask,
            "color": floats(truth),
        }


def floats(picture: NDArray[np.uint8]) -> Tensor:
    """(S, S, C) uint8 to (C, S, S) float32 in [-1, 1], as torchvision's ToTensor and Normalize."""
    planes = torch.from_numpy(picture.copy()).permute(2, 0, 1).contiguous()
    return planes.float().div(255).sub_(0.5).div_(0.5)


def turn_in_floats(picture: Image.Image, turns: float) -> NDArray[np.uint8]:
    hsv = rgb2hsv(np.asarray(picture))
    hsv[..., 0] = (hsv[..., 0] + turns) % 1
    return np.rint(hsv2rgb(hsv) * 255).astype(np.uint8)


def turn_in_bytes(picture: Image.Image, turns: float) -> NDArray[np.uint8]:
    hue, saturation, value = picture.convert("HSV").split()
    turned = np.asarray(hue) + np.uint8(round(turns * 255) % 256)  # wraps around
    merged = Image.merge("HSV", (Image.fromarray(turned), saturation, value))
    return np.asarray(merged.convert("RGB"))


def one_thread() -> None:
    """What Senga's workers set, for WebDataset's too."""
    cv2.setNumThreads(1)
    keep_freed_memory()


def unpacked(kind: str, files: dict[str, Any]) -> Sample:
    """A sample of WebDataset's, made as Senga makes its own."""
    random = np.random.default_rng()
    style = STYLES[random.integers(len(STYLES))]
    return draw_sample(
        int(files["__key__"]),
        np.array(Image.open(io.BytesIO(files[f"{style}.png"]))),
        np.array(Image.open(io.BytesIO(files[f"color.{kind}"]))),
        tuple(json.loads(files["json"])["box"]),
        augment=AUGMENT,
        hints=HINTS,
        random=random,
    )


def senga(folder: Path) -> Iterator[Any]:
    dataset = ColorizationDataset(folder / "train.h5", augment=AUGMENT, hints=HINTS)
    return iter(DataLoader(dataset, BATCH, shuffle=True, num_workers=WORKERS))


def senga_floats(folder: Path) -> Iterator[Any]:
    return map(normalize, senga(folder))


def folders(turn: Callable[[Image.Image, float], NDArray[np.uint8]], folder: Path) -> Iterator[Any]:
    dataset = Folders(folder, turn)
    return iter(DataLoader(dataset, BATCH, shuffle=True, num_workers=WORKERS))


def web(kind: str, folder: Path) -> Iterator[Any]:
    tars = sorted(str(path) for path in (folder / kind).iterdir())
    samples = wds.WebDataset(tars, shardshuffle=len(tars)).shuffle(1000)
    dataset = samples.map(partial(unpacked, kind))
    return iter(
        DataLoader(dataset, BATCH, num_workers=WORKERS, worker_init_fn=lambda _: one_thread())
    )


WAYS: dict[str, tuple[str, Callable[[Path], Iterator[Any]]]] = {
    "senga": ("**Senga**", senga),
    "senga_floats": ("**Senga**, as floats", senga_floats),
    "folders": ("folders of JPEGs, the original's way", partial(folders, turn_in_floats)),
    "folders_bytes": ("the same, hue in 8 bits", partial(folders, turn_in_bytes)),
    "web_png": ("WebDataset, PNG", partial(web, "png")),
    "web_jpeg": ("WebDataset, colour as JPEG", partial(web, "jpg")),
}


def measure(way: str, folder: Path) -> float:
    """Samples/s once the workers are at work, the last batch included."""
    batches = WAYS[way][1](folder)
    for _ in range(WARM_UP):
        next(batches)
    started, samples = time.perf_counter(), 0
    for batch in batches:
        samples += len(batch["color"])
    return samples / (time.perf_counter() - started)


def in_child(*arguments: str) -> str:
    """Runs this script anew."""
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1536)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="write results/loader.md")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(options.make, options.pictures)
    elif options.measure:
        way, folder = options.measure
        sys.stdout.write(str(measure(way, Path(folder))))
    else:
        report(options.pictures, options.repeats, options.save)


def report(pictures: int, repeats: int, save: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        in_child("--make", folder, "--pictures", str(pictures))
        runs = [
            {way: float(in_child("--measure", way, folder)) for way in WAYS} for _ in range(repeats)
        ]
        size = {
            way: megabytes([path for pattern in patterns for path in Path(folder).glob(pattern)])
            for way, patterns in FILES.items()
        }
    rows = ["| way | samples/s | spread | Senga is times as fast | as floats | files, MB |"]
    rows.append("|---|---:|---:|---:|---:|---:|")
    for way, (label, _) in WAYS.items():
        rates = sorted(run[way] for run in runs)
        ours, as_floats = (
            statistics.median(run[senga_way] / run[way] for run in runs)
            for senga_way in ("senga", "senga_floats")
        )
        rows.append(
            f"| {label} | {statistics.median(rates):.0f} | {rates[0]:.0f} to {rates[-1]:.0f} | "
            f"{ours:.2f} | {as_floats:.2f} | {size[way]:.0f} |"
        )
    libraries = ("torch", "h5py", "isal", "pillow", "webdataset", "scikit-image")
    text = (
        f"# Loader\n\n{pictures:,} pictures ({DISTINCT} drawings, repeated) at {SIZE}, batches of "
        f"{BATCH}, {WORKERS} workers; medians of {repeats} runs, of\nthe ratios too. What each way "
        "does is said in `benchmarks/loader.py`.\n"
        f"{describe(libraries)}.\n\n" + "\n".join(rows) + "\n"
    )
    sys.stdout.write(text)
    if save:
        target = Path(__file__).parent / "results" / "loader.md"
        target.write_text(text, encoding="utf-8")


FILES = {
    "senga": ["train.h5"],
    "senga_floats": ["train.h5"],
    "folders": ["color/*", "line/*"],
    "folders_bytes": ["color/*", "line/*"],
    "web_png": ["png/*"],
    "web_jpeg": ["jpg/*"],
}


def megabytes(paths: list[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / 1e6


if __name__ == "__main__":
    main()
