"""The weights of the perceptual loss: their identity, and messages if they are missing.

Nothing in this module loads PyTorch.
"""

from __future__ import annotations

from pipeline.colorizer.options import LossOptions
from sketch_models.weights import weights

OPTION = "[losses] perceptual_weights"
NETWORK = "danbooru_resnet"


def identity(options: LossOptions) -> str:
    """Return the string that stands for the weights in a fingerprint.

    Raises:
        WeightsError: If there are neither weights of this name nor such a file.
    """
    return weights.identity(options.perceptual_weights, option=OPTION, network=NETWORK)


def are_ready(options: LossOptions) -> bool:
    """Return whether the loss is used and its weights are on this machine."""
    return bool(options.perceptual) and weights.is_available(options.perceptual_weights)


def are_missing(options: LossOptions) -> bool:
    """Return whether the loss is used but its weights are not on this machine."""
    return bool(options.perceptual) and not weights.is_available(options.perceptual_weights)


def unmet_requirement(options: LossOptions) -> str | None:
    """Return the message for weights that are required but missing, or None."""
    if not are_missing(options) or options.missing_weights != "error":
        return None
    advice = ", or set [losses] missing_weights = skip"
    return weights.missing_weights_message(options.perceptual_weights, OPTION, advice)


def skipped_message(options: LossOptions) -> str:
    """Return the message for missing weights, without which a training skips the loss."""
    return weights.missing_weights_message(options.perceptual_weights, OPTION)
