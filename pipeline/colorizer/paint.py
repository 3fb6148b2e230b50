"""Colorize a folder of line art: `senga paint COLORIZER FOLDER RESULTS`.

COLORIZER is a colorizer.safetensors that TrainColorizer wrote, or the folder that it is in. With
`--seed 1` each picture has a random z; otherwise z is 0. `--reference FILE` adds the z of a colour
picture. Hints for `girl.png` are the opaque pixels of `girl.hints.png`. `--suggest 1` gives areas
without a hint colours that go together. `--invert` is for drawings of white lines on black.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.child_process import run_main
from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.suggest import suggest_hints
from pipeline.draw.results_folder import result_names
from pipeline.picture import PictureError, decode, decode_rgba, encode_png, read_file
from pipeline.picture_format import FORMAT_NAMES, SUFFIXES
from sketch_models.errors import SengaError
from sketch_models.option import local_path

_HINTS = ".hints"
_DARK = 64  # of 255
_INVERT_ADVICE = {
    False: "If it is white lines on black, run again with --invert.",
    True: "If it is black lines on white, run again without --invert.",
}


def colorize_folder(
    colorizer: Colorizer,
    lines: Path,
    results: Path,
    seed: int | None = None,
    *,
    reference: NDArray[np.uint8] | None = None,
    suggest: int | None = None,
    invert: bool = False,
) -> int:
    """Colorize every picture of a folder; report those that cannot be read on standard error.

    Args:
        colorizer: the colorizer.
        lines: folder of line art, any size.
        results: folder for the results: PNG files of the same sizes, named as `result_names` says.
        seed: of a random z for each picture; z is 0 if None.
        reference: (H, W, 3) uint8 RGB, a colour picture whose z is added.
        suggest: seed of the palettes for areas without a hint; they get none if None.
        invert: whether the line art is white on black.

    Returns:
        The number of pictures that could not be read.

    Raises:
        SengaError: If there is no line art, or if the results cannot be written.
    """
    if not lines.is_dir():
        raise SengaError(f"{lines}: there is no such folder.")
    files = sorted(path for path in lines.glob("[!.]*") if path.suffix.lower() in SUFFIXES)
    files = [path for path in files if not path.stem.endswith(_HINTS)]
    if not files:
        raise SengaError(f"{lines} has no line art. Choose a folder of {FORMAT_NAMES} files.")
    if lines.resolve() == results.resolve():
        raise SengaError(f"{results} has the line art: choose another folder for the results.")
    names = result_names([Path(path.name) for path in files])
    z_of_reference = None if reference is None else colorizer.encode_reference(reference)
    failed = 0
    for number, (path, name) in enumerate(zip(files, names, strict=True)):
        z = z_of_reference
        if seed is not None:
            rng = np.random.default_rng((seed, number))
            z = rng.standard_normal(colorizer.latent_dim, np.float32) + (0 if z is None else z)
        try:
            line = cv2.cvtColor(decode(read_file(path)), cv2.COLOR_RGB2GRAY).astype(np.uint8)
            line = 255 - line if invert else line
            hints = _read_hints(path.with_name(f"{path.stem}{_HINTS}.png"))
            if suggest is not None:
                hints = suggest_hints(line, hints, (suggest, number))
            result = colorizer.colorize(line, hints, z)
        except (PictureError, ValueError) as error:
            failed += 1
            sys.stderr.write(f"{path}: skipped, it or its hints cannot be read ({error}).\n")
            continue
        if np.median(line) < _DARK:
            sys.stderr.write(f"{path}: mostly black. {_INVERT_ADVICE[invert]}\n")
        with store.publish(results / name) as temporary:
            temporary.write_bytes(encode_png(result))
        sys.stderr.write(f"{results / name}\n")
    return failed


def _read_hints(path: Path) -> Hints | None:
    if not path.exists():
        return None
    return Hints.from_rgba(decode_rgba(read_file(path)))


def _read_reference(path: Path) -> NDArray[np.uint8]:
    try:
        return decode(read_file(path))
    except PictureError as error:
        raise SengaError(f"--reference {path} cannot be read ({error}).") from error


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number of 0 or more")
    return int(text)


def main(arguments: list[str]) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="senga paint", description=__doc__)
    parser.add_argument("colorizer", type=local_path, help="colorizer.safetensors, or its folder")
    parser.add_argument("lines", type=local_path, help="folder of line art")
    parser.add_argument("results", type=local_path, help="folder for the colorized pictures")
    parser.add_argument("--seed", type=_seed, help="seed of a random z; without it z is 0")
    parser.add_argument("--reference", type=Path, help="colour picture whose z is added")
    parser.add_argument("--suggest", type=_seed, help="seed of colours for areas without a hint")
    parser.add_argument("--invert", action="store_true", help="the line art is white on black")
    chosen = parser.parse_args(arguments)
    reference = None if chosen.reference is None else _read_reference(chosen.reference)
    failed = colorize_folder(
        Colorizer.load(chosen.colorizer),
        chosen.lines,
        chosen.results,
        chosen.seed,
        reference=reference,
        suggest=chosen.suggest,
        invert=chosen.invert,
    )
    if failed:
        raise SengaError(f"{failed} of the pictures could not be read; the others are colorized.")


if __name__ == "__main__":
    sys.exit(run_main(main, sys.argv[1:]))
