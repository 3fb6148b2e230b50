"""The POST endpoints: from the fields of a request to the JSON of its response.

They run in the server's threads and do everything but run the models, which the worker does.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.colorizer.enlarge import Enlarger
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.letterbox import Letterbox
from pipeline.colorizer.suggest import suggest_hints
from pipeline.demo import pictures
from pipeline.demo.api_error import ApiError
from pipeline.demo.fields import Fields
from pipeline.demo.latent import make_z
from pipeline.demo.models import Models
from pipeline.demo.worker import ColorizeJob, Job, JobResults, SimplifyJob, SketchJob
from pipeline.draw.simplify import SimplifyOptions
from pipeline.draw.sketch import SMALLEST_SKETCH, SketchOptions
from pipeline.pack.square import Placement, resample
from pipeline.picture import encode_png, resize_long_side
from sketch_models.styles import STYLES, ink_to_sketch

MAX_SIDE = 1536  # of the input of a sketch or line model, in pixels
MAX_VARIATIONS = 8
MAX_SHIFT = 100
MAX_SEED = 2**53 - 1 - MAX_VARIATIONS  # the last variation's seed must be exact in JavaScript

RunJobs = Callable[[Sequence[Job]], JobResults]
JsonObject = dict[str, Any]


def sketch(fields: Fields, models: Models, run_jobs: RunJobs) -> JsonObject:
    """Handle `/api/sketch`: a colour picture to a sketch.

    Raises:
        ApiError: If a field cannot be used, or `run_jobs` raises it.
    """
    fields.reject_unknown("image", "model", "style", "size")
    model = fields.text("model", SketchOptions().models[0])
    style = fields.choice("style", "pured", STYLES)
    size = fields.integer("size", 768, range(SMALLEST_SKETCH, MAX_SIDE + 1))
    models.require_model("sketch", model)
    picture = resize_long_side(fields.rgb("image"), size)
    results = run_jobs([SketchJob(model=model, picture=picture)])
    return _line_response(ink_to_sketch(results.outputs[0], style), results)


def simplify(fields: Fields, models: Models, run_jobs: RunJobs) -> JsonObject:
    """Handle `/api/simplify`: a rough sketch to clean lines of the same size.

    Raises:
        ApiError: If a field cannot be used, or `run_jobs` raises it.
    """
    fields.reject_unknown("image", "model")
    model = fields.text("model", SimplifyOptions().model)
    models.require_model("simplify", model)
    rough = fields.grey("image")
    height, width = rough.shape
    resized = resize_long_side(rough, min(MAX_SIDE, max(rough.shape)))
    results = run_jobs([SimplifyJob(model=model, sketch=resized)])
    return _line_response(resample(results.outputs[0], width, height), results)


def colorize(fields: Fields, models: Models, run_jobs: RunJobs) -> JsonObject:
    """Handle `/api/colorize`: line art and hints to one colorization or several variations.

    Raises:
        ApiError: If a field cannot be used, or `run_jobs` raises it.
    """
    fields.reject_unknown(
        "line", "hints", "suggest", "seed", "shift", "dimension", "reference", "variations", "size"
    )
    suggest = fields.optional_integer("suggest", range(MAX_SEED + 1))
    seed = fields.optional_integer("seed", range(MAX_SEED + 1))
    shift = fields.number("shift", 0, MAX_SHIFT)
    variations = fields.integer("variations", 1, range(1, MAX_VARIATIONS + 1))
    size = fields.choice("size", "line", ("line", "model"))
    models.require_colorizer()
    dimension = fields.optional_integer("dimension", range(models.latent_dim))
    reference = _read_reference(fields, models.size)
    box = _read_letterbox(fields, models.size)
    seeds = [seed] if variations == 1 else [(seed or 0) + count for count in range(variations)]
    zs = [make_z(models.latent_dim, each, shift, dimension) for each in seeds]
    hints = _suggest(box, suggest, variations)
    results = run_jobs(
        [
            ColorizeJob(box.line, each, z, box.placement.box, reference)
            for each, z in zip(hints, zs, strict=True)
        ]
    )
    width, height = box.width, box.height
    if size == "model":
        width, height = box.placement.width, box.placement.height
        images = [_base64_png(box.crop(square, width, height)) for square in results.outputs]
    else:
        with pictures.LARGE_SLOTS:
            enlarger = Enlarger(box.drawing)
            # One by one: of all at once, eight of them would take gigabytes.
            images = [_base64_png(box.finish(square, enlarger)) for square in results.outputs]
    body = {"image": images[0], "images": images, "seeds": seeds, "width": width, "height": height}
    return body | _durations(results)


def _read_letterbox(fields: Fields, size: int) -> Letterbox:
    """Read line art and hints, and place them in a square of `size` pixels."""
    line, hints = fields.grey("line"), fields.hints("hints")
    height, width = line.shape
    if hints is not None and hints.mask.shape != line.shape:
        hints_height, hints_width = hints.mask.shape
        raise ApiError(
            "size_mismatch",
            f"`hints` is {hints_width} x {hints_height} pixels, expected {width} x {height}, the "
            "size of `line`.",
        )
    return Letterbox.of(line, hints, size)


def _suggest(box: Letterbox, seed: int | None, count: int) -> list[Hints | None]:
    """Return hints for each variation: with suggestions of seeds that follow on a first one."""
    if seed is None:
        return [box.hints] * count
    place = box.placement.box
    return [suggest_hints(box.line, box.hints, seed + index, place) for index in range(count)]


def _read_reference(fields: Fields, size: int) -> NDArray[np.uint8] | None:
    """Read the reference picture, if any, and place it in a square of `size` pixels."""
    picture = fields.optional_rgb("reference")
    if picture is None:
        return None
    height, width = picture.shape[:2]
    return Placement.of(width, height, size, "pad").to_square(picture)


def _line_response(line: NDArray[np.uint8], results: JobResults) -> JsonObject:
    height, width = line.shape
    return {"line": _base64_png(line), "width": width, "height": height} | _durations(results)


def _durations(results: JobResults) -> JsonObject:
    return {"seconds": round(results.seconds, 4), "waited": round(results.waited, 4)}


def _base64_png(picture: NDArray[np.uint8]) -> str:
    return base64.b64encode(encode_png(picture)).decode("ascii")
