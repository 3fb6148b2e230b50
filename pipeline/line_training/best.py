"""The best weights of a training so far, judged by pictures that the artbook did not draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.nn import Module


class Best:
    """The best weights so far; empty until something is offered.

    Attributes:
        f1: of these weights.
        images: number of images after which they were reached.
        weights: the state of the network; None if there is none yet.
    """

    def __init__(self) -> None:
        self.f1 = -1.0
        self.images = 0
        self.weights: dict[str, Tensor] | None = None

    def offer(self, f1: float, images: int, network: Module) -> None:
        """Take the weights of a network if its F1 is higher than the best one."""
        if f1 > self.f1:
            self.f1, self.images = f1, images
            self.weights = {
                name: value.detach().cpu().clone() for name, value in network.state_dict().items()
            }

    def state(self) -> dict[str, Any]:
        """Return everything that `load_state` needs."""
        return {"f1": self.f1, "images": self.images, "weights": self.weights}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned."""
        self.f1, self.images, self.weights = state["f1"], state["images"], state["weights"]
