"""One training step of a network of lines: a U-Net, its optimizer, and an EMA of its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from pipeline.line_training import losses
from pipeline.line_training.dataset import LineBatch
from pipeline.line_training.options import LineOptions
from pipeline.training.context import TrainContext
from pipeline.training.ema import make_ema, update_ema
from pipeline.training.learning_rate import lr_factor
from sketch_models.unet import Unet


class LineTrainer:
    """A network with its optimizer, and everything else that changes from step to step.

    Args:
        network: with or without batch normalization; it is moved to the device.
        options: learning rate, losses and decay of the EMA.
        context: device and precision.
        steps: of the whole training, which the learning rate depends on.

    Attributes:
        network: the network that is trained.
        ema: the network with the exponential moving average of its weights.
        global_step: steps done.
    """

    def __init__(
        self, network: Unet, options: LineOptions, context: TrainContext, *, steps: int
    ) -> None:
        self._options, self._context, self._steps = options, context, steps
        self.global_step = 0
        self.network = network.to(context.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = make_ema(self.network)
        self._forward: Callable[[Tensor], Tensor] = self.network
        if context.compile:
            self._forward = torch.compile(self.network)
        self._optimizer = torch.optim.AdamW(_parameter_groups(network, options), fused=True)

    def step(self, batch: LineBatch) -> dict[str, Tensor]:
        """Train on one batch.

        Returns:
            The losses before their weights, and the norm of the gradient: detached scalars.
        """
        device = self._context.device
        picture = batch["picture"].to(device, non_blocking=True)
        ink = batch["ink"].to(device, non_blocking=True).float() / 255
        weight = batch["weight"].to(device, non_blocking=True).float()
        with self._context.autocast():
            logits = self._forward(picture.contiguous(memory_format=torch.channels_last))
        logits = logits.float()
        values = {
            "cross_entropy": losses.cross_entropy(logits, ink, weight),
            "dice": losses.dice(logits, ink, weight),
        }
        total = values["cross_entropy"] + self._options.dice * values["dice"]
        total.backward()  # type: ignore[no-untyped-call]
        values["gradient"] = torch.nn.utils.clip_grad_norm_(
            self.network.parameters(), self._options.max_gradient
        )
        self._update()
        return {name: value.detach() for name, value in values.items()}

    def state(self) -> dict[str, Any]:
        """Return everything that `load_state` needs to resume from this step."""
        return {
            "step": self.global_step,
            "network": self.network.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned."""
        self.global_step = state["step"]
        self.network.load_state_dict(state["network"])
        self.ema.load_state_dict(state["ema"])
        self._optimizer.load_state_dict(state["optimizer"])

    def _update(self) -> None:
        factor = lr_factor(self.global_step, self._steps, self._options.warmup)
        for group in self._optimizer.param_groups:
            group["lr"] = self._options.lr * factor
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.global_step += 1
        update_ema(self.ema, self.network, self._options.ema_decay, self.global_step)


def _parameter_groups(network: Unet, options: LineOptions) -> list[dict[str, Any]]:
    """Return the parameters; biases and normalization are not decayed."""
    weights = list(network.parameters())
    return [
        {
            "params": [weight for weight in weights if weight.ndim > 1],
            "weight_decay": options.weight_decay,
        },
        {"params": [weight for weight in weights if weight.ndim == 1], "weight_decay": 0.0},
    ]
