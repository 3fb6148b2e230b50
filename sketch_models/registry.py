"""The sketch and line models, by their names in the configuration."""

from __future__ import annotations

from sketch_models.centerline import Centerline, CenterlineOptions
from sketch_models.model import LineModel, SketchModel
from sketch_models.xdog import Xdog, XdogOptions

SKETCH_MODELS = ("xdog", "sketchkeras")
LINE_MODELS = ("centerline", "simo_serra")

_NEEDS = {
    "sketchkeras": (
        "[sketch] model = sketchkeras needs the network's weights, mod.h5 "
        "(https://github.com/lllyasviel/sketchKeras/releases/download/0.1/mod.h5), which this "
        "version of Senga cannot run yet: build without them with --sketch-model xdog."
    ),
    "simo_serra": (
        "[simplify] model = simo_serra needs the network's weights, such as sketch_gan.t7 "
        "(https://esslab.jp/~ess/data/sketch_gan.t7), which this version of Senga cannot run yet: "
        "build without them with --simplify-model centerline."
    ),
}


def needs(model: str) -> list[str]:
    """What a person must provide before a model can run, a sentence each."""
    return [_NEEDS[model]] if model in _NEEDS else []


def sketch_model(options: XdogOptions) -> SketchModel:
    """The sketch model that takes such options."""
    return Xdog(options)


def line_model(options: CenterlineOptions) -> LineModel:
    """The line model that takes such options."""
    return Centerline(options)
