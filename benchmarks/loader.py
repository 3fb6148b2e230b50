"""Load training samples in random order with Senga, from folders of JPEGs, and with WebDataset.

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
from numpy.typing import NDArray
from PIL import Image
from skimage.color import hsv2rgb, rgb2hsv
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.harness.child import in_child
from benchmarks.harness.clock import median_ratio
from benchmarks.harness.drawings import line_maps
from benchmarks.harness.report import make_parser, page, publish, table
from pipeline.colorizer.hints import HintOptions, simulate_hints
from pipeline.colorizer.options import AugmentOptions
from pipeline.colorizer.training.dataset import ColorizationDataset
from pipeline.colorizer.training.training_sample import TrainingSample, make_sample, normalize
from pipeline.pack.dataset_file import Chunk, DatasetWriter, Row, picture_names
from pipeline.pack.square import Placement
from pipeline.picture import keep_freed_memory
from pipeline.sample_booru.artist.draw import draw
from sketch_models.styles import STYLES

SIZE, ORIGINAL_SIZE = 256, 512
DISTINCT = 48  # drawings that the pictures repeat
BATCH, WORKERS = 32, 2
WARMUP_BATCHES = 4  # as many as the workers make ahead
TAR_SAMPLES = 250
AUGMENT, HINTS = AugmentOptions(), HintOptions()


@dataclass(frozen=True)
class LineDrawing:
    """A colour picture and its line maps."""

    color: NDArray[np.uint8]
    lines: dict[str, NDArray[np.uint8]]

    def squares(self, size: int) -> tuple[dict[str, NDArray[np.uint8]], tuple[int, int, int, int]]:
        """Return colour and lines of one size by their name in a packed file, and their box."""
        height, width = self.color.shape[:2]
        placement = Placement.of(width, height, size, "pad")
        lines = {f"line/{style}": placement.to_square(line) for style, line in self.lines.items()}
        return {"color": placement.to_square(self.color), **lines}, placement.box


def make_drawing(number: int) -> LineDrawing:
    color = draw(number).color
    return LineDrawing(color, line_maps(color))


def encode(picture: NDArray[np.uint8], file_format: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, file_format, quality=95)
    return file.getvalue()


def make_files(folder: Path, pictures: int) -> None:
    """Write the same pictures in all the formats."""
    drawings = [make_drawing(number) for number in range(DISTINCT)]
    make_packed(folder / "train.h5", drawings, pictures)
    make_folders(folder, drawings, pictures)
    for extension in ("png", "jpg"):
        make_tars(folder / extension, drawings, pictures, extension)


def make_packed(target: Path, drawings: list[LineDrawing], pictures: int) -> None:
    rows = []
    for drawing in drawings:
        squares, box = drawing.squares(SIZE)
        rows.append(
            (box, {name: Chunk.compress(square, "gzip") for name, square in squares.items()})
        )
    with DatasetWriter(
        target, pictures, size=SIZE, names=picture_names(), compression="gzip", attributes={}
    ) as file:
        for post_id in range(pictures):
            box, chunks = rows[post_id % DISTINCT]
            file.append(Row(id=post_id, box=box, tags="", sha256="0" * 64, pictures=chunks))


def make_folders(folder: Path, drawings: list[LineDrawing], pictures: int) -> None:
    for name, dataset in (("color", "color"), ("line", "line/original")):
        (folder / name).mkdir()
        files = [encode(drawing.squares(ORIGINAL_SIZE)[0][dataset], "jpeg") for drawing in drawings]
        for post_id in range(pictures):
            (folder / name / f"{post_id:06}.jpg").write_bytes(files[post_id % DISTINCT])


def make_tars(folder: Path, drawings: list[LineDrawing], pictures: int, extension: str) -> None:
    folder.mkdir()
    files = []
    for drawing in drawings:
        squares, box = drawing.squares(SIZE)
        lines = {f"{s}.png": encode(squares[f"line/{s}"], "png") for s in STYLES}
        color = encode(squares["color"], "png" if extension == "png" else "jpeg")
        files.append(
            {f"color.{extension}": color, "json": json.dumps({"box": box}).encode(), **lines}
        )
    with wds.ShardWriter(str(folder / "%03d.tar"), maxcount=TAR_SAMPLES, verbose=0) as writer:
        for post_id in range(pictures):
            writer.write({"__key__": f"{post_id:06}", **files[post_id % DISTINCT]})


class Folders(Dataset[dict[str, Tensor]]):
    """The original's loader; `shift_hue` takes a PIL picture and a share of the hue circle."""

    def __init__(
        self, folder: Path, shift_hue: Callable[[Image.Image, float], NDArray[np.uint8]]
    ) -> None:
        self.colors = sorted((folder / "color").iterdir())
        self.lines = sorted((folder / "line").iterdir())
        self.shift_hue = shift_hue

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
        truth = self.shift_hue(color, random.uniform(-AUGMENT.hue, AUGMENT.hue))
        hints = simulate_hints(truth, (0, 0, SIZE, SIZE), HINTS, random)
        mask = torch.from_numpy(hints.mask[None]).float()
        return {
            "line": to_floats(np.asarray(line)[..., None]),
            "hint": to_floats(hints.color) * mask,
            "mask": mask,
            "color": to_floats(truth),
        }


def to_floats(picture: NDArray[np.uint8]) -> Tensor:
    """Convert (S, S, C) uint8 to (C, S, S) float32 in [-1, 1], as torchvision would."""
    planes = torch.from_numpy(picture.copy()).permute(2, 0, 1).contiguous()
    return planes.float().div(255).sub_(0.5).div_(0.5)


def shift_hue_in_floats(picture: Image.Image, share: float) -> NDArray[np.uint8]:
    hsv = rgb2hsv(np.asarray(picture))
    hsv[..., 0] = (hsv[..., 0] + share) % 1
    return np.rint(hsv2rgb(hsv) * 255).astype(np.uint8)


def shift_hue_in_bytes(picture: Image.Image, share: float) -> NDArray[np.uint8]:
    hue, saturation, value = picture.convert("HSV").split()
    turned = np.asarray(hue) + np.uint8(round(share * 255) % 256)  # wraps around
    merged = Image.merge("HSV", (Image.fromarray(turned), saturation, value))
    return np.asarray(merged.convert("RGB"))


def init_worker() -> None:
    """Set up a worker of WebDataset as Senga's are."""
    cv2.setNumThreads(1)
    keep_freed_memory()


def to_training_sample(extension: str, files: dict[str, Any]) -> TrainingSample:
    """Make a sample of WebDataset's files, as Senga makes its own."""
    random = np.random.default_rng()
    style = STYLES[random.integers(len(STYLES))]
    return make_sample(
        int(files["__key__"]),
        np.array(Image.open(io.BytesIO(files[f"{style}.png"]))),
        np.array(Image.open(io.BytesIO(files[f"color.{extension}"]))),
        tuple(json.loads(files["json"])["box"]),
        augment=AUGMENT,
        hints=HINTS,
        rng=random,
    )


def senga(folder: Path) -> Iterator[Any]:
    dataset = ColorizationDataset(folder / "train.h5", augment=AUGMENT, hints=HINTS)
    return iter(DataLoader(dataset, BATCH, shuffle=True, num_workers=WORKERS))


def senga_floats(folder: Path) -> Iterator[Any]:
    return map(normalize, senga(folder))


def folders(
    shift_hue: Callable[[Image.Image, float], NDArray[np.uint8]], folder: Path
) -> Iterator[Any]:
    dataset = Folders(folder, shift_hue)
    return iter(DataLoader(dataset, BATCH, shuffle=True, num_workers=WORKERS))


def web(extension: str, folder: Path) -> Iterator[Any]:
    tars = sorted(str(path) for path in (folder / extension).iterdir())
    samples = wds.WebDataset(tars, shardshuffle=len(tars)).shuffle(1000)
    dataset = samples.map(partial(to_training_sample, extension))
    return iter(
        DataLoader(dataset, BATCH, num_workers=WORKERS, worker_init_fn=lambda _: init_worker())
    )


WAYS: dict[str, tuple[str, Callable[[Path], Iterator[Any]]]] = {
    "senga": ("**Senga**", senga),
    "senga_floats": ("**Senga**, as floats", senga_floats),
    "folders": ("folders of JPEGs, the original's way", partial(folders, shift_hue_in_floats)),
    "folders_bytes": ("the same, hue in 8 bits", partial(folders, shift_hue_in_bytes)),
    "web_png": ("WebDataset, PNG", partial(web, "png")),
    "web_jpeg": ("WebDataset, colour as JPEG", partial(web, "jpg")),
}


FILES = {  # of each way
    "senga": ["train.h5"],
    "senga_floats": ["train.h5"],
    "folders": ["color/*", "line/*"],
    "folders_bytes": ["color/*", "line/*"],
    "web_png": ["png/*"],
    "web_jpeg": ["jpg/*"],
}


def megabytes(folder: Path, patterns: list[str]) -> float:
    """Return the size of all files that match one of the patterns, in MB."""
    files = [path for pattern in patterns for path in folder.glob(pattern)]
    return sum(path.stat().st_size for path in files) / 1e6


def measure(way: str, folder: Path) -> float:
    """Return the samples/s after the warmup, the last batch included."""
    batches = WAYS[way][1](folder)
    for _ in range(WARMUP_BATCHES):
        next(batches)
    started, samples = time.perf_counter(), 0
    for batch in batches:
        samples += len(batch["color"])
    return samples / (time.perf_counter() - started)


def measure_all(pictures: int, repeats: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the samples/s of each way, and the megabytes of its files."""
    with tempfile.TemporaryDirectory() as name:
        in_child(__file__, "--make", name, "--pictures", str(pictures))
        rates: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(repeats):
            for way in WAYS:
                rates[way].append(float(in_child(__file__, "--measure", way, name)))
        return rates, {way: megabytes(Path(name), FILES[way]) for way in WAYS}


def report(rates: dict[str, list[float]], sizes: dict[str, float], pictures: int) -> str:
    """Return the page of results."""
    columns = [
        ("way", "s"),
        ("samples/s", ".0f"),
        ("spread", ""),
        ("Senga is times as fast", ".2f"),
        ("as floats", ".2f"),
        ("files, MB", ".0f"),
    ]
    rows = []
    for way, (label, _) in WAYS.items():
        of_way = rates[way]
        ours, as_floats = (median_ratio(rates[name], of_way) for name in ("senga", "senga_floats"))
        spread = f"{min(of_way):.0f} to {max(of_way):.0f}"
        rows.append((label, statistics.median(of_way), spread, ours, as_floats, sizes[way]))
    return page(
        "Loader",
        f"{pictures:,} pictures ({DISTINCT} drawings, repeated) at {SIZE}, batches of {BATCH}, "
        f"{WORKERS} workers; medians of {len(rates['senga'])} runs, of\nthe ratios too. What each "
        "way does is said in `benchmarks/loader.py`.",
        ("torch", "h5py", "isal", "pillow", "webdataset", "scikit-image"),
        table(columns, rows),
    )


def main() -> None:
    parser = make_parser(__doc__, "loader.md")
    parser.add_argument("--pictures", type=int, default=1536)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.make:
        make_files(args.make, args.pictures)
    elif args.measure:
        way, folder = args.measure
        sys.stdout.write(str(measure(way, Path(folder))))
    else:
        rates, sizes = measure_all(args.pictures, args.repeats)
        publish(report(rates, sizes, args.pictures), "loader.md", save=args.save)


if __name__ == "__main__":
    main()
