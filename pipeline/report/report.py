"""The report on a build: counts of what was kept and dropped, reasons, and samples."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich import box
from rich.table import Table

from pipeline.collect.outcome import MEANINGS as DOWNLOAD_MEANINGS

MEANINGS = {
    **DOWNLOAD_MEANINGS,
    "http_404": "not found on the server",
    "http_410": "deleted from the server",
    "http_403": "the server refuses access",
    "http_429": "too many requests; retried on the next run",
    "http_503": "the server is overloaded; retried on the next run",
    "truncated": "the file ends too early",
    "broken": "the picture cannot be decoded",
    "too_large": "more pixels than Senga decodes",
    "field_count": "the row has more or fewer fields than the header",
    "duplicate_id": "an earlier row has the same id",
    "too_small": "a side below [screen] min_side",
    "bad_aspect": "an aspect above [screen] max_aspect",
    "blank": "nearly one colour",
    "line_art": "line art without colour",
    "greyscale": "without colour, or a print in one ink",
    "duplicate": "a duplicate of an earlier post; [filter] duplicates = keep keeps it",
    "beside_the_test": "a duplicate of a test picture, and the test set is full",
    "no_ink": "the sketch model found no line",
    "no_lines": "the line model found no line",
    "blank_line": "the line art is blank at the packed size",
    "missing": "its picture, sketch or line art is in none of the shards",
    "part_missing": "its sketch or line art is missing",
}
"""Meaning of each code of an outcome; the filter has none, its reasons are its rules."""


@dataclass(frozen=True, kw_only=True)
class StageFacts:
    """Numbers of a stage, summed over its shards.

    Attributes:
        name: name of the stage.
        unit: what it counts, such as `pictures`.
        kept: number of pictures (or posts) that were kept.
        dropped: number of pictures (or posts) that were dropped, by reason.
        seconds: seconds of work.
        bytes: size on disk.
    """

    name: str
    unit: str
    kept: int
    dropped: Mapping[str, int]
    seconds: float
    bytes: int


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """The contents of the report.

    Attributes:
        dataset: name of the dataset.
        created: when it was packed, ISO 8601, UTC.
        fingerprint: fingerprint of the build.
        stages: the stages, in order; the first two count posts.
        funnel: the filter's rules, in order, with the number of posts that each dropped.
        gates: the screen's gates, in order, with the number of pictures that each dropped.
        color_profiles: number of downloaded pictures by what became of their colour profile.
        joins: number of pairs of duplicates, by reason.
        split: number of pictures by split, `train` and `test`.
        files: size in bytes by path.
        config: value by section and key.
        versions: versions of Senga and of the libraries.
    """

    dataset: str
    created: str
    fingerprint: str
    stages: Sequence[StageFacts]
    funnel: Sequence[tuple[str, int]]
    gates: Sequence[tuple[str, int]]
    color_profiles: Mapping[str, int]
    joins: Mapping[str, int]
    split: Mapping[str, int]
    files: Mapping[str, int]
    config: Mapping[str, Mapping[str, str]]
    versions: Mapping[str, str]


@dataclass(frozen=True)
class FunnelStep:
    """One bar of the funnel: the posts or pictures that are kept after a step."""

    label: str
    kept: int
    dropped: int
    share: float  # of the first bar, 0 to 1
    of_previous: float  # 0 to 1


def write_report(
    target: Path, facts: ReportFacts, contact_sheet: bytes, groups: bytes = b""
) -> None:
    """Write the report as one self-contained HTML file.

    Args:
        target: the file to write.
        facts: what it shows.
        contact_sheet: a PNG.
        groups: a PNG of groups of duplicates; empty if there are none.
    """
    loader = PackageLoader("pipeline.report", "")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"bytes": format_bytes, "number": "{:,}".format}
    html = environment.get_template("report.html").render(
        facts=facts,
        pairs=sum(facts.split.values()),
        steps=funnel(facts.stages, facts.funnel, facts.gates),
        reasons=dropped_by_reason(facts),
        slowest=max((stage.seconds for stage in facts.stages), default=0.0) or 1.0,
        meanings=MEANINGS,
        sheet=base64.b64encode(contact_sheet).decode(),
        groups=base64.b64encode(groups).decode(),
    )
    target.write_text(html, encoding="utf-8")


def funnel(
    stages: Sequence[StageFacts],
    rules: Sequence[tuple[str, int]],
    gates: Sequence[tuple[str, int]],
) -> list[FunnelStep]:
    """Return the steps from all posts to the pairs: filter rules, gates and later stages.

    Args:
        stages: as in `ReportFacts`.
        rules: the filter's rules, with the number of posts that each dropped.
        gates: the screen's gates, with the number of pictures that each dropped.
    """
    metadata, _, *later = stages
    counts = [("posts read", metadata.kept)]
    kept = metadata.kept
    for rule, dropped in rules:
        kept -= dropped
        counts.append((rule, kept))
    for stage in later:
        if stage.name == "screen":
            kept = stage.kept + sum(dropped for _, dropped in gates)
            for gate, dropped in gates:
                kept -= dropped
                counts.append((f"screen {gate}", kept))
        elif stage.name != "split" or stage.dropped:
            counts.append((stage.name, stage.kept))
    first = max(metadata.kept, 1)
    previous = [metadata.kept + sum(metadata.dropped.values()), *(count for _, count in counts)]
    return [
        FunnelStep(label, count, before - count, count / first, count / before if before else 0.0)
        for (label, count), before in zip(counts, previous, strict=False)
    ]


def dropped_by_reason(facts: ReportFacts) -> list[tuple[str, str, int]]:
    """Return stage, reason and count of everything that was dropped after the filter."""
    stages = [stage for stage in facts.stages if stage.name != "filter"]
    return [
        (stage.name, reason, count)
        for stage in stages
        for reason, count in sorted(stage.dropped.items(), key=lambda row: -row[1])
    ]


def format_bytes(number: float) -> str:
    """Format a number of bytes for people: `512 B`, `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def summary_table(facts: ReportFacts) -> Table:
    """Return the table that a build prints at its end, a row per stage."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("stage")
    for heading in ("kept", "dropped", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("top reason")
    for stage in facts.stages:
        top = sorted(stage.dropped.items(), key=lambda row: -row[1])[:1]
        table.add_row(
            stage.name,
            f"{stage.kept:,} {stage.unit}",
            f"{sum(stage.dropped.values()):,}",
            f"{stage.seconds:.1f}",
            ", ".join(f"{reason} {count:,}" for reason, count in top),
        )
    return table
