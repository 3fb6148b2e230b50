"""The weights of the perceptual loss: which they are, and what to do without; loads no PyTorch."""

from __future__ import annotations

from pipeline.colorizer.options import LossOptions
from sketch_models.weights import weights

OPTION = "[losses] perceptual_weights"
NETWORK = "danbooru_resnet"


def identity(options: LossOptions) -> str:
    """Return what identifies the weights.

    Raises:
        SengaError: If there are no weights of this name, and no file.
    """
    return weights.identity(options.perceptual_weights, option=OPTION, network=NETWORK)


def are_ready(options: LossOptions) -> bool:
    """Return whether the loss is used and its weights are on this machine."""
    return bool(options.perceptual) and weights.is_available(options.perceptual_weights)


def are_missing(options: LossOptions) -> bool:
    """Return whether the loss is used but its weights are not on this machine."""
    return bool(options.perceptual) and not weights.is_available(options.perceptual_weights)


def missing(options: LossOptions) -> str | None:
    """Return the message for weights that must be on this machine and are not, or None."""
    if not are_missing(options) or options.missing_weights != "error":
        return None
    advice = ", or set [losses] missing_weights = skip"
    return weights.missing_weights_message(options.perceptual_weights, OPTION, advice)


def missing_message(options: LossOptions) -> str:
    """Return the sentence for weights that a training goes without."""
    return weights.missing_weights_message(options.perceptual_weights, OPTION)
