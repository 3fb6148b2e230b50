"""One training step of the colorizer: three networks, two optimizers, the average of one."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from pipeline.colorizer.networks.discriminator import Discriminator
from pipeline.colorizer.networks.generator import join_map
from pipeline.colorizer.networks.painter import Painter
from pipeline.colorizer.options import LossOptions, NetworkOptions, TrainOptions
from pipeline.colorizer.training import losses
from pipeline.colorizer.training.training_sample import Sample, normalize


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where training runs.

    Attributes:
        device: of the networks.
        dtype: that their layers compute in: float32, or bfloat16 under autocast.
        rank: number of this process, from 0.
        processes: how many there are.
        compiled: whether the networks are compiled.
    """

    device: torch.device
    dtype: torch.dtype = torch.float32
    rank: int = 0
    processes: int = 1
    compiled: bool = False


class Trainer:
    """The networks with all that changes from step to step.

    Args:
        size: side of the pictures.
        network: how wide the networks are.
        weights: of the losses.
        options: learning rates and the decay of the average.
        place: device, precision, processes.
        steps: of the whole training, which the learning rates follow.
        seed: of the first weights and of all noise.
        perceptual: the perceptual loss, or None to go without.
    """

    def __init__(
        self,
        size: int,
        *,
        network: NetworkOptions,
        weights: LossOptions,
        options: TrainOptions,
        place: Place,
        steps: int,
        seed: int = 0,
        perceptual: losses.Perceptual | None = None,
    ) -> None:
        self._options, self._weights, self._place = options, weights, place
        self._steps, self._seed, self._latent = steps, seed, network.latent
        self.step_number = 0
        torch.manual_seed(seed)
        self.painter = _placed(Painter(network, size), place)
        self.discriminator = _placed(Discriminator(network), place)
        self.average = copy.deepcopy(self.painter.generator).eval().requires_grad_(False)
        self._perceptual = perceptual and _placed(perceptual, place)
        self._paint = _shared(self.painter, place)
        self._judge = _shared(self.discriminator, place)
        if place.compiled:  # not the discriminator: it is small, and gone through backwards twice
            self._paint = torch.compile(self._paint)
        self._optimizers = {
            "painter": _adam(self.painter, options.generator_rate),
            "discriminator": _adam(self.discriminator, options.discriminator_rate),
        }

    def step(self, batch: Sample) -> dict[str, Tensor]:
        """Learns from one batch of samples, as the loader gives them.

        The discriminator judges what the generator has painted once, for both of their losses.

        Returns:
            The losses before their weights, and the norms of both gradients: scalars, detached.
        """
        seen = normalize(batch, self._place.device)
        color = seen["color"].contiguous(memory_format=torch.channels_last)
        maps = join_map(seen["line"], seen["hint"], seen["mask"])
        with torch.autocast(
            self._place.device.type, self._place.dtype, self._place.dtype != torch.float32
        ):
            fake, mean, log_variance = self._paint(maps, color, self._noise(len(maps)))
            of_fake, of_real = _halves(
                self._judge(torch.cat([maps, maps]), torch.cat([fake, color.to(fake.dtype)]))
            )
            found = {"hinge_d": losses.hinge_discriminator(of_fake, of_real)}
            found |= {
                "hinge_g": losses.hinge_generator(of_fake),
                "features": losses.feature_matching(of_fake, of_real),
                "kld": losses.kl_divergence(mean, log_variance),
                **self._distances(fake, color),
            }
        total = self._weighted(found)
        _backward(found["hinge_d"], self.discriminator, keep=True)
        _backward(total, self.painter)
        norms = {"gradient_g": _norm(self.painter), "gradient_d": _norm(self.discriminator)}
        self._update()
        return {name: value.detach().float() for name, value in {**found, **norms}.items()}

    def state(self) -> dict[str, Any]:
        """All that `load_state` needs to go on from here."""
        return {
            "step": self.step_number,
            "painter": self.painter.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": self.average.state_dict(),
            **{f"{name}_adam": adam.state_dict() for name, adam in self._optimizers.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Goes back to a `state`."""
        self.step_number = state["step"]
        self.painter.load_state_dict(state["painter"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.average.load_state_dict(state["average"])
        for name, adam in self._optimizers.items():
            adam.load_state_dict(state[f"{name}_adam"])

    def _noise(self, pictures: int) -> Tensor:
        """From seed, step and process alone: going on after a stop needs no other state."""
        numbers = (self._seed * 1_000_003 + self.step_number) * 4096 + self._place.rank
        random = torch.Generator().manual_seed(numbers % 2**63)
        return torch.randn(pictures, self._latent, generator=random).to(self._place.device)

    def _distances(self, fake: Tensor, color: Tensor) -> dict[str, Tensor]:
        found = {}
        if self._perceptual is not None:
            found["perceptual"] = self._perceptual(fake, color)
        if self._weights.l1:
            found["l1"] = functional.l1_loss(fake.float(), color)
        if self._weights.l2:
            found["l2"] = functional.mse_loss(fake.float(), color)
        return found

    def _weighted(self, found: Mapping[str, Tensor]) -> Tensor:
        weights = {"hinge_g": 1.0, "features": self._weights.features, "kld": self._weights.kld}
        weights |= {"perceptual": self._weights.perceptual}
        weights |= {"l1": self._weights.l1, "l2": self._weights.l2}
        terms = [weights[name] * found[name] for name in weights if name in found]
        return torch.stack([term.float() for term in terms]).sum()

    def _update(self) -> None:
        factor = rate_factor(self.step_number, self._steps, self._options.warm_up)
        rates = {
            "painter": self._options.generator_rate,
            "discriminator": self._options.discriminator_rate,
        }
        for name, adam in self._optimizers.items():
            adam.param_groups[0]["lr"] = rates[name] * factor
            adam.step()
            adam.zero_grad()
        self.step_number += 1
        _average(self.average, self.painter.generator, self._options.ema, self.step_number)


def rate_factor(step: int, steps: int, warm_up: float) -> float:
    """The learning rate of a step as a share of its highest.

    It rises in a line over the first `warm_up` share of the steps and falls along half a cosine to
    0 (Loshchilov and Hutter 2017).
    """
    rising = round(warm_up * steps)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def _placed(network: Any, place: Place) -> Any:  # noqa: ANN401 - gives back what it is given
    return network.to(place.device, memory_format=torch.channels_last)


def _shared(network: nn.Module, place: Place) -> Callable[..., Any]:
    """The network with its gradients averaged over all processes."""
    if place.processes == 1:
        return network
    return DistributedDataParallel(
        network, device_ids=[place.device] if place.device.type == "cuda" else None
    )


def _adam(network: nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), rate, betas=(0.0, 0.9), fused=True)


def _halves(judged: losses.Judged) -> tuple[losses.Judged, losses.Judged]:
    """What was judged in one batch, fake first, then real, apart."""
    pairs = [[features.chunk(2) for features in scale] for scale in judged]
    fake = [[pair[0] for pair in scale] for scale in pairs]
    return fake, [[pair[1] for pair in scale] for scale in pairs]


def _backward(loss: Tensor, network: nn.Module, *, keep: bool = False) -> None:
    """Gradients for the parameters of this network alone."""
    loss.backward(retain_graph=keep, inputs=list(network.parameters()))  # type: ignore[no-untyped-call]


def _norm(network: nn.Module) -> Tensor:
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


@torch.no_grad()
def _average(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Moves the average towards the network; quicker in the beginning, as it starts from noise."""
    share = 1 - min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), share)
    for name, buffer in network.named_buffers():
        # Statistics of batches are averaged like weights; vectors of a spectral norm are not.
        mean = average.get_buffer(name)
        mean.lerp_(buffer, share) if "running" in name else mean.copy_(buffer)
