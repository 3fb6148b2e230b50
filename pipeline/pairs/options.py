"""The options of pictures that the artbook draws for the colorizer."""

from __future__ import annotations

from dataclasses import dataclass

from sketch_models.option import Options, option


@dataclass(frozen=True, kw_only=True)
class ArtbookOptions(Options, section="artbook"):
    """Pictures that are drawn to train the colorizer on, instead of downloaded ones."""

    pictures: int = option(
        0,
        "pictures to draw and to train the colorizer on; 0: train it on the dataset",
        at_least=0,
        at_most=10_000_000,
    )
    test_pictures: int = option(
        100,
        "pictures of each test set: the artbook's, and two of characters that no training draws; "
        "another number draws and trains again",
        at_least=1,
        at_most=100_000,
    )
    processes: int = option(
        0,
        "processes that draw; 0: one per core",
        affects_result=False,
        at_least=0,
        at_most=256,
    )
