"""The options of the colorizer; nothing here loads PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

from sketch_models.option import option, require

GENERATORS = ("netl_spade", "spade")


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
    init_gain: float = option(
        0.02,
        "gain of Xavier's initialisation; with 1 a training of few steps gets much further",
    )

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        known = self.generator in GENERATORS
        require(known, "[colorizer] generator", self.generator, " or ".join(GENERATORS))
        counts = ("width", "map_width", "hidden", "latent", "encoder_width", "discriminator_width")
        for name in counts:
            value = getattr(self, name)
            require(value > 0, f"[colorizer] {name}", value, "a number above 0")
        gain = self.init_gain
        require(gain > 0, "[colorizer] init_gain", gain, "a number above 0")


@dataclass(frozen=True, kw_only=True)
class LossOptions:
    """The weights of the losses: the section `[losses]`."""

    features: float = option(10.0, "weight of feature matching")
    perceptual: float = option(10.0, "weight of the perceptual loss; 0 for none")
    kld: float = option(0.4, "weight of the KL divergence per picture; SPADE's 0.05 at 8 a GPU")
    l1: float = option(0.0, "weight of the mean absolute difference of colours")
    l2: float = option(0.0, "weight of the mean squared difference of colours")
    perceptual_weights: str = option(
        "resnet50",
        "resnet18, resnet34, resnet50 of danbooru-pretrained, or the path of a file",
        affects_result=False,  # their digest does
    )
    without_weights: str = option(
        "continue", "where these are not on this machine: continue without that loss, or refuse"
    )

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        for name in ("features", "perceptual", "kld", "l1", "l2"):
            value = getattr(self, name)
            require(value >= 0, f"[losses] {name}", value, "0 or more")
        known = self.without_weights in ("continue", "refuse")
        require(known, "[losses] without_weights", self.without_weights, "continue or refuse")


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """How the colorizer is trained: the section `[train]`."""

    lines: tuple[str, ...] = option((), "line variants to train on, such as pured; all if empty")
    epochs: float = option(50.0, "times that every picture is seen")
    batch_size: int = option(32, "pictures a step, over all processes")
    generator_rate: float = option(1e-4, "learning rate of generator and encoder, at its highest")
    discriminator_rate: float = option(4e-4, "that of the discriminator")
    warm_up: float = option(0.02, "share of the steps in which the rates rise; then a cosine to 0")
    ema: float = option(0.999, "decay a step of the generator's average, which is what is used")
    processes: int = option(0, "processes of one GPU each; 0 for one per GPU", affects_result=False)
    loader_workers: int = option(2, "processes that load pictures", affects_result=False)
    log_every: int = option(500, "pictures between two lines of metrics", affects_result=False)
    sample_every: int = option(20_000, "pictures between two sample grids", affects_result=False)
    checkpoint_every: int = option(50_000, "pictures between two checkpoints", affects_result=False)
    keep_checkpoints: int = option(2, "checkpoints that are kept", affects_result=False)
    tensorboard: bool = option(True, "write logs for TensorBoard", affects_result=False)
    shrink_batch: bool = option(
        False, "train with the largest batch that fits where batch_size does not"
    )

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        require(self.epochs > 0, "[train] epochs", self.epochs, "a number above 0")
        require(0 <= self.warm_up < 1, "[train] warm_up", self.warm_up, "a share from 0 below 1")
        require(0 <= self.ema < 1, "[train] ema", self.ema, "a share from 0 below 1")
        for name in ("generator_rate", "discriminator_rate"):
            value = getattr(self, name)
            require(value > 0, f"[train] {name}", value, "a number above 0")
        for name in ("batch_size", "log_every", "sample_every", "checkpoint_every"):
            value = getattr(self, name)
            require(value > 0, f"[train] {name}", value, "a number above 0")
        require(
            self.keep_checkpoints > 0,
            "[train] keep_checkpoints",
            self.keep_checkpoints,
            "1 or more: training continues from the last one",
        )
        for name in ("processes", "loader_workers"):
            value = getattr(self, name)
            require(value >= 0, f"[train] {name}", value, "0 or more")


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """How a colorizer is evaluated: the section `[evaluate]`."""

    generators: tuple[str, ...] = option(
        GENERATORS, "generators to train and compare: netl_spade, spade"
    )
    line: str = option("", "line variant to paint, such as pured; the file's first if empty")
    hints: tuple[int, ...] = option((0, 1, 5, 10, 50), "numbers of hint patches")
    pictures: int = option(0, "test pictures to measure on; 0 for all")
    shifts: int = option(8, "random z per picture that diversity is measured over")
    batch_size: int = option(16, "pictures painted at once", affects_result=False)
    inception_weights: str = option(
        "",
        "path of pt_inception-2015-12-05-6726825d.pth, to measure the FID",
        affects_result=False,  # their digests do
    )
    lpips_weights: str = option(
        "", "path of LPIPS's alex.pth of version 0.1, to measure it", affects_result=False
    )
    alexnet_weights: str = option(
        "", "path of alexnet-owt-7be5be79.pth, which LPIPS needs too", affects_result=False
    )

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        known = bool(self.generators) and set(self.generators) <= set(GENERATORS)
        names = " ".join(self.generators)
        require(known, "[evaluate] generators", names, " or ".join(GENERATORS) + ", or both")
        counts = " ".join(map(str, self.hints))
        usable = bool(self.hints) and min(self.hints) >= 0
        require(usable, "[evaluate] hints", counts, "numbers of patches, 0 or more")
        require(self.pictures >= 0, "[evaluate] pictures", self.pictures, "0 or more")
        require(self.shifts > 1, "[evaluate] shifts", self.shifts, "2 or more")
        require(self.batch_size > 0, "[evaluate] batch_size", self.batch_size, "1 or more")
        for name, other in (("lpips", "alexnet"), ("alexnet", "lpips")):
            missing = getattr(self, f"{other}_weights") and not getattr(self, f"{name}_weights")
            expected = f"a path, as [evaluate] {other}_weights is given and LPIPS takes both"
            require(not missing, f"[evaluate] {name}_weights", "nothing", expected)

    def weight_files(self) -> dict[str, str]:
        """The paths of weights that are given, by option."""
        names = ("inception_weights", "lpips_weights", "alexnet_weights")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


def require_size(size: int) -> None:
    """Raises OptionError unless the networks can work on pictures of `size` x `size`."""
    usable = 64 <= size <= 512 and size % 32 == 0
    require(usable, "[pack] size", size, "a multiple of 32 from 64 to 512 to train a colorizer on")


@dataclass(frozen=True, kw_only=True)
class AugmentOptions:
    """How training pictures are varied: the section `[augment]`."""

    flip: bool = option(True, "mirror every other picture")
    hue: float = option(0.1, "colours turn by up to this share of the colour circle")
    saturation: float = option(0.1, "saturation is multiplied by 1 - this to 1 + this")
    brightness: float = option(
        0.1, "dark tones are multiplied by 1 - this to 1 + this; white stays"
    )

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        for name, most in (("hue", 0.5), ("saturation", 1.0), ("brightness", 1.0)):
            value = getattr(self, name)
            require(0 <= value <= most, f"[augment] {name}", value, f"a number from 0 to {most}")
