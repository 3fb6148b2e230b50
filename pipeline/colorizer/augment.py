"""Options of augmentation."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.option import option


@dataclass(frozen=True, kw_only=True)
class AugmentOptions:
    """How training pictures are varied: the section `[augment]`."""

    flip: bool = option(True, "mirror every other picture")
