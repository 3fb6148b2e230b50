"""The biggest loss on the way, for the message of a build in which too little is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from pipeline.collect.outcome import MEANINGS
from pipeline.manifest import Manifest
from pipeline.posts.metadata import REASONS

_METADATA = "metadata"  # the stage whose codes are those of rows, not of pictures
_OF_PICTURES = {
    **MEANINGS,
    "too_small": "a side is shorter than [screen] min_side",
    "bad_aspect": "it is longer than [screen] max_aspect allows",
    "blank": "it has nearly one colour, see [screen] blank",
    "line_art": "it is line art without colour, see [screen] line_art",
    "greyscale": "it has no colour, see [screen] greyscale",
    "no_lines": "no lines were found",
}
_CHECK_SOURCE = "Check that the source is the one you meant"
_REMEDIES = {
    "private_address": "If this is a booru of your own, set [download] allow_private = true",
    "wrong_host": "If you trust these hosts, name them in [download] hosts",
    "outside_folder": "Set [metadata] files to the folder that has them",
    "missing_file": "Set [metadata] files to the folder that has them",
    "robots_txt": "With the permission of the host, switch [download] robots_txt off",
}


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What one stage dropped for one reason.

    Attributes:
        stage: its name.
        unit: what it drops.
        code: of the outcomes.
        count: number of outcomes with this code.
        total: number of all outcomes of the stage.
        table: the file that lists them, or those of one shard.
    """

    stage: str
    unit: str
    code: str
    count: int
    total: int
    table: Path

    def __str__(self) -> str:
        """Return one sentence or two: what was lost, why, where it is listed, and what to do."""
        of_rows = self.stage == _METADATA
        meaning = (REASONS if of_rows else _OF_PICTURES).get(self.code)
        reason = f"{self.code}: {meaning}" if meaning else self.code
        remedy = _REMEDIES.get(self.code, _CHECK_SOURCE if of_rows else "")
        return (
            f"The biggest loss: {self.stage} dropped {self.count:,} of {self.total:,} {self.unit} "
            f"as {reason}. {self.table} lists them.{f' {remedy}.' if remedy else ''}"
        )


def losses_of(stage: str, unit: str, parts: Iterable[tuple[Manifest, Path]]) -> list[Loss]:
    """Return what a stage dropped, a loss for each code.

    Args:
        stage: its name.
        unit: what it drops.
        parts: the manifest of each task of the stage, and the table of its outcomes.
    """
    dropped: Counter[str] = Counter()
    total = 0
    tables: dict[str, tuple[int, Path]] = {}  # of each code: the table with most rows of it
    for manifest, table in parts:
        dropped.update(manifest.dropped)
        total += manifest.kept + sum(manifest.dropped.values())
        for code, count in manifest.dropped.items():
            tables[code] = max(tables.get(code, (0, table)), (count, table), key=itemgetter(0))
    return [
        Loss(stage=stage, unit=unit, code=code, count=count, total=total, table=tables[code][1])
        for code, count in dropped.items()
    ]


def biggest_loss(losses: Iterable[Loss]) -> Loss | None:
    """Return the loss of the largest count, the earliest of several; None if nothing was lost."""
    return max(losses, key=lambda loss: loss.count, default=None)
