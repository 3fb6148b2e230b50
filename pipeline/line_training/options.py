"""The options of the training of `tracer` and `inker`; this module loads no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

from sketch_models.option import Options, option, settings_of

NETWORKS = ("tracer", "inker")
_SHUFFLE = 2  # side of the squares of pixels that are channels of the first layer


@dataclass(frozen=True, kw_only=True)
class LineOptions(Options, section="lines"):
    """The training of tracer and inker."""

    images: int = option(400_000, "images to train on, in all views of the pages", at_least=1)
    batch_size: int = option(12, "images per step", at_least=1)
    views: int = option(
        2,
        "images made of one page, by mirroring and quarter turns: drawing it takes longest",
        at_least=1,
        at_most=8,
    )
    size: int = option(
        256, "side of the pages, in pixels", at_least=64, at_most=2048, unit="pixels"
    )
    tracer_widths: tuple[int, ...] = option(
        (24, 48, 96, 128, 160),
        "channels of the tracer at each scale, from half the resolution down",
        at_least=1,
        not_empty=True,
    )
    inker_widths: tuple[int, ...] = option(
        (16, 32, 64, 96, 128),
        "channels of the inker at each scale, from half the resolution down",
        at_least=1,
        not_empty=True,
    )
    tracer_context: int = option(
        2,
        "blocks at the tracer's deepest scale that look farther, with dilations of 1, 2 and so on",
        at_least=0,
        at_most=8,
    )
    inker_context: int = option(2, "the same of the inker", at_least=0, at_most=8)
    tracer_initial_weights: str = option(
        "",
        "weights to start the tracer from: shipped, or the path of a file; none if empty",
        affects_result=False,  # their digest does
    )
    inker_initial_weights: str = option(
        "",
        "weights to start the inker from: shipped, or the path of a file; none if empty",
        affects_result=False,
    )
    inker_tracer_weights: str = option(
        "shipped",
        "weights of the tracer that makes a fifth of the sketches that the inker learns from: "
        "shipped, or the path of a file; no sketch if empty",
        affects_result=False,
    )
    tracer_gamma: float = option(
        1.0, "exponent that turns the tracer's probabilities into ink", above=0, at_most=10
    )
    lr: float = option(2e-3, "highest learning rate", above=0)
    warmup: float = option(
        0.02,
        "share of the steps in which the learning rate rises; a cosine to 0 follows",
        at_least=0,
        below=1,
    )
    weight_decay: float = option(0.01, "decay of the weights, as in AdamW", at_least=0)
    max_gradient: float = option(1.0, "norm that longer gradients are shortened to", above=0)
    ema_decay: float = option(
        0.999,
        "decay per step of the moving average of the network; the average is what is saved",
        at_least=0,
        below=1,
    )
    dice: float = option(1.0, "weight of the Dice loss; that of cross entropy is 1", at_least=0)
    validation: str = option(
        "",
        "folder of NAME.color.png (for the inker NAME.sketch.png) and NAME.lines.png, drawn "
        "elsewhere, that the best weights are chosen by; the last weights if empty",
        affects_result=False,  # its digest does
    )
    validation_pages: int = option(
        48, "pages of the artbook, not trained on, that metrics are computed from", at_least=1
    )
    evaluate_every: int = option(10_000, "images between two evaluations", at_least=1)
    num_workers: int = option(2, "processes that draw pages", affects_result=False, at_least=0)
    log_every: int = option(
        1000, "images between two lines of the training's log", affects_result=False, at_least=1
    )
    sample_every: int = option(
        20_000, "images between two sample sheets", affects_result=False, at_least=1
    )
    checkpoint_every: int = option(
        10_000,
        "images between two checkpoints; the first comes after a minute at the latest, each other "
        "one after ten",
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

    def __post_init__(self) -> None:
        """Check every value, and that the networks can work on pages of this size."""
        super().__post_init__()
        for network in NETWORKS:
            widths = self.widths(network)
            multiple = _SHUFFLE * 2 ** (len(widths) - 1)
            expected = f"a multiple of {multiple}, as {network}_widths has {len(widths)} scales"
            self.require(self.size % multiple == 0, "size", expected)
        whole = self.batch_size % self.views == 0
        self.require(whole, "batch_size", f"a multiple of views, which is {self.views}")

    def widths(self, network: str) -> tuple[int, ...]:
        """Return the channels of a network at each scale."""
        widths: tuple[int, ...] = getattr(self, f"{network}_widths")
        return widths

    def context(self, network: str) -> int:
        """Return the number of context blocks of a network."""
        return int(getattr(self, f"{network}_context"))

    def initial_weights(self, network: str) -> str:
        """Return what a network starts from: the name or path of weights, or nothing."""
        return str(getattr(self, f"{network}_initial_weights"))

    def sketches_by(self, network: str) -> str:
        """Return the weights of the tracer that makes sketches for a network, or nothing."""
        return self.inker_tracer_weights if network == "inker" else ""

    def settings(self, network: str) -> dict[str, object]:
        """Return the options that change the result of one network's training, as plain data."""
        others = tuple(f"{name}_" for name in NETWORKS if name != network)
        return {
            key: value for key, value in settings_of(self).items() if not key.startswith(others)
        }
