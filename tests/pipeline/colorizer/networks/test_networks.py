"""Networks: the published sizes, shapes at every resolution, and the effect of the guides."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.colorizer import areas
from pipeline.colorizer.networks.discriminator import Discriminator
from pipeline.colorizer.networks.encoder import Encoder, reparameterize
from pipeline.colorizer.networks.generator import Generator, MapEncoder, MapResizer, join_map
from pipeline.colorizer.networks.layers import count_parameters
from pipeline.colorizer.options import NetworkOptions

SMALL = {"width": 2, "map_width": 4, "hidden": 4, "latent_dim": 8}
SMALL |= {"encoder_width": 4, "discriminator_width": 4}


def small(generator: str = "netl_spade") -> NetworkOptions:
    return NetworkOptions(generator=generator, **SMALL)


def on_meta(network: type[nn.Module], *arguments: object) -> nn.Module:
    """Return a network without memory for its weights."""
    with torch.device("meta"):
        return network(*arguments)


@pytest.mark.parametrize(
    ("generator", "count", "published"),
    [("netl_spade", 110_400_397, 110.4), ("spade", 108_915_139, 108.9)],
)
def test_generators_have_the_published_sizes(generator: str, count: int, published: float) -> None:
    network = on_meta(Generator, NetworkOptions(generator=generator), 256)
    assert count_parameters(network) == count
    assert round(count / 1e6, 1) == published


def test_encoder_and_discriminator_have_the_published_sizes() -> None:
    assert count_parameters(on_meta(Encoder, NetworkOptions(), 256)) == 10_465_408
    assert count_parameters(on_meta(Discriminator, NetworkOptions())) == 5_539_714


def test_narrow_generator_has_the_published_size() -> None:
    narrow = on_meta(Generator, NetworkOptions(width=16, map_width=16), 256)
    assert round(count_parameters(narrow) / 1e6, 1) == 15.0


@pytest.mark.parametrize("generator", ["netl_spade", "spade"])
@pytest.mark.parametrize("size", [64, 96, 256])
def test_generator_works_at_every_size(generator: str, size: int) -> None:
    network = Generator(small(generator), size).eval()
    with torch.inference_mode():
        pictures = network(torch.zeros(1, 5, size, size), torch.randn(1, 8))
    assert pictures.shape == (1, 3, size, size)
    assert pictures.abs().max() <= 1


def randomise(network: nn.Module) -> None:
    """Give a network weights that show in its output, and running statistics that are no norm."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
        for name, buffer in network.named_buffers():
            if "running" in name:
                buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))


def plain_conv(layer: nn.Conv2d, x: Tensor) -> Tensor:
    p = layer.kernel_size[0] // 2
    padded = functional.pad(x, (p, p, p, p), mode="reflect") if p else x
    return functional.conv2d(padded, layer.weight, layer.bias, layer.stride)


def plain_norm(norm: nn.Module, x: Tensor) -> Tensor:
    """The normalisations written out: by running statistics, or of groups of 8 channels."""
    if isinstance(norm, nn.Identity):
        return x
    if hasattr(norm, "running_mean"):
        mean, variance = norm.running_mean[:, None, None], norm.running_var[:, None, None]
        weight, bias = norm.weight, norm.bias
        x = (x - mean) / (variance + 1e-5).sqrt()
    else:
        groups = x.reshape(len(x), -1, next(n for n in (8, 4, 2, 1) if x.shape[1] % n == 0),
                           *x.shape[2:])  # fmt: skip
        variance, mean = torch.var_mean(groups, (2, 3, 4), correction=0, keepdim=True)
        weight, bias = norm.norm.weight, norm.norm.bias
        x = ((groups - mean) / (variance + 1e-5).sqrt()).view_as(x)
    return x if weight is None else x * weight[:, None, None] + bias[:, None, None]


def leaky(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.2 * x)


def plain_block(block: nn.Module, x: Tensor, guide: Tensor) -> Tensor:
    """SPADE's residual block, each of its layers computed where figure 4 of the paper has it."""

    def spade(norm: nn.Module, layer: nn.Module, x: Tensor) -> Tensor:
        read = nn.Conv2d(*layer.read_map.weight.shape[1::-1], 3)
        read.weight, read.bias = layer.read_map.weight, layer.read_map.bias
        gamma, beta = plain_conv(layer.gamma_beta, plain_conv(read, guide).relu()).chunk(2, 1)
        return plain_norm(norm, x) * (1 + gamma) + beta

    residual = plain_conv(block.conv_in, leaky(spade(block.norm_in, block.modulate_in, x)))
    modulated = spade(block.norm_middle, block.modulate_middle, residual)
    residual = plain_conv(block.conv_out, leaky(modulated))
    if block.shortcut:
        x = plain_conv(block.conv_shortcut, spade(block.norm_in, block.modulate_shortcut, x))
    return x + residual


def plain_generator(network: Generator, maps: Tensor, z: Tensor) -> Tensor:
    """netL-SPADE and SPADE as the papers draw them, up to tanh, with the weights of a network."""
    scales = {"head_0": 32, "middle_0": 16, "middle_1": 16}
    scales |= {"up_0": 8, "up_1": 4, "up_2": 2, "up_3": 1}
    if isinstance(network.guide, MapEncoder):
        guides, features = {}, maps
        for name, (norm, conv, _) in {"": network.guide.base, **network.guide.units}.items():
            guides[name] = features = leaky(plain_conv(conv, plain_norm(norm, features)))
    else:
        guides = {name: maps[:, :, ::scale, ::scale] for name, scale in scales.items()}
    side = maps.shape[-1] // 32
    x = (z @ network.from_latent.weight.T + network.from_latent.bias).view(len(z), -1, side, side)
    for name, scale in scales.items():
        if x.shape[-1] < maps.shape[-1] // scale:
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        x = plain_block(network.blocks[name], x, guides[name])
    return plain_conv(network.to_color, leaky(x))


@pytest.mark.parametrize("generator", ["netl_spade", "spade"])
@pytest.mark.parametrize("norm", ["batch", "group"])
def test_generator_is_the_one_of_the_papers(generator: str, norm: str) -> None:
    torch.manual_seed(0)
    options = replace(small(generator), norm=norm, init_gain=1.0, width=8)
    network = Generator(options, 64).eval()
    randomise(network)
    maps, z = torch.rand(2, 5, 64, 64) * 2 - 1, torch.randn(2, 8)
    with torch.inference_mode():
        network.to_color.weight.div_(plain_generator(network, maps, z).abs().max() / 2)
        pictures, expected = network(maps, z), plain_generator(network, maps, z).tanh()
    assert 0.9 < expected.abs().max() < 0.99  # no pixel saturates
    torch.testing.assert_close(pictures, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("size", [64, 96])
def test_encoder_is_the_one_of_spade(norm: str, size: int) -> None:
    torch.manual_seed(0)
    encoder = Encoder(replace(small(), norm=norm, init_gain=1.0), size).eval()
    randomise(encoder)
    color = torch.rand(2, 3, size, size) * 2 - 1
    with torch.inference_mode():
        x = color
        for conv, of_one, _ in zip(*[iter(encoder.layers)] * 3, strict=True):
            x = plain_conv(conv, x)
            if norm == "group":
                x = plain_norm(of_one, x)
            else:  # of every channel of every picture
                variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
                x = (x - mean) / (variance + 1e-5).sqrt()
            x = leaky(x)
        expected = [
            x.flatten(1) @ layer.weight.T + layer.bias
            for layer in (encoder.to_mean, encoder.to_log_variance)
        ]
        torch.testing.assert_close(list(encoder(color)), expected, rtol=1e-3, atol=1e-4)


def test_discriminator_is_two_patch_gans_at_full_and_half_size() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(replace(small(), init_gain=1.0)).eval()
    randomise(discriminator)
    maps, color = torch.rand(2, 5, 64, 64) * 2 - 1, torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        found = discriminator(maps, color)
        full = torch.cat([maps, color], 1)
        ones = functional.avg_pool2d(torch.ones_like(full), 3, 2, 1)  # 9 pixels, fewer at the rim
        half = functional.avg_pool2d(full, 3, 2, 1) / ones
        for scale, features, x in zip(discriminator.scales, found, (full, half), strict=True):
            for number, layer in enumerate(scale.layers):
                x = plain_conv(layer if number == 4 else layer[0], x)
                if number in (1, 2, 3):
                    variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
                    x = (x - mean) / (variance + 1e-5).sqrt()
                x = x if number == 4 else leaky(x)
                torch.testing.assert_close(features[number], x, rtol=1e-3, atol=1e-4)


def test_guides_have_the_scales_of_their_blocks() -> None:
    expected = {"head_0": 8, "middle_0": 16, "middle_1": 16}
    expected |= {"up_0": 32, "up_1": 64, "up_2": 128, "up_3": 256}
    maps = torch.zeros(1, 5, 256, 256)
    for guide, channels in [(MapResizer(), 5), (MapEncoder(5, 4), 4)]:
        shapes = {name: tuple(features.shape) for name, features in guide(maps).items()}
        assert shapes == {name: (1, channels, side, side) for name, side in expected.items()}


def test_thin_line_reaches_the_smallest_scale_of_netl_alone() -> None:
    """SPADE, which resizes by nearest neighbour, loses the line: the reason for the encoder."""
    blank = torch.ones(1, 5, 256, 256)
    thin = blank.clone()
    thin[:, 0, :, 131] = -1
    netl, spade = MapEncoder(5, 4).eval(), MapResizer()
    assert torch.equal(spade(thin)["head_0"], spade(blank)["head_0"])
    assert not torch.equal(netl(thin)["head_0"], netl(blank)["head_0"])


@pytest.mark.parametrize("gain", [0.02, 1.0])
def test_initial_weights_have_the_gain_of_the_options(gain: float) -> None:
    options = NetworkOptions(width=16, encoder_width=64, discriminator_width=64, init_gain=gain)
    for network in (Generator(options, 64), Encoder(options, 64), Discriminator(options)):
        large = [
            part
            for name, p in network.named_parameters()
            if p.ndim == 4 and p.numel() > 10_000
            for part in p.chunk(2 if "gamma_beta" in name else 1)
        ]
        assert large
        for weight in large:
            fans = (weight.shape[0] + weight.shape[1]) * weight[0, 0].numel()
            assert weight.std().item() == pytest.approx(gain * (2 / fans) ** 0.5, rel=0.05)


@pytest.mark.parametrize("generator", ["netl_spade", "spade"])
def test_line_hint_and_z_change_the_picture(generator: str) -> None:
    torch.manual_seed(0)
    network = Generator(small(generator), 64).eval()
    for weight in network.parameters():  # the initial weights are too small for a visible effect
        nn.init.normal_(weight, std=0.3)
    maps, z = torch.zeros(1, 5, 64, 64), torch.zeros(1, 8)
    first = network(maps, z)
    for channel in range(5):
        other = maps.clone()
        other[:, channel, 20:40, 20:40] = 1
        assert not torch.equal(first, network(other, z))
    assert not torch.equal(first, network(maps, z + 1))


def test_compiled_generator_has_the_same_output_and_gradients() -> None:
    """Trace with PyTorch's compiler, without generating code for a device."""
    torch.manual_seed(0)
    network = Generator(replace(small(), init_gain=1.0), 64)
    maps, z = torch.rand(2, 5, 64, 64), torch.randn(2, 8)
    results = []
    for generator in (network, copy.deepcopy(network)):
        forward = torch.compile(generator, backend="aot_eager") if results else generator
        pictures = forward(maps, z)
        pictures.square().mean().backward()
        results.append([pictures, *(weight.grad for weight in generator.parameters())])
    for eager, compiled in zip(*results, strict=True):
        torch.testing.assert_close(compiled, eager, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("size", "layers"), [(64, 4), (96, 5), (256, 6), (512, 7)])
def test_encoder_halves_to_four_by_four(size: int, layers: int) -> None:
    encoder = Encoder(small(), size)
    assert sum(isinstance(layer, nn.Conv2d) for layer in encoder.layers) == layers
    mean, log_variance = encoder(torch.zeros(2, 3, size, size))
    assert mean.shape == log_variance.shape == (2, 8)


def test_reparameterize_scales_and_shifts_the_noise() -> None:
    noise = torch.tensor([[1.0, -2.0]])
    z = reparameterize(torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 2 * 0.6931472]]), noise)
    torch.testing.assert_close(z, torch.tensor([[4.0, -4.0]]))


def test_discriminator_has_two_scales() -> None:
    features = Discriminator(small())(torch.zeros(2, 5, 64, 64), torch.zeros(2, 3, 64, 64))
    assert [len(scale) for scale in features] == [5, 5]
    assert [layer.shape[1] for layer in features[0]] == [4, 8, 16, 32, 1]
    assert features[0][0].shape[-1] == 33  # a kernel of 4 with padding 2
    assert features[1][0].shape[-1] == 17


def test_join_map_puts_line_hint_and_mask_in_order() -> None:
    line, hint, mask = torch.full((1, 1, 2, 2), 0.1), torch.rand(1, 3, 2, 2), torch.ones(1, 1, 2, 2)
    maps = join_map(line, hint, mask)
    assert torch.equal(maps[:, :1], line)
    assert torch.equal(maps[:, 1:4], hint)
    assert torch.equal(maps[:, 4:], mask)


def test_spread_hints_are_four_more_channels_of_the_map() -> None:
    plain, spread = small(), replace(small(), spread_hints=True)
    assert (plain.map_channels, spread.map_channels) == (5, 9)
    maps = join_map(*(torch.rand(2, count, 64, 64) for count in (1, 3, 1, 4)))
    assert maps.shape == (2, 9, 64, 64)
    for generator in ("netl_spade", "spade"):
        network = Generator(replace(spread, generator=generator), 64).eval()
        assert network(maps, torch.zeros(2, spread.latent_dim)).shape == (2, 3, 64, 64)
    assert Discriminator(spread)(maps, torch.zeros(2, 3, 64, 64))[0][0].shape[1] == 4


def test_copied_hints_are_as_opaque_as_the_gate_says() -> None:
    copying = replace(small(), spread_hints=True, copy_hints=True, norm="group", init_gain=1.0)
    network = Generator(copying, 64).eval()
    maps = torch.zeros(2, 9, 64, 64)
    maps[0, 4, 10:14, 10:14] = 1  # only the first has hints
    maps[:, 5:8] = torch.tensor([0.5, -0.25, 0.75])[:, None, None]
    z, results = torch.randn(2, 8), []
    with torch.inference_mode():
        for bias in (-1e4, 1e4):
            network.to_color.bias[3] = bias
            results.append(network(maps, z))
    closed, opened = results
    torch.testing.assert_close(opened[0], maps[0, 5:8])
    assert not torch.isclose(closed[0], maps[0, 5:8]).all()
    torch.testing.assert_close(closed[1], opened[1])  # without hints, nothing is copied
    assert opened.abs().max() <= 1


def test_hints_are_copied_into_areas_without_one_only_if_the_options_say_so() -> None:
    copying = replace(small(), spread_hints=True, copy_hints=True, norm="group", init_gain=1.0)
    maps = torch.zeros(1, 9, 64, 64)
    maps[:, 0] = 1  # paper
    maps[:, 0, :, 30:34] = (areas._INK - 1) / 127.5 - 1  # a line, as thin ones are
    maps[:, 0, :, 34] = areas._INK / 127.5 - 1
    maps[:, 4, 10:14, 10:14] = 1
    maps[:, 5:8] = torch.tensor([0.5, -0.25, 0.75])[:, None, None]
    maps[:, 8, :, :30] = 1 / 255  # the far end of the hinted area
    copied = {}
    for beyond in (True, False):
        network = Generator(replace(copying, copy_beyond_lines=beyond), 64).eval()
        with torch.inference_mode():
            network.to_color.bias[3] = 1e4
            result = network(maps, torch.zeros(1, 8))
            copied[beyond] = torch.isclose(result[0], maps[0, 5:8]).all(0)
            maps[:, 4] = 0
            without = network(maps, torch.zeros(1, 8))
            maps[:, 4, 10:14, 10:14] = 1
        assert not torch.isclose(without[0, :, :, 30:34], maps[0, 5:8, :, 30:34]).all()
    assert copied[True].all()
    assert copied[False][:, :34].all()
    assert not copied[False][:, 34:].any()


def test_group_norm_does_not_depend_on_the_batch() -> None:
    network = Generator(replace(small(), norm="group"), 64).train()
    maps, z = torch.randn(3, 5, 64, 64), torch.randn(3, 8)
    network(maps, z)
    with torch.no_grad():
        together = network(maps, z)
        alone = network.eval()(maps[:1], z[:1])
    torch.testing.assert_close(together[:1], alone, rtol=1e-3, atol=1e-3)
    assert not any("running" in name for name in network.state_dict())


def test_group_norm_keeps_the_colour_of_a_single_hint() -> None:
    torch.manual_seed(0)
    encoder = MapEncoder(9, 4, "group").eval()
    guides = []
    for grey in (-0.6, 0.8):
        maps = torch.ones(1, 9, 64, 64)
        maps[:, 4] = 0
        maps[:, 4, 20:22, 20:22] = 1
        maps[:, 5:8] = grey  # spread over everything
        with torch.inference_mode():
            guides.append(encoder(maps)["up_3"])
    # Another grey is another mixture of the encoder's channels, which no normalisation hides.
    difference = (guides[0] - guides[1]).abs().mean() / guides[0].abs().mean()
    assert difference > 0.1


def test_encoder_with_group_norm_sees_how_bright_a_picture_is() -> None:
    # Not flat: instance normalisation would blow up the rounding of a flat picture.
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) / 2
    dark, bright = picture - 0.8, picture + 0.4
    off = {}
    for norm in ("batch", "group"):
        torch.manual_seed(0)
        encoder = Encoder(replace(small(), norm=norm, init_gain=1.0), 64).eval()
        with torch.inference_mode():
            off[norm] = (encoder(dark)[0] - encoder(bright)[0]).abs().max().item()
    assert off["batch"] < 1e-3
    assert off["group"] > 0.05


@pytest.mark.parametrize("generator", ["netl_spade", "spade"])
@pytest.mark.parametrize("everywhere", [False, True])
def test_z_reaches_every_block_if_asked_for(generator: str, everywhere: bool) -> None:
    torch.manual_seed(0)
    options = replace(small(), generator=generator, z_everywhere=everywhere)
    network = Generator(options, 64).eval()
    with torch.no_grad():
        network.from_latent.weight.zero_()  # what the first block starts from is always the same
        colors: list[torch.Tensor] = []  # before tanh, which all of them saturate
        network.to_color.register_forward_hook(lambda *values: colors.append(values[2]))
        maps, z = torch.randn(1, 5, 64, 64), torch.randn(2, 1, 8)
        for each in z:
            network(maps, each)
    assert torch.equal(*colors) != everywhere
    assert (len(network.z_to_guide) > 0) == everywhere
