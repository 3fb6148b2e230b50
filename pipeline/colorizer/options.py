"""The options of the colorizer; nothing here loads PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.option import option, require

GENERATORS = ("netl_spade", "spade")
PRECISIONS = ("auto", "bf16", "fp32")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """The networks: the section `[colorizer]`."""

    generator: str = option("netl_spade", "netl_spade, the paper's, or spade, its baseline")
    width: int = option(64, "channels of the generator's last block; nf in the paper")
    map_width: int = option(64, "channels of the maps that netL-SPADE is guided by")
    hidden: int = option(128, "channels between a map and the scale and shift made from it")
    latent: int = option(256, "dimensions of z")
    encoder_width: int = option(64, "channels of the encoder's first layer")
    discriminator_width: int = option(64, "channels of the discriminator's first layer")

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        known = self.generator in GENERATORS
        require(known, "[colorizer] generator", self.generator, " or ".join(GENERATORS))
        counts = ("width", "map_width", "hidden", "latent", "encoder_width", "discriminator_width")
        for name in counts:
            value = getattr(self, name)
            require(value > 0, f"[colorizer] {name}", value, "a number above 0")


def require_size(size: int) -> None:
    """Raises OptionError unless the networks can work on pictures of `size` x `size`."""
    usable = 64 <= size <= 512 and size % 32 == 0
    require(usable, "[pack] size", size, "a multiple of 32 from 64 to 512 to train a colorizer on")
