"""The options of the colorizer; this module loads no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

from sketch_models.errors import ConfigError
from sketch_models.option import Options, option

GENERATORS = ("netl_spade", "spade")


@dataclass(frozen=True, kw_only=True)
class NetworkOptions(Options, section="colorizer"):
    """The networks of the colorizer."""

    generator: str = option(
        "netl_spade", "netl_spade, the paper's, or spade, its baseline", choices=GENERATORS
    )
    width: int = option(64, "channels of the generator's last block; nf in the paper", at_least=1)
    map_width: int = option(64, "channels of the maps that guide netL-SPADE", at_least=1)
    hidden: int = option(
        128, "channels between a map and the scale and shift made from it", at_least=1
    )
    latent_dim: int = option(
        256,
        "dimensions of the latent code z",
        at_least=1,
        renamed_from="latent",
    )
    encoder_width: int = option(64, "channels of the encoder's first layer", at_least=1)
    discriminator_width: int = option(64, "channels of the discriminator's first layer", at_least=1)
    spread_hints: bool = option(
        False,
        "show the networks, besides the hints, their colours spread over the areas that lines "
        "bound; the paper does not",
    )
    copy_hints: bool = option(
        False,
        "let the generator choose at every pixel how much of the spread hints' colour shows; "
        "needs spread_hints",
    )
    copy_beyond_lines: bool = option(
        True,
        "let copied colours show in areas without a hint, too, next to those that have one; false: "
        "only in areas with a hint, and on lines",
    )
    even_areas: bool = option(
        False,
        "give each area without a hint, in results, the mean of the colours that the generator "
        "paints there, but for strong details: no smudges, but no soft shading either",
    )
    z_everywhere: bool = option(
        False,
        "let z change what guides every block, not only what the first block starts from; in the "
        "paper it does not",
    )
    norm: str = option(
        "batch",
        "normalisation: batch, as in the paper (in the encoder, of each channel by itself); group, "
        "of groups of channels of single pictures",
        choices=("batch", "group"),
    )
    init_gain: float = option(
        0.02,
        "gain of Xavier's initialisation; with 1 a short training gets much better",
        above=0,
    )

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        copies = self.spread_hints or not self.copy_hints
        self.require(copies, "copy_hints", "false, as [colorizer] spread_hints is")

    @property
    def map_channels(self) -> int:
        """Channels of the map that the networks see: line 1, hint 3, mask 1, spread hints 4."""
        return 9 if self.spread_hints else 5


@dataclass(frozen=True, kw_only=True)
class LossOptions(Options, section="losses"):
    """The weights of the losses."""

    adversarial: float = option(
        1.0,
        "weight of the hinge loss; 0 trains without a discriminator, and without feature matching",
        at_least=0,
    )
    adversarial_start: float = option(
        0.0,
        "share of the steps that come before the discriminator and its losses",
        at_least=0,
        at_most=1,
    )
    feature_matching: float = option(
        10.0,
        "weight of the feature matching loss",
        at_least=0,
        renamed_from="features",
    )
    perceptual: float = option(10.0, "weight of the perceptual loss; 0 for none", at_least=0)
    kld: float = option(
        0.4,
        "weight of the KL divergence per picture; SPADE's 0.05 at 8 pictures per GPU",
        at_least=0,
    )
    l1: float = option(0.0, "weight of the mean absolute difference of colours", at_least=0)
    l2: float = option(0.0, "weight of the mean squared difference of colours", at_least=0)
    perceptual_weights: str = option(
        "resnet50",
        "resnet18, resnet34, resnet50 of danbooru-pretrained, or the path of a file",
        affects_result=False,  # their digest does
    )
    perceptual_stem: str = option(
        "relu",
        "first features that the perceptual loss compares: relu, behind the first convolution; or "
        "pool, behind the pooling after it, as the paper's code does",
        choices=("relu", "pool"),
    )
    missing_weights: str = option(
        "skip",
        "if the weights of the perceptual loss are missing: skip that loss, or error",
        choices=("skip", "error"),
        renamed_from="without_weights",
        renamed_choices={"continue": "skip", "refuse": "error"},
    )

    def __post_init__(self) -> None:
        """Check every value, and that steps without a discriminator have something to learn."""
        super().__post_init__()
        compares = self.l1 > 0 or self.l2 > 0
        needs = "0, as there is neither [losses] l1 nor l2"
        self.require(compares or self.adversarial > 0, "adversarial", f"more than {needs}")
        self.require(compares or self.adversarial_start == 0, "adversarial_start", needs)


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Options, section="train"):
    """The training of the colorizer."""

    lines: tuple[str, ...] = option(
        (), "line variants to train on, such as pured; all of the file's if empty"
    )
    initial_weights: str = option(
        "",
        "colorizer to start from: a colorizer.safetensors that TrainColorizer wrote, or its "
        "folder; none if empty",
        affects_result=False,  # its digest does
    )
    epochs: float = option(50.0, "passes over the training pictures", above=0)
    batch_size: int = option(32, "pictures per step, over all processes", at_least=1)
    zero_z: float = option(
        0.0,
        "share of the pictures that are trained with z = 0 instead of their own z, so that z = 0 "
        "gives the likeliest colours; the paper has none",
        at_least=0,
        at_most=1,
    )
    generator_lr: float = option(
        1e-4,
        "highest learning rate of the generator and the encoder",
        above=0,
        renamed_from="generator_rate",
    )
    discriminator_lr: float = option(
        4e-4,
        "highest learning rate of the discriminator",
        above=0,
        renamed_from="discriminator_rate",
    )
    warmup: float = option(
        0.02,
        "share of the steps in which the learning rates rise; a cosine to 0 follows",
        at_least=0,
        below=1,
        renamed_from="warm_up",
    )
    ema_decay: float = option(
        0.999,
        "decay per step of the moving average of the generator; the average is what is saved",
        at_least=0,
        below=1,
        renamed_from="ema",
    )
    processes: int = option(
        0, "training processes of one GPU each; 0 for one per GPU", affects_result=False, at_least=0
    )
    num_workers: int = option(
        2,
        "processes that load pictures",
        affects_result=False,
        at_least=0,
        renamed_from="loader_workers",
    )
    log_every: int = option(
        500, "pictures between two lines of the training's log", affects_result=False, at_least=1
    )
    sample_every: int = option(
        20_000, "pictures between two sample grids", affects_result=False, at_least=1
    )
    checkpoint_every: int = option(
        50_000,
        "pictures between two checkpoints; the first comes after a minute at the latest, each "
        "other one after ten",
        affects_result=False,
        at_least=1,
    )
    keep_checkpoints: int = option(
        2,
        "newest checkpoints to keep; training resumes from the last one",
        affects_result=False,
        at_least=1,
    )
    tensorboard: bool = option(True, "write logs for TensorBoard", affects_result=False)
    shrink_batch: bool = option(
        False, "train with the largest batch that fits if batch_size does not"
    )


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(Options, section="evaluate"):
    """The evaluation of colorizers."""

    generators: tuple[str, ...] = option(
        GENERATORS,
        "generators to train and compare: netl_spade, spade",
        choices=GENERATORS,
        not_empty=True,
    )
    line: str = option("", "line variant to colorize, such as pured; the file's first if empty")
    hint_counts: tuple[int, ...] = option(
        (0, 1, 5, 10, 50),
        "numbers of hint patches to evaluate with",
        at_least=0,
        not_empty=True,
        renamed_from="hints",
    )
    max_pictures: int = option(
        0,
        "test pictures to evaluate on; 0 for all",
        at_least=0,
        renamed_from="pictures",
    )
    hint_auc_pictures: int = option(
        20, "first test pictures that Hint-AUC is computed from; 0 for none", at_least=0
    )
    diversity_samples: int = option(
        8,
        "random z per picture that diversity is computed from",
        at_least=2,
        renamed_from="shifts",
    )
    batch_size: int = option(
        16, "pictures colorized at once in an evaluation", affects_result=False, at_least=1
    )
    inception_weights: str = option(
        "",
        "path of pt_inception-2015-12-05-6726825d.pth, to compute the FID",
        affects_result=False,  # their digests do
    )
    lpips_weights: str = option(
        "", "path of alex.pth of lpips 0.1, to compute LPIPS", affects_result=False
    )
    alexnet_weights: str = option(
        "", "path of alexnet-owt-7be5be79.pth, which LPIPS needs too", affects_result=False
    )

    def __post_init__(self) -> None:
        """Check every value, and that LPIPS has both of its files or none."""
        super().__post_init__()
        for name, other in (("lpips", "alexnet"), ("alexnet", "lpips")):
            missing = getattr(self, f"{other}_weights") and not getattr(self, f"{name}_weights")
            expected = f"a path, as [evaluate] {other}_weights is given and LPIPS takes both"
            self.require(not missing, f"{name}_weights", expected)

    def weight_files(self) -> dict[str, str]:
        """Return the paths of the weights that are set, by key."""
        names = ("inception_weights", "lpips_weights", "alexnet_weights")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


def require_size(size: int) -> None:
    """Raise ConfigError unless the networks can work on pictures of `size` x `size` pixels."""
    if not 64 <= size <= 512 or size % 32:
        raise ConfigError(
            f"[pack] size = {size}: expected a multiple of 32 from 64 to 512 to train a colorizer "
            "on."
        )


@dataclass(frozen=True, kw_only=True)
class AugmentOptions(Options, section="augment"):
    """The augmentation of training pictures."""

    flip: bool = option(True, "mirror every other training picture")
    hue: float = option(
        0.1, "hues turn by up to this share of the colour circle", at_least=0, at_most=0.5
    )
    saturation: float = option(
        0.1, "saturation is multiplied by 1 - this to 1 + this", at_least=0, at_most=1
    )
    brightness: float = option(
        0.1,
        "dark tones are multiplied by 1 - this to 1 + this; white stays",
        at_least=0,
        at_most=1,
    )
