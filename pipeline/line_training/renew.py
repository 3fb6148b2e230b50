"""Weights that are to be trained further: their normalization is put back, and dead units renewed.

In a file the batch normalization is folded into the weights. Training on without it lets units die:
a ReLU that is off for every picture gets no gradient and stays off. In this way the deepest scales
of both networks had gone silent, and with them everything that needs to see far.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sketch_models.unet import SHUFFLE, Unet


@dataclass(frozen=True)
class _Responses:
    """What a layer's convolution returned, by channel: (C,) each."""

    mean: Tensor
    variance: Tensor
    largest: Tensor


@torch.no_grad()
def renew(folded: Unet, pictures: Tensor) -> Unet:
    """Return a network with batch normalization that computes the same for some pictures.

    Units that respond to none of them start anew. What takes their output has weights of 0 for it,
    so that they change nothing at first.

    Args:
        folded: a network without normalization.
        pictures: (N, C, H, W) float32, such as it is going to be trained on.
    """
    state = folded.state_dict()
    channels = state["first.0.weight"].shape[1] // SHUFFLE**2
    network = Unet(channels, folded.widths, context=len(folded.context), normalize=True)
    responses = _responses(folded, pictures)
    layers = [name for name, _ in _layers(network)]
    others = {k: v for k, v in state.items() if not any(k.startswith(f"{n}.0.") for n in layers)}
    network.load_state_dict(others, strict=False)
    consumers = dict(_consumers(network))
    for name, layer in _layers(network):
        convolution, norm = layer[0], layer[1]
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        seen = responses[name]
        live = (seen.largest > 0) | (name not in consumers)
        convolution.weight[live] = state[f"{name}.0.weight"][live]
        norm.weight[live] = torch.sqrt(seen.variance + norm.eps)[live]
        norm.bias[live] = seen.mean[live]
        norm.running_mean[live] = (seen.mean - state[f"{name}.0.bias"])[live]
        norm.running_var[live] = seen.variance[live]
    for name, taken in consumers.items():
        dead = torch.nonzero(responses[name].largest <= 0).flatten()
        for consumer, offset in taken:
            network.get_submodule(consumer).get_parameter("weight")[:, offset + dead] = 0
    return network


def _layers(network: Unet) -> Iterator[tuple[str, nn.Sequential]]:
    """Yield the layers of a convolution and what follows it, with their names."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Sequential) and len(module) and isinstance(module[-1], nn.ReLU):
            yield name, module


def _responses(network: Unet, pictures: Tensor) -> dict[str, _Responses]:
    """Return what the convolution of every layer returns for some pictures."""
    responses = {}

    def watch(name: str, output: Tensor) -> None:
        variance, mean = torch.var_mean(output, dim=(0, 2, 3), correction=0)
        responses[name] = _Responses(mean, variance, output.amax(dim=(0, 2, 3)))

    hooks = [
        layer[0].register_forward_hook(
            lambda _module, _inputs, output, name=name: watch(name, output)
        )
        for name, layer in _layers(network)
    ]
    network(pictures)
    for hook in hooks:
        hook.remove()
    return responses


def _consumers(network: Unet) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Yield, by the name of a layer, the convolutions that take its output, and from which channel.

    The deepest layer is left out if context blocks, which pass its channels on, were trained.
    """
    names = {name for name, _ in _layers(network)}
    deepest = len(network.down)
    has_context = any(bool(block.get_parameter("mix.weight").any()) for block in network.context)
    for level in range(deepest + 1):
        name = f"down.{level - 1}.1" if level else "first"
        if level < deepest:
            yield name, [(f"down.{level}.0.0", 0), (f"up.{level}.0.0", 0)]
            yield f"down.{level}.0", [(f"down.{level}.1.0", 0)]
        elif not has_context:
            yield name, [(f"shrink.{level - 1}" if level else "last", 0)]
    for level in range(deepest):
        below = f"shrink.{level - 1}" if level else "last"
        has_second = f"up.{level}.1" in names
        yield f"up.{level}.0", [(f"up.{level}.1.0" if has_second else below, 0)]
        if has_second:
            yield f"up.{level}.1", [(below, 0)]
