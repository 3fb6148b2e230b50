"""netL-SPADE and its training step written the way that textbooks and papers describe them.

The baseline of `train_step.py`: a convolution of its own for every gamma and every beta,
everything normalised and read at the place of its use, PyTorch's reflection padding, float32, the
usual memory layout, and the generator run a second time for the discriminator's step.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from pipeline.colorizer.options import NetworkOptions
from pipeline.colorizer.training import losses
from pipeline.colorizer.training.training_sample import TrainingSample, normalize


def conv(
    in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1, *, bias: bool = True
) -> nn.Module:
    return nn.Conv2d(
        in_channels, out_channels, kernel, stride, kernel // 2, bias=bias, padding_mode="reflect"
    )


class Spade(nn.Module):
    def __init__(self, channels: int, map_channels: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.shared = nn.Sequential(conv(map_channels, hidden), nn.ReLU())
        self.gamma, self.beta = conv(hidden, channels), conv(hidden, channels)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        hidden = self.shared(guide)
        return self.norm(x) * (1 + self.gamma(hidden)) + self.beta(hidden)


class Block(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, options: NetworkOptions) -> None:
        super().__init__()
        middle = min(in_channels, out_channels)
        self.norm_0 = Spade(in_channels, options.map_width, options.hidden)
        self.norm_1 = Spade(middle, options.map_width, options.hidden)
        self.conv_0 = spectral_norm(conv(in_channels, middle))
        self.conv_1 = spectral_norm(conv(middle, out_channels))
        self.norm_s = self.conv_s = None
        if in_channels != out_channels:
            self.norm_s = Spade(in_channels, options.map_width, options.hidden)
            self.conv_s = spectral_norm(conv(in_channels, out_channels, 1, bias=False))

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        shortcut = x
        if self.norm_s is not None and self.conv_s is not None:
            shortcut = self.conv_s(self.norm_s(x, guide))
        x = self.conv_0(functional.leaky_relu(self.norm_0(x, guide), 0.2))
        x = self.conv_1(functional.leaky_relu(self.norm_1(x, guide), 0.2))
        return shortcut + x


class Generator(nn.Module):
    WIDTHS = (16, 16, 16, 8, 4, 2, 1)

    def __init__(self, options: NetworkOptions, size: int) -> None:
        super().__init__()
        self.side = size // 32
        self.start = nn.Linear(options.latent_dim, 16 * options.width * self.side**2)
        widths = [width * options.width for width in self.WIDTHS]
        in_channels = [widths[0], *widths[:-1]]
        self.blocks = nn.ModuleList(
            Block(a, b, options) for a, b in zip(in_channels, widths, strict=True)
        )
        channels = [5] + [options.map_width] * 7
        self.map_encoder = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(inside),
                conv(inside, options.map_width, stride=stride, bias=False),
                nn.LeakyReLU(0.2),
            )
            for inside, stride in zip(channels, (1, 1, 2, 2, 2, 2, 1), strict=False)
        )
        self.map_encoder.append(
            nn.Sequential(
                nn.BatchNorm2d(options.map_width),
                conv(options.map_width, options.map_width, stride=2, bias=False),
                nn.LeakyReLU(0.2),
            )
        )
        self.end = conv(options.width, 3)

    def forward(self, maps: Tensor, z: Tensor) -> Tensor:
        guides = []
        for unit in self.map_encoder:
            maps = unit(maps)
            guides.append(maps)
        x = self.start(z).view(len(z), -1, self.side, self.side)
        for block, guide in zip(self.blocks, reversed(guides[1:]), strict=True):
            if guide.shape[-1] > x.shape[-1]:
                x = functional.interpolate(x, scale_factor=2)
            x = block(x, guide)
        return torch.tanh(self.end(functional.leaky_relu(x, 0.2)))


class Encoder(nn.Module):
    def __init__(self, options: NetworkOptions, size: int) -> None:
        super().__init__()
        layers, in_channels, out_channels = [], 3, options.encoder_width
        while size > 4:
            layers += [
                spectral_norm(conv(in_channels, out_channels, stride=2)),
                nn.InstanceNorm2d(out_channels),
            ]
            layers += [nn.LeakyReLU(0.2)]
            in_channels, out_channels, size = (
                out_channels,
                min(2 * out_channels, 8 * options.encoder_width),
                size // 2,
            )
        self.layers = nn.Sequential(*layers)
        self.mean = nn.Linear(in_channels * size**2, options.latent_dim)
        self.log_variance = nn.Linear(in_channels * size**2, options.latent_dim)

    def forward(self, color: Tensor) -> tuple[Tensor, Tensor]:
        features = self.layers(color).flatten(1)
        return self.mean(features), self.log_variance(features)


class Discriminator(nn.Module):
    def __init__(self, options: NetworkOptions) -> None:
        super().__init__()
        self.scales = nn.ModuleList(self._scale(options.discriminator_width) for _ in range(2))

    @staticmethod
    def _scale(width: int) -> nn.ModuleList:
        layers = [nn.Sequential(conv(8, width, 4, 2), nn.LeakyReLU(0.2))]
        for in_channels, stride in ((width, 2), (2 * width, 2), (4 * width, 1)):
            convolution = spectral_norm(conv(in_channels, 2 * in_channels, 4, stride))
            norm = nn.InstanceNorm2d(2 * in_channels)
            layers.append(nn.Sequential(convolution, norm, nn.LeakyReLU(0.2)))
        return nn.ModuleList([*layers, conv(8 * width, 1, 4)])

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        features_by_scale = []
        for scale in self.scales:
            features, y = [], x
            for layer in scale.children():
                y = layer(y)
                features.append(y)
            features_by_scale.append(features)
            x = functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return features_by_scale


class Textbook:
    """Networks, optimizers and the two halves of a step."""

    def __init__(self, options: NetworkOptions, size: int, device: torch.device) -> None:
        self.device, self.latent = device, options.latent_dim
        self.generator = Generator(options, size).to(device)
        self.encoder = Encoder(options, size).to(device)
        self.discriminator = Discriminator(options).to(device)
        parameters = [*self.generator.parameters(), *self.encoder.parameters()]
        self.adam_g = torch.optim.Adam(parameters, 1e-4, (0.0, 0.9))
        self.adam_d = torch.optim.Adam(self.discriminator.parameters(), 4e-4, (0.0, 0.9))

    def step(self, batch: TrainingSample) -> None:
        inputs = normalize(batch, self.device)
        maps = torch.cat([inputs["line"], inputs["hint"], inputs["mask"]], 1)
        self._generator_step(maps, inputs["color"])
        self._discriminator_step(maps, inputs["color"])

    def _generate(self, maps: Tensor, color: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.encoder(color)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.generator(maps, z), mean, log_variance

    def _discriminate(
        self, maps: Tensor, fake: Tensor, real: Tensor
    ) -> tuple[losses.Features, losses.Features]:
        both = torch.cat([torch.cat([maps, fake], 1), torch.cat([maps, real], 1)])
        features = self.discriminator(both)
        of_fake = [[layer[: len(fake)] for layer in scale] for scale in features]
        return of_fake, [[layer[len(fake) :] for layer in scale] for scale in features]

    def _generator_step(self, maps: Tensor, color: Tensor) -> None:
        self.adam_g.zero_grad()
        fake, mean, log_variance = self._generate(maps, color)
        of_fake, of_real = self._discriminate(maps, fake, color)
        loss = losses.hinge_generator(of_fake) + 10 * losses.feature_matching(of_fake, of_real)
        (loss + 0.4 * losses.kl_divergence(mean, log_variance)).backward()
        self.adam_g.step()

    def _discriminator_step(self, maps: Tensor, color: Tensor) -> None:
        self.adam_d.zero_grad()
        with torch.no_grad():
            fake = self._generate(maps, color)[0]
        of_fake, of_real = self._discriminate(maps, fake, color)
        losses.hinge_discriminator(of_fake, of_real).backward()
        self.adam_d.step()
