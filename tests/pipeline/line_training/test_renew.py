"""Weights to train further: the same results, with normalization, and without dead units."""

import pytest
import torch

from pipeline.line_training.renew import renew
from sketch_models.unet import ContextBlock, Unet, build_network, folded_state

WIDTHS = [(6,), (4, 6), (4, 6, 8), (3, 4, 5, 6)]
PICTURES = torch.rand(3, 2, 64, 64, generator=torch.Generator().manual_seed(0))


def trained(widths: tuple[int, ...], context: int = 0) -> Unet:
    """Return a network as it is read from a file, whose units all respond to something."""
    torch.manual_seed(1)
    network = Unet(2, widths, context=context)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(".0.bias"):
                parameter.fill_(0.3)
    return network.requires_grad_(False)


def kill(network: Unet, *layers: str) -> None:
    """Turn the first two units of some layers off for every picture."""
    for name in layers:
        network.get_submodule(name).get_parameter("0.bias")[:2] = -100


def responding(network: Unet, name: str) -> torch.Tensor:
    """Return which units of a layer respond to the pictures."""
    seen = []
    hook = network.get_submodule(name).register_forward_hook(lambda *args: seen.append(args[2]))
    network(PICTURES)
    hook.remove()
    return (seen[0] > 0).any(dim=3).any(dim=2).any(dim=0)


@pytest.mark.parametrize("context", [0, 2])
@pytest.mark.parametrize("widths", WIDTHS)
def test_the_network_computes_the_same_with_normalization(
    widths: tuple[int, ...], context: int
) -> None:
    folded = trained(widths, context)
    network = renew(folded, PICTURES)
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    expected = folded(PICTURES)
    assert expected.std() > 0.01
    with torch.no_grad():
        torch.testing.assert_close(network.train()(PICTURES), expected, atol=1e-4, rtol=1e-3)
        again = build_network(folded_state(renew(folded, PICTURES).eval()))
        other = torch.rand(1, 2, 32, 48)
        torch.testing.assert_close(again(other), folded(other), atol=1e-4, rtol=1e-3)


LAYERS = ("first", "down.0.0", "down.0.1", "down.1.0", "down.1.1", "up.1.0", "up.1.1", "up.0.0")


@pytest.mark.parametrize("context", [0, 1])
@pytest.mark.parametrize("layer", LAYERS)
def test_dead_units_start_anew_and_change_nothing_at_first(layer: str, context: int) -> None:
    folded = trained((4, 6, 8), context)
    kill(folded, layer)
    assert not responding(folded, layer)[:2].any()
    network = renew(folded, PICTURES)
    torch.testing.assert_close(network(PICTURES), folded(PICTURES), atol=1e-4, rtol=1e-3)
    assert responding(network, layer)[:2].all()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(2):  # at first only what takes their output learns
        optimizer.zero_grad()
        network(PICTURES).square().mean().backward()
        optimizer.step()
    gradient = network.get_submodule(layer).get_parameter("0.weight").grad
    assert gradient is not None
    assert gradient[:2].flatten(1).any(dim=1).all()


def test_a_scale_that_is_silent_speaks_again() -> None:
    folded = trained((4, 6, 8))
    folded.get_parameter("up.1.1.0.bias").fill_(-100)
    network = renew(folded, PICTURES)
    torch.testing.assert_close(network(PICTURES), folded(PICTURES), atol=1e-4, rtol=1e-3)
    assert responding(network, "up.1.1").all()


def test_the_deepest_layer_stays_if_its_context_was_trained() -> None:
    folded = trained((4, 6, 8), context=1)
    block = folded.context[0]
    assert isinstance(block, ContextBlock)
    torch.nn.init.normal_(block.mix.weight)
    kill(folded, "down.1.1")
    network = renew(folded, PICTURES)
    torch.testing.assert_close(network(PICTURES), folded(PICTURES), atol=1e-4, rtol=1e-3)
    assert not responding(network.eval(), "down.1.1")[:2].any()
