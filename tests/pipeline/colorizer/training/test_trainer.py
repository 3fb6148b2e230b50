"""One training step: its losses and gradients, exact resuming, several processes."""

import itertools
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed, multiprocessing, nn

from pipeline.colorizer.colorizer_file import fold_spectral_norms
from pipeline.colorizer.options import LossOptions, NetworkOptions, TrainOptions
from pipeline.colorizer.training.losses import Perceptual
from pipeline.colorizer.training.trainer import Trainer
from pipeline.colorizer.training.training_sample import TrainingSample
from pipeline.training.context import TrainContext
from tests.pipeline.colorizer.networks.test_networks import small

CPU = torch.device("cpu")


class FakeFeatures(nn.Module):
    """Five layers of features, as the perceptual network has."""

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x] * 5


def trainer(
    context: TrainContext | None = None,
    network: NetworkOptions | None = None,
    perceptual: Perceptual | None = None,
    zero_z: float = 0.0,
    options: TrainOptions | None = None,
    loss_weights: LossOptions | None = None,
    **weights: float,
) -> Trainer:
    return Trainer(
        64,
        network=network or small(),
        loss_weights=loss_weights or LossOptions(**weights),
        options=options or TrainOptions(warmup=0.0, zero_z=zero_z),
        context=context or TrainContext(device=CPU),
        steps=10,
        seed=3,
        perceptual=perceptual,
    )


def batch(number: int, pictures: slice = slice(0, 4)) -> TrainingSample:
    generator = torch.Generator().manual_seed(number)

    def levels(channels: int) -> Tensor:
        values = torch.randint(
            0, 256, (4, channels, 64, 64), generator=generator, dtype=torch.uint8
        )
        return values[pictures]

    mask = (levels(1) > 200).byte()
    return TrainingSample(
        line=levels(1),
        hint=levels(3) * mask,
        mask=mask,
        color=levels(3),
        id=torch.arange(4)[pictures],
        box=torch.tensor([[0, 0, 64, 64]] * 4)[pictures],
    )


def weights(state: object) -> list[Tensor]:
    """Return all tensors in a state, in order."""
    if isinstance(state, Tensor):
        return [state]
    if isinstance(state, dict):
        return [tensor for value in state.values() for tensor in weights(value)]
    return []


def test_step_returns_losses_and_gradient_norms() -> None:
    values = trainer(l1=1, l2=1, perceptual=Perceptual(FakeFeatures())).step(batch(0))
    names = {"hinge_d", "hinge_g", "feature_matching", "kld", "perceptual", "l1", "l2"}
    assert set(values) == names | {"gradient_g", "gradient_d"}
    assert all(value.ndim == 0 and math.isfinite(value) for value in values.values())
    assert set(trainer().step(batch(0))) == {"hinge_d", "hinge_g", "feature_matching", "kld"} | {
        "gradient_g",
        "gradient_d",
    }


def changes(training: Trainer) -> dict[str, Tensor]:
    """Return what one step adds to every weight of all networks."""
    networks = {"vae": training.vae, "discriminator": training.discriminator}
    named = {
        f"{network}.{name}": weight
        for network, of_network in networks.items()
        for name, weight in of_network.named_parameters()
    }
    before = {name: weight.detach().clone() for name, weight in named.items()}
    training.step(batch(0))
    assert all(weight.grad is None for weight in named.values())
    return {name: weight.detach() - before[name] for name, weight in named.items()}


def is_normalised_away(name: str) -> bool:
    """Return whether it is the bias of a convolution before an instance norm."""
    return name.endswith(".bias") and (
        "encoder.layers" in name
        or ("discriminator" in name and any(f".layers.{number}." in name for number in (1, 2, 3)))
    )


def test_step_changes_every_weight_of_all_networks() -> None:
    added = changes(trainer())
    assert sum("discriminator" in name for name in added) == 20
    for name, change in added.items():
        assert is_normalised_away(name) or change.abs().max() > 0, name


def test_each_network_has_its_own_learning_rate() -> None:
    """The first step of Adam is as long as the rate, in the direction of the gradient's sign."""
    options = TrainOptions(warmup=0.0, zero_z=0.0, generator_lr=3e-4, discriminator_lr=7e-4)
    longest = {"vae": 0.0, "discriminator": 0.0}
    for name, change in changes(trainer(options=options)).items():
        network = name.partition(".")[0]
        longest[network] = max(longest[network], change.abs().max().item())
    expected = {"vae": 3e-4, "discriminator": 7e-4}
    assert longest == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    "losses", [{"l1"}, {"l2"}, {"kld"}, {"perceptual"}, {"adversarial", "feature_matching"}]
)
def test_loss_counts_by_its_weight(losses: set[str]) -> None:
    """Three times the weights of all losses that there are make the gradient three times as long.

    There must be an L1, which counts next to nothing here.
    """
    names = ("adversarial", "feature_matching", "kld", "perceptual")
    lengths = []
    for weight in (0.5, 1.5):
        chosen = {"l1": 1e-9} | dict.fromkeys(names, 0.0) | dict.fromkeys(losses, weight)
        training = trainer(
            None, None, Perceptual(FakeFeatures()), loss_weights=LossOptions(**chosen)
        )
        lengths.append(training.step(batch(0))["gradient_g"].item())
    assert lengths[0] > 0
    assert lengths[1] == pytest.approx(3 * lengths[0], rel=1e-2)


def test_total_is_the_sum_of_the_weighted_losses() -> None:
    names = ("feature_matching", "kld", "perceptual", "l1", "l2", "adversarial")
    chosen = LossOptions(**{name: float(number) for number, name in enumerate(names, 2)})
    values = {name: torch.tensor(10.0**n) for n, name in enumerate(names)}
    values["hinge_g"], values["hinge_d"] = values.pop("adversarial"), torch.tensor(1e9)
    assert trainer(loss_weights=chosen)._weighted_sum(values).item() == 765432


def test_each_network_learns_from_its_own_loss() -> None:
    """The generator's losses leave no gradient in the discriminator, and the other way round."""
    only_hinge, more = (
        trainer(feature_matching=0, kld=0),
        trainer(feature_matching=0, kld=0, l2=100),
    )
    for each in (only_hinge, more):
        each.step(batch(0))
    same = zip(only_hinge.discriminator.parameters(), more.discriminator.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in same)
    pairs = zip(only_hinge.vae.parameters(), more.vae.parameters(), strict=True)
    assert not all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("generator", ["netl_spade", "spade"])
def test_resumed_training_ends_as_an_uninterrupted_one(generator: str, tmp_path: Path) -> None:
    whole = trainer(network=small(generator))
    for number in range(6):
        whole.step(batch(number))
    first = trainer(network=small(generator))
    for number in range(3):
        first.step(batch(number))
    torch.save(first.state(), tmp_path / "state.pt")
    second = trainer(network=small(generator))
    second.load_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert second.global_step == 3
    for number in range(3, 6):
        second.step(batch(number))
    resumed, expected = weights(second.state()), weights(whole.state())
    assert len(expected) > 100
    assert all(torch.equal(*pair) for pair in zip(resumed, expected, strict=True))


def test_ema_follows_the_generator() -> None:
    training = trainer()
    start = training.ema.to_color.weight.clone()
    training.step(batch(0))
    now = training.vae.generator.to_color.weight
    share = 1 - 2 / 11  # the decay is (1 + 1) / (10 + 1) after the first step
    torch.testing.assert_close(training.ema.to_color.weight, start.lerp(now, share))


def test_average_starts_from_the_given_weights_too() -> None:
    given = trainer()
    given.step(batch(0))
    fold_spectral_norms(given.vae.eval())
    training = trainer()
    training.start_from(given.vae)
    expected = given.vae.generator.to_color.weight
    assert torch.equal(training.vae.generator.to_color.weight, expected)
    assert torch.equal(training.ema.to_color.weight, expected)


def test_noise_differs_in_every_step() -> None:
    training = trainer()
    first = training._noise(2)
    assert all(map(torch.equal, first, trainer()._noise(2)))
    training.global_step += 1
    assert not torch.equal(first[0], training._noise(2)[0])


def test_noise_differs_between_processes() -> None:
    """Each has other pictures, and would otherwise add the same noise to their z."""
    noise = [trainer(TrainContext(device=CPU, rank=rank))._noise(2)[0] for rank in range(3)]
    for one, other in itertools.combinations(noise, 2):
        assert not torch.isclose(one, other).any()


@pytest.mark.parametrize(("zero_z", "shares"), [(0.0, {1.0}), (0.5, {0.0, 1.0}), (1.0, {0.0})])
def test_a_share_of_the_pictures_is_trained_with_a_z_of_zero(
    zero_z: float, shares: set[float]
) -> None:
    training = trainer(zero_z=zero_z, l1=1, adversarial=0, kld=0)
    _, encoded = training._noise(64)
    assert set(encoded.flatten().tolist()) == shares
    assert encoded.shape == (64, 1)
    encoder = training.vae.encoder
    before = [weight.clone() for weight in encoder.parameters()]
    training.step(batch(0))
    learned = any(not torch.equal(*pair) for pair in zip(before, encoder.parameters(), strict=True))
    assert learned == (zero_z < 1)  # from the colours alone, as nothing else depends on z


def test_bfloat16_losses_are_close_to_float32() -> None:
    exact = trainer(l2=1).step(batch(0))
    reduced = trainer(TrainContext(device=CPU, dtype=torch.bfloat16), l2=1).step(batch(0))
    for name in ("hinge_d", "feature_matching", "kld", "l2"):
        assert reduced[name].item() == pytest.approx(exact[name].item(), rel=0.05, abs=0.02), name


def gradients(training: Trainer, pictures: slice) -> dict[str, Tensor]:
    """Return the gradients of a step, and the statistics of its batch."""
    training._noise = lambda count: (torch.zeros(count, 8), torch.ones(count, 1))  # type: ignore[method-assign]
    training._update = lambda: None  # type: ignore[method-assign]
    training.step(batch(0, pictures))
    networks = {"painter": training.vae, "discriminator": training.discriminator}
    values = {}
    for name, network in networks.items():
        for key, weight in network.named_parameters():
            assert weight.grad is not None, key
            values[f"{name}.{key}"] = weight.grad
        values |= {f"{name}.{key}": buffer for key, buffer in network.named_buffers()}
    return values


def _step_in_process(rank: int, port: int, folder: str) -> None:
    torch.set_num_threads(1)
    address = f"tcp://127.0.0.1:{port}"
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    training = trainer(TrainContext(device=CPU, rank=rank, world_size=2), l2=10)
    values = gradients(training, slice(2 * rank, 2 * rank + 2))
    torch.save(values, f"{folder}/{rank}.pt")
    whole = trainer(TrainContext(device=CPU, rank=rank, world_size=2), l2=10)
    for number in range(2):  # with their own noise, and the update
        whole.step(batch(number, slice(2 * rank, 2 * rank + 2)))
    torch.save(whole.state(), f"{folder}/{rank}.state.pt")
    distributed.destroy_process_group()


def test_two_processes_have_the_gradients_of_one_and_stay_equal(tmp_path: Path) -> None:
    """Gradients are averaged, and batch statistics are those of the global batch."""
    multiprocessing.spawn(_step_in_process, (_free_port(), str(tmp_path)), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    alone = gradients(trainer(l2=10), slice(0, 4))
    assert first.keys() == second.keys() == alone.keys()
    for name, value in alone.items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], value, rtol=1e-3, atol=1e-4, msg=name)
    states = [torch.load(tmp_path / f"{rank}.state.pt", weights_only=True) for rank in range(2)]
    both = list(zip(*map(weights, states), strict=True))
    assert len(both) > 100
    assert all(torch.equal(one, other) for one, other in both)  # they stay one training
    assert states[0]["step"] == 2


def _free_port() -> int:
    import socket

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def test_networks_learn_from_spread_hints() -> None:
    seeing = trainer(network=replace(small(), spread_hints=True))
    reads_map = next(v for v in seeing.vae.generator.parameters() if v.shape[1:2] == (9,))
    before = reads_map.detach().clone()
    sample = batch(0)
    sample["spread"] = torch.cat([sample["color"], torch.full((4, 1, 64, 64), 200).byte()], 1)
    values = seeing.step(sample)
    assert all(torch.isfinite(value) for value in values.values())
    changed = (reads_map - before).abs().amax(dim=(0, 2, 3))
    assert (changed > 0).all()


def test_without_adversary_there_is_no_discriminator_in_the_step() -> None:
    training = trainer(adversarial=0, l1=1)
    before = [weight.clone() for weight in training.discriminator.parameters()]
    assert set(training.step(batch(0))) == {"kld", "l1", "gradient_g"}
    after = list(training.discriminator.parameters())
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_the_adversary_begins_after_its_share_of_the_steps() -> None:
    training = trainer(adversarial_start=0.2, l1=1)
    names = [set(training.step(batch(number))) for number in range(4)]
    assert ["hinge_d" in each for each in names] == [False, False, True, True]  # of ten
    assert all({"l1", "kld"} < each for each in names)


def test_weight_of_the_adversary_scales_its_part_of_the_loss() -> None:
    """With nothing else, Adam takes the same first step whatever the scale; beside L1, another."""
    one, ten = trainer(l1=10), trainer(l1=10, adversarial=10)
    for each in (one, ten):
        each.step(batch(0))
    pairs = zip(one.vae.parameters(), ten.vae.parameters(), strict=True)
    assert not all(torch.equal(a, b) for a, b in pairs)


def test_networks_that_copy_hints_learn_from_them() -> None:
    copying = trainer(network=replace(small(), spread_hints=True, copy_hints=True), l1=1)
    sample = batch(0)
    sample["spread"] = torch.cat([sample["color"], torch.full((4, 1, 64, 64), 200).byte()], 1)
    losses = [float(copying.step(sample)["l1"]) for _ in range(6)]
    assert losses[-1] < losses[0]
