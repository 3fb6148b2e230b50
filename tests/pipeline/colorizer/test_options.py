"""Options of the colorizer that fit together, and those that do not."""

import pytest

from pipeline.colorizer.options import LossOptions, NetworkOptions
from sketch_models.errors import ConfigError


def test_hints_that_are_copied_must_be_spread() -> None:
    assert NetworkOptions(spread_hints=True, copy_hints=True).map_channels == 9
    with pytest.raises(ConfigError, match=r"\[colorizer\] copy_hints = true: expected false, as"):
        NetworkOptions(copy_hints=True)


@pytest.mark.parametrize("changed", [{"adversarial": 0.0}, {"adversarial_start": 0.5}])
def test_steps_without_adversary_need_another_loss(changed: dict[str, float]) -> None:
    """The perceptual loss may be left out for want of weights."""
    for other in ("l1", "l2"):
        LossOptions(**{other: 1.0}, **changed)
    with pytest.raises(ConfigError, match=r"as there is neither \[losses\] l1 nor l2"):
        LossOptions(**changed)
