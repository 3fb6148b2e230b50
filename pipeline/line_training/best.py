"""The best weights of a training so far, judged by pictures that the artbook did not draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.nn import Module

_NOISE = 0.01
"""F1 on two dozen pictures is this uncertain. Of weights that are as good by that, the latest are
kept: their learning rate has fallen further, and both times that they were compared on other art
they were clearly better than those with the highest F1."""


class Best:
    """The best weights so far; empty until something is offered.

    Attributes:
        highest_f1: of all that were offered.
        f1: of these weights, at most 0.01 lower.
        images: number of images after which they were reached.
        weights: the state of the network; None if there is none yet.
    """

    def __init__(self) -> None:
        self.highest_f1 = self.f1 = -1.0
        self.images = 0
        self.weights: dict[str, Tensor] | None = None

    def offer(self, f1: float, images: int, network: Module) -> None:
        """Take the weights of a network unless their F1 is clearly lower than the highest one."""
        self.highest_f1 = max(self.highest_f1, f1)
        if f1 >= self.highest_f1 - _NOISE:
            self.f1, self.images = f1, images
            self.weights = {
                name: value.detach().cpu().clone() for name, value in network.state_dict().items()
            }

    def state(self) -> dict[str, Any]:
        """Return everything that `load_state` needs."""
        return vars(self).copy()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned."""
        self.f1, self.images, self.weights = state["f1"], state["images"], state["weights"]
        self.highest_f1 = state.get("highest_f1", self.f1)
