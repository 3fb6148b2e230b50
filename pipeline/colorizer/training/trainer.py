"""One training step of the colorizer: three networks, two optimizers, and an EMA of weights."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parametrize

from pipeline.colorizer.networks.discriminator import Discriminator
from pipeline.colorizer.networks.generator import join_map
from pipeline.colorizer.networks.vae import Vae
from pipeline.colorizer.options import LossOptions, NetworkOptions, TrainOptions
from pipeline.colorizer.training import losses
from pipeline.colorizer.training.training_sample import TrainingSample, normalize
from pipeline.training.context import TrainContext
from pipeline.training.ema import make_ema, update_ema
from pipeline.training.learning_rate import lr_factor

_POWER_ITERATIONS = 15  # until a spectral norm is known, as PyTorch starts


class Trainer:
    """The networks with their optimizers, and everything else that changes from step to step.

    Args:
        size: side of the pictures, in pixels.
        network: which generator, and how wide the networks are.
        loss_weights: weights of the losses.
        options: learning rates, warmup and decay of the EMA.
        context: device, precision, processes.
        steps: of the whole training, which the learning rates depend on.
        seed: of the first weights and of all noise.
        perceptual: the perceptual loss, or None without it.

    Attributes:
        vae: encoder and generator.
        discriminator: the discriminator.
        ema: the generator with the exponential moving average of its weights, which is what is
            saved in the end.
        global_step: steps done.
    """

    def __init__(
        self,
        size: int,
        *,
        network: NetworkOptions,
        loss_weights: LossOptions,
        options: TrainOptions,
        context: TrainContext,
        steps: int,
        seed: int = 0,
        perceptual: losses.Perceptual | None = None,
    ) -> None:
        self._options, self._loss_weights, self._context = options, loss_weights, context
        self._steps, self._seed, self._latent_dim = steps, seed, network.latent_dim
        self.global_step = 0
        torch.manual_seed(seed)
        self.vae = _to_device(Vae(network, size), context)
        self.discriminator = _to_device(Discriminator(network), context)
        self.ema = make_ema(self.vae.generator)
        self._perceptual = perceptual and _to_device(perceptual, context)
        self._distributed_vae = _distribute(self.vae, context)
        self._distributed_discriminator = _distribute(self.discriminator, context)
        if context.compile:  # not the discriminator: it is small, with two backward passes
            self._distributed_vae = torch.compile(self._distributed_vae)
        self._optimizers = {  # the names are keys of checkpoints
            "painter": _adam(self.vae, options.generator_lr),
            "discriminator": _adam(self.discriminator, options.discriminator_lr),
        }

    def step(self, batch: TrainingSample) -> dict[str, Tensor]:
        """Train on one batch of samples, as the data loader yields them.

        One pass of the discriminator over the generated pictures serves both of their losses.

        Returns:
            The losses before their weights, and the norms of both gradients: detached scalars.
        """
        inputs = normalize(batch, self._context.device)
        color = inputs["color"].contiguous(memory_format=torch.channels_last)
        maps = join_map(inputs["line"], inputs["hint"], inputs["mask"], inputs.get("spread"))
        with self._context.autocast():
            fake, mean, log_variance = self._distributed_vae(maps, color, *self._noise(len(maps)))
            values = self._adversarial_losses(maps, fake, color) if self._is_adversarial() else {}
            values |= {
                "kld": losses.kl_divergence(mean, log_variance),
                **self._reconstruction_losses(fake, color),
            }
        total = self._weighted_sum(values)
        norms = {}
        if "hinge_d" in values:
            _backward(values["hinge_d"], self.discriminator, retain_graph=True)
            norms["gradient_d"] = _gradient_norm(self.discriminator)
        _backward(total, self.vae)
        norms["gradient_g"] = _gradient_norm(self.vae)
        self._update()
        return {name: value.detach().float() for name, value in {**values, **norms}.items()}

    def state(self) -> dict[str, Any]:
        """Return everything that `load_state` needs to resume from this step."""
        return {  # the keys are those of checkpoints, which earlier versions wrote too
            "step": self.global_step,
            "painter": self.vae.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": self.ema.state_dict(),
            **{f"{name}_adam": adam.state_dict() for name, adam in self._optimizers.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned."""
        self.global_step = state["step"]
        self.vae.load_state_dict(state["painter"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.ema.load_state_dict(state["average"])
        for name, adam in self._optimizers.items():
            adam.load_state_dict(state[f"{name}_adam"])

    def start_from(self, vae: Vae) -> None:
        """Take the weights of a trained encoder and generator of the same options and size.

        Args:
            vae: with its spectral norms folded in, as files have it.
        """
        with torch.no_grad():
            for name, layer in vae.named_modules():
                tensors = layer.named_parameters(recurse=False), layer.named_buffers(recurse=False)
                for key, value in itertools.chain(*tensors):
                    _set_tensor(self.vae.get_submodule(name), key, value)
        self.ema.load_state_dict(self.vae.generator.state_dict())

    def _noise(self, pictures: int) -> tuple[Tensor, Tensor]:
        """Return the noise of z, and 1 for pictures that are encoded, 0 for those with z = 0.

        Both depend on seed, step and rank alone: resuming needs no RNG state.
        """
        seed = (self._seed * 1_000_003 + self.global_step) * 4096 + self._context.rank
        generator = torch.Generator().manual_seed(seed % 2**63)
        noise = torch.randn(pictures, self._latent_dim, generator=generator)
        encoded = torch.rand(pictures, 1, generator=generator) >= self._options.zero_z
        return noise.to(self._context.device), encoded.float().to(self._context.device)

    def _is_adversarial(self) -> bool:
        """Return whether this step trains the discriminator, and by it."""
        weights = self._loss_weights
        started = self.global_step >= weights.adversarial_start * self._steps
        return weights.adversarial > 0 and started

    def _adversarial_losses(self, maps: Tensor, fake: Tensor, color: Tensor) -> dict[str, Tensor]:
        fake_features, real_features = _split_fake_real(
            self._distributed_discriminator(
                torch.cat([maps, maps]), torch.cat([fake, color.to(fake.dtype)])
            )
        )
        return {
            "hinge_d": losses.hinge_discriminator(fake_features, real_features),
            "hinge_g": losses.hinge_generator(fake_features),
            "feature_matching": losses.feature_matching(fake_features, real_features),
        }

    def _reconstruction_losses(self, fake: Tensor, color: Tensor) -> dict[str, Tensor]:
        values = {}
        if self._perceptual is not None:
            values["perceptual"] = self._perceptual(fake, color)
        if self._loss_weights.l1:
            values["l1"] = functional.l1_loss(fake.float(), color)
        if self._loss_weights.l2:
            values["l2"] = functional.mse_loss(fake.float(), color)
        return values

    def _weighted_sum(self, values: Mapping[str, Tensor]) -> Tensor:
        names = ("feature_matching", "kld", "perceptual", "l1", "l2")
        weights = {name: getattr(self._loss_weights, name) for name in names}
        weights["hinge_g"] = self._loss_weights.adversarial
        terms = [weight * values[name] for name, weight in weights.items() if name in values]
        return torch.stack([term.float() for term in terms]).sum()

    def _update(self) -> None:
        factor = lr_factor(self.global_step, self._steps, self._options.warmup)
        peak_lr = {
            "painter": self._options.generator_lr,
            "discriminator": self._options.discriminator_lr,
        }
        for name, adam in self._optimizers.items():
            adam.param_groups[0]["lr"] = peak_lr[name] * factor
            adam.step()
            adam.zero_grad()
        self.global_step += 1
        update_ema(self.ema, self.vae.generator, self._options.ema_decay, self.global_step)


def _set_tensor(layer: nn.Module, name: str, value: Tensor) -> None:
    """Copy a tensor into that of a layer; under a spectral norm, into what is normalised."""
    if not parametrize.is_parametrized(layer, name):
        getattr(layer, name).copy_(value)
        return
    layer.parametrizations[name].original.copy_(value)  # type: ignore[union-attr, index]
    for _ in range(_POWER_ITERATIONS):
        getattr(layer, name)  # in training every use is one iteration


def _to_device(network: Any, context: TrainContext) -> Any:  # noqa: ANN401 - of any class
    return network.to(context.device, memory_format=torch.channels_last)


def _distribute(network: nn.Module, context: TrainContext) -> Callable[..., Any]:
    """Return the network with its gradients averaged over all processes."""
    if context.world_size == 1:
        return network
    return DistributedDataParallel(
        network, device_ids=[context.device] if context.device.type == "cuda" else None
    )


def _adam(network: nn.Module, lr: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr, betas=(0.0, 0.9), fused=True)


def _split_fake_real(features: losses.Features) -> tuple[losses.Features, losses.Features]:
    """Split the features of one batch into those of its fake half and those of its real half."""
    pairs = [[layer.chunk(2) for layer in scale] for scale in features]
    fake = [[pair[0] for pair in scale] for scale in pairs]
    return fake, [[pair[1] for pair in scale] for scale in pairs]


def _backward(loss: Tensor, network: nn.Module, *, retain_graph: bool = False) -> None:
    """Compute gradients for the parameters of this network alone."""
    loss.backward(retain_graph=retain_graph, inputs=list(network.parameters()))  # type: ignore[no-untyped-call]


def _gradient_norm(network: nn.Module) -> Tensor:
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)
