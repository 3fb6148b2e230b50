"""From the fields of a request to its answer, by way of the worker.

Everything but the models' own work happens here, in the server's threads.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.colorizer import placed
from pipeline.colorizer.hints import Hints
from pipeline.demo.intake import Fields
from pipeline.demo.latent import z_of
from pipeline.demo.problem import Problem
from pipeline.demo.studio import Studio
from pipeline.demo.worker import Answer, Job, PaintJob, SimplifyJob, SketchJob
from pipeline.draw.sketch import SMALLEST_SKETCH
from pipeline.pack.square import Placement, resampled
from pipeline.picture import encode_png, fit
from sketch_models.styles import STYLES, ink_to_sketch

LONGEST_SIDE = 1536  # of what a sketch or line model sees, in pixels
MOST_VARIATIONS = 8
MOST_SHIFT = 100
MOST_SEED = 2**53 - 1 - MOST_VARIATIONS  # the largest that JavaScript can count on from

Ask = Callable[[Sequence[Job]], Answer]
Body = dict[str, Any]
"""A JSON object."""


def sketch(fields: Fields, studio: Studio, ask: Ask) -> Body:
    """`/api/sketch`: a colour picture to a sketch.

    Raises:
        Problem: what is wrong with a field; whatever `ask` raises.
    """
    fields.only("image", "model", "style", "size")
    model = fields.text("model", "xdog")
    style = fields.choice("style", "pured", STYLES)
    size = fields.integer("size", 768, range(SMALLEST_SKETCH, LONGEST_SIDE + 1))
    studio.require("sketch", model)
    picture = fit(fields.rgb("image"), size)
    answer = ask([SketchJob(model=model, picture=picture)])
    return _line(ink_to_sketch(answer.results[0], style), answer)


def simplify(fields: Fields, studio: Studio, ask: Ask) -> Body:
    """`/api/simplify`: a rough sketch to clean lines of the same size.

    Raises:
        Problem: what is wrong with a field; whatever `ask` raises.
    """
    fields.only("image", "model")
    model = fields.text("model", "centerline")
    studio.require("simplify", model)
    rough = fields.grey("image")
    height, width = rough.shape
    seen = fit(rough, min(LONGEST_SIDE, max(rough.shape)))
    answer = ask([SimplifyJob(model=model, sketch=seen)])
    return _line(resampled(answer.results[0], width, height), answer)


def colorize(fields: Fields, studio: Studio, ask: Ask) -> Body:
    """`/api/colorize`: line art and hints to one painting or several.

    Raises:
        Problem: what is wrong with a field; whatever `ask` raises.
    """
    fields.only("line", "hints", "seed", "shift", "dimension", "variations", "size")
    seed = fields.optional_integer("seed", range(MOST_SEED + 1))
    shift = fields.number("shift", 0, MOST_SHIFT)
    variations = fields.integer("variations", 1, range(1, MOST_VARIATIONS + 1))
    size = fields.choice("size", "line", ("line", "model"))
    studio.require("colorizer")
    dimension = fields.optional_integer("dimension", range(studio.latent))
    (width, height), placement, line, hints = _squares(fields, studio.size)
    seeds = [seed] if variations == 1 else [(seed or 0) + count for count in range(variations)]
    answer = ask(
        [PaintJob(line, hints, z_of(studio.latent, each, shift, dimension)) for each in seeds]
    )
    if size == "model":
        width, height = placement.width, placement.height
    images = [_png(_restored(painted, placement, width, height)) for painted in answer.results]
    body = {"image": images[0], "images": images, "seeds": seeds, "width": width, "height": height}
    return body | _times(answer)


def _squares(
    fields: Fields, size: int
) -> tuple[tuple[int, int], Placement, NDArray[np.uint8], Hints | None]:
    """Width and height of the line art; its place in a square; it and its hints in that square.

    The pictures themselves, which may be large, are forgotten before anything waits.
    """
    line, hints = fields.grey("line"), fields.hints("hints")
    height, width = line.shape
    placement = Placement.of(width, height, size, "pad")
    if hints is None:
        return (width, height), placement, placement.square(line), None
    if hints.mask.shape != line.shape:
        high, wide = hints.mask.shape
        raise Problem(
            "size_mismatch",
            f"`hints` is {wide} x {high} pixels, expected {width} x {height} as `line` is.",
        )
    return (width, height), placement, placement.square(line), placed(hints, placement)


def _restored(
    painted: NDArray[np.uint8], placement: Placement, width: int, height: int
) -> NDArray[np.uint8]:
    """What lies in the square's box, without the paper around it, at another size."""
    left, top, right, bottom = placement.box
    return resampled(np.ascontiguousarray(painted[top:bottom, left:right]), width, height)


def _line(line: NDArray[np.uint8], answer: Answer) -> Body:
    height, width = line.shape
    return {"line": _png(line), "width": width, "height": height} | _times(answer)


def _times(answer: Answer) -> Body:
    return {"seconds": round(answer.seconds, 4), "waited": round(answer.waited, 4)}


def _png(picture: NDArray[np.uint8]) -> str:
    return base64.b64encode(encode_png(picture)).decode("ascii")
