"""Which drawings an export has of each picture, and their names in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipeline.export.formats import FORMATS
from pipeline.export.options import ExportOptions
from pipeline.pack.pack import ShardPaths
from sketch_models.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Drawings:
    """The chosen drawings.

    Attributes:
        names: their names in the export, by names as in packed files, such as `line/original`.
        lines: suffixes of the variants of line art to open.
        sketches: suffixes of the variants of sketches to open.
    """

    names: Mapping[str, str]
    lines: tuple[str, ...]
    sketches: tuple[str, ...]

    def paths(self, shard: ShardPaths) -> ShardPaths:
        """Return the files of a shard without those that are not needed."""
        return replace(
            shard,
            lines={suffix: shard.lines[suffix] for suffix in self.lines},
            sketches={suffix: shard.sketches[suffix] for suffix in self.sketches},
        )


def choose_drawings(
    lines: Iterable[str], sketches: Iterable[str], options: ExportOptions
) -> Drawings:
    """Return the drawings that the options ask for.

    Args:
        lines: suffixes of the variants of line art that are made: `""`, or such as `_tracer_512`.
        sketches: suffixes of the variants of sketches: `""`, or such as `_tracer`.
        options: styles and variant.

    Raises:
        ConfigError: if there is no such variant, or the format has room for one drawing only.
    """
    made = list(lines)
    chosen = _variants(made, options)
    of_sketches = [suffix for suffix in sketches if any(line.startswith(suffix) for line in chosen)]
    groups = {
        "line": [style + suffix for suffix in chosen for style in options.lines],
        "sketch": [style + suffix for suffix in of_sketches for style in options.sketches],
    }
    only = FORMATS[options.format].only_map
    if only and sum(map(len, groups.values())) > 1:
        raise ConfigError(
            f"[export] variant is not set: format = {options.format} has one drawing per picture, "
            f"and there are the variants {', '.join(suffix[1:] for suffix in made)}. Choose one."
        )
    names = {
        f"{group}/{map_name}": only or (group if len(maps) == 1 else f"{group}_{map_name}")
        for group, maps in groups.items()
        for map_name in maps
    }
    return Drawings(
        names=names,
        lines=tuple(chosen) if options.lines else (),
        sketches=tuple(of_sketches) if options.sketches else (),
    )


def _variants(made: list[str], options: ExportOptions) -> list[str]:
    if not options.variant:
        return made
    if f"_{options.variant}" not in made:
        known = ", ".join(suffix[1:] for suffix in made if suffix)
        advice = f"one of {known}" if known else "nothing: there is one variant only"
        raise ConfigError(f"[export] variant = {options.variant}: expected {advice}.")
    return [f"_{options.variant}"]
