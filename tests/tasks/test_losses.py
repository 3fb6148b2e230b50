"""What was lost on the way."""

from pathlib import Path

from pipeline.manifest import Manifest
from tasks.losses import biggest_loss, losses_of


def manifest(kept: int, **dropped: int) -> Manifest:
    return Manifest(fingerprint="", inputs={}, content="", kept=kept, dropped=dropped)


def test_losses_are_summed_over_shards() -> None:
    parts = [
        (manifest(5, broken=2, private_address=1), Path("a")),
        (manifest(1, private_address=9), Path("b")),
        (manifest(0, broken=3), Path("c")),
    ]
    losses = losses_of("download", "pictures", parts)
    assert [(loss.code, loss.count, loss.total, loss.table) for loss in losses] == [
        ("broken", 5, 21, Path("c")),
        ("private_address", 10, 21, Path("b")),
    ]
    assert str(biggest_loss(losses)) == (
        "The biggest loss: download dropped 10 of 21 pictures as private_address: the host is on "
        "the loopback, in a private network, link-local, a cloud's metadata service or of another "
        "special purpose. b lists them. If this is a booru of your own, set [download] "
        "allow_private = true."
    )


def test_nothing_lost_is_no_loss() -> None:
    assert biggest_loss(losses_of("download", "pictures", [(manifest(5), Path("a"))])) is None
    assert biggest_loss([]) is None
