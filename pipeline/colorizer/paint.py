"""Paints a folder of line art: `python -m pipeline.colorizer.paint COLORIZER FOLDER RESULTS`.

COLORIZER is what TrainColorizer made: the folder, or the colorizer.safetensors in it. `--seed 1`
draws z at random, else it is 0. Hints for `girl.png` are the opaque pixels of `girl.hints.png`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline import store
from pipeline.child_process import run_main
from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.hints import Hints
from pipeline.picture import PictureError, decode, encode_png
from sketch_models.errors import SengaError

_KINDS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_HINTS = ".hints"


def paint_folder(colorizer: Colorizer, lines: Path, results: Path, seed: int | None) -> int:
    """Paints every picture of a folder; what cannot be read is a line on the standard error.

    Args:
        colorizer: that paints.
        lines: folder of line art, any size.
        results: folder that gets a PNG of the same name and size for each.
        seed: of z; z is 0 where None.

    Returns:
        How many pictures could not be painted.

    Raises:
        SengaError: where there is no line art, or the results cannot be written.
    """
    files = sorted(path for path in lines.glob("*") if path.suffix.lower() in _KINDS)
    files = [path for path in files if not path.stem.endswith(_HINTS)]
    if not files:
        raise SengaError(f"{lines} has no line art, expected a folder of PNG or JPEG files.")
    failed = 0
    for number, path in enumerate(files):
        try:
            line = np.asarray(Image.fromarray(decode(path.read_bytes())).convert("L"))
            hints = _hints(path.with_name(f"{path.stem}{_HINTS}.png"), line)
        except (PictureError, OSError, ValueError) as error:
            failed += 1
            sys.stderr.write(f"{path}: left out, it cannot be read as a picture ({error}).\n")
            continue
        random = None if seed is None else np.random.default_rng((seed, number))
        z = random.standard_normal(colorizer.latent, np.float32) if random else None
        with store.publish(results / f"{path.stem}.png") as temporary:
            temporary.write_bytes(encode_png(colorizer.colorize(line, hints, z)))
        sys.stderr.write(f"{results / path.stem}.png\n")
    return failed


def _hints(path: Path, line: NDArray[np.uint8]) -> Hints | None:
    if not path.exists():
        return None
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGBA"))
    if pixels.shape[:2] != line.shape:
        raise ValueError(f"{path.name} has another size than its line art")
    mask = pixels[..., 3] > 127
    return Hints(np.where(mask[..., None], pixels[..., :3], 0).astype(np.uint8), mask)


def main(arguments: list[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.colorizer.paint", description=__doc__)
    parser.add_argument("colorizer", type=Path, help="folder or colorizer.safetensors")
    parser.add_argument("lines", type=Path, help="folder of line art")
    parser.add_argument("results", type=Path, help="folder for what is painted")
    parser.add_argument("--seed", type=int, help="draws z at random")
    chosen = parser.parse_args(arguments)
    colorizer = Colorizer.load(chosen.colorizer)
    failed = paint_folder(colorizer, chosen.lines, chosen.results, chosen.seed)
    if failed:
        raise SengaError(f"{failed} of the pictures could not be read; the others are painted.")


if __name__ == "__main__":
    sys.exit(run_main(main, sys.argv[1:]))
