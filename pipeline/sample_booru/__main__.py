"""The command of the sample booru: `python -m pipeline.sample_booru sheet OUT.png --count 24`."""

from __future__ import annotations

import argparse
import contextlib
import threading
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.sample_booru.artist.draw import draw
from pipeline.sample_booru.catalogue import HOST, POSTS, write_csv
from pipeline.sample_booru.server import serve


def draw_sheet(ids: list[int], columns: int, cell: int, *, line: bool) -> NDArray[np.uint8]:
    """Draw a contact sheet of square cells; return (H, W, 3) uint8 RGB."""
    rows = -(-len(ids) // columns)
    page = np.full((rows * cell, columns * cell, 3), 225, np.uint8)
    for index, post_id in enumerate(ids):
        drawing = draw(post_id)
        picture = np.repeat(drawing.line[..., None], 3, axis=2) if line else drawing.color
        scale = (cell - 6) / max(picture.shape)
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        y = index // columns * cell + (cell - size[1]) // 2
        x = index % columns * cell + (cell - size[0]) // 2
        page[y : y + size[1], x : x + size[0]] = small
    return page


def _serve(posts: int, port: int, csv: Path | None) -> None:
    if csv:
        write_csv(csv, posts)
    with serve(posts, port=port) as address, contextlib.suppress(KeyboardInterrupt):
        print(f"{posts} posts of {HOST} at http://{address}. Stop with Ctrl-C.")
        threading.Event().wait()


def main() -> None:
    """Draw a contact sheet, or serve the booru until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.sample_booru")
    commands = parser.add_subparsers(dest="command", required=True)
    sheets = commands.add_parser("sheet", help="draw a contact sheet")
    sheets.add_argument("out", type=Path)
    sheets.add_argument("--first", type=int, default=1)
    sheets.add_argument("--count", type=int, default=24)
    sheets.add_argument("--columns", type=int, default=6)
    sheets.add_argument("--cell", type=int, default=420)
    sheets.add_argument("--line", action="store_true", help="show the line art")
    served = commands.add_parser("serve", help="serve the pictures on the loopback")
    served.add_argument("--posts", type=int, default=POSTS)
    served.add_argument("--port", type=int, default=8000)
    served.add_argument("--csv", type=Path, help="write the metadata there")
    options = parser.parse_args()
    if options.command == "serve":
        _serve(options.posts, options.port, options.csv)
        return
    ids = list(range(options.first, options.first + options.count))
    page = draw_sheet(ids, options.columns, options.cell, line=options.line)
    cv2.imwrite(str(options.out), page[..., ::-1])


if __name__ == "__main__":
    main()
