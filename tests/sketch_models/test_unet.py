"""The U-Net: sizes, folding, widths, and how far it sees."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.harness.line_networks import TINY, random_unet
from sketch_models.unet import SHUFFLE, Unet, build_network, folded_state

WIDTHS = [(4,), (4, 6), TINY, (3, 4, 5, 6)]


def trained(channels: int, widths: tuple[int, ...], context: int = 0) -> Unet:
    """Return a network whose normalization has seen pictures, and has weights of its own."""
    torch.manual_seed(len(widths))
    network = Unet(channels, widths, context=context, normalize=True)
    for block in network.context:
        torch.nn.init.normal_(block.mix.weight, std=0.3)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 0.01  # so that it counts
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.3)
    for _ in range(4):
        network(torch.rand(2, channels, 32, 48))
    return network.eval()


@pytest.mark.parametrize("context", [0, 2])
@pytest.mark.parametrize("widths", WIDTHS)
@torch.no_grad()
def test_folding_the_normalization_changes_nothing(widths: tuple[int, ...], context: int) -> None:
    network = trained(2, widths, context)
    state = folded_state(network)
    folded = build_network(state).eval()
    assert not [name for name, module in folded.named_modules() if "BatchNorm" in str(type(module))]
    pictures = torch.rand(2, 2, 32, 64)
    expected = network(pictures)
    assert expected.std() > 1e-3
    torch.testing.assert_close(folded(pictures), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_folded_weights_do_not_change_with_the_network() -> None:
    network = trained(2, TINY)
    state = folded_state(network)
    before = {name: tensor.clone() for name, tensor in state.items()}
    for parameter in network.parameters():
        parameter.add_(1)
    for name, tensor in state.items():
        torch.testing.assert_close(tensor, before[name], atol=0, rtol=0)


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("widths", WIDTHS)
def test_widths_and_channels_are_those_of_the_weights(
    channels: int, widths: tuple[int, ...]
) -> None:
    original = Unet(channels, widths)
    network = build_network({name: value.half() for name, value in folded_state(original).items()})
    assert network.widths == widths
    assert network.first[0].in_channels == channels * SHUFFLE**2
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert {parameter.device.type for parameter in network.parameters()} == {"cpu"}
    assert network.state_dict().keys() == original.state_dict().keys()


@torch.no_grad()
def test_context_that_weights_do_not_have_changes_nothing_before_it_is_trained() -> None:
    network = trained(2, TINY, context=1)
    state = folded_state(network)
    pictures = torch.rand(2, 2, 32, 64)
    expected = network(pictures)
    for context, blocks in ((0, 1), (1, 1), (3, 3)):
        again = build_network(state, context=context)
        assert len(again.context) == blocks
        torch.testing.assert_close(again(pictures), expected, atol=1e-5, rtol=1e-5)
    again.context[2].mix.weight.fill_(1.0)
    assert (again(pictures) - expected).abs().max() > 1e-3


def test_foreign_weights_are_refused() -> None:
    state = folded_state(Unet(2, TINY, context=1))
    with pytest.raises(RuntimeError, match="context.0.look.weight"):
        build_network({key: value for key, value in state.items() if "look.weight" not in key})
    with pytest.raises(RuntimeError, match="last.bias"):
        build_network({name: value for name, value in state.items() if name != "last.bias"})
    with pytest.raises(RuntimeError, match="extra"):
        build_network({**state, "extra": torch.zeros(1)})


@settings(max_examples=20)
@given(
    widths=st.sampled_from(WIDTHS),
    context=st.integers(0, 3),
    rows=st.integers(1, 4),
    columns=st.integers(1, 4),
    count=st.integers(1, 3),
)
@torch.no_grad()
def test_every_multiple_has_one_logit_per_pixel(
    widths: tuple[int, ...], context: int, rows: int, columns: int, count: int
) -> None:
    network = Unet(2, widths, context=context)
    assert network.multiple == 2 ** len(widths)
    height, width = rows * network.multiple, columns * network.multiple
    logits = network(torch.rand(count, 2, height, width))
    assert logits.shape == (count, 1, height, width)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(("height", "width"), [(12, 16), (16, 20), (9, 16), (17, 17)])
def test_other_sizes_are_refused(height: int, width: int) -> None:
    with pytest.raises(RuntimeError):
        random_unet("tracer")(torch.rand(1, 4, height, width))


@pytest.mark.parametrize(("widths", "context"), [*((each, 0) for each in WIDTHS[:3]), (TINY, 2)])
def test_no_pixel_beyond_the_margin_changes_an_output(
    widths: tuple[int, ...], context: int
) -> None:
    network = Unet(1, widths, context=context).double()
    for parameter in network.parameters():  # so that no change is lost, and none cancels another
        torch.nn.init.uniform_(parameter, 0.01, 0.1)
    side = -(-(2 * network.margin + 3 * network.multiple) // network.multiple) * network.multiple
    reach = 0
    for shift in range(network.multiple):  # the place within a square counts
        at = side // 2 + shift
        picture = torch.rand(1, 1, side, side, dtype=torch.double, requires_grad=True)
        network(picture)[0, 0, at, at].backward()
        assert picture.grad is not None
        rows, columns = torch.nonzero(picture.grad[0, 0], as_tuple=True)
        reach = max(reach, *(int((place - at).abs().max()) for place in (rows, columns)))
    assert reach <= network.margin
    assert reach > network.margin / 3  # and it is no boundless promise


@torch.no_grad()
def test_pictures_do_not_change_one_another() -> None:
    network = trained(2, TINY)
    pictures = torch.rand(3, 2, 16, 24)
    together = network(pictures)
    for index in range(3):
        alone = network(pictures[index : index + 1])
        torch.testing.assert_close(alone, together[index : index + 1], atol=1e-6, rtol=1e-5)
