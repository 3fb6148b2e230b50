"""The report on a build: what was kept and what was not, and why, and what it looks like."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich import box
from rich.table import Table

from pipeline.collect.outcome import MEANINGS as DOWNLOADS

MEANINGS = {
    **DOWNLOADS,
    "http_404": "the server does not have it any more",
    "http_410": "the server has deleted it",
    "http_403": "the server refuses to hand it out",
    "http_429": "too many requests; asked again on the next run",
    "http_503": "the server is overloaded; asked again on the next run",
    "truncated": "the picture ends too early",
    "broken": "the picture cannot be decoded",
    "not_a_picture": "the file is no JPEG, PNG or GIF",
    "too_large": "more pixels than Senga decodes",
    "field_count": "the row has more or fewer fields than the header",
    "duplicate_id": "an earlier row has the same id",
    "too_small": "a side below [screen] min_side",
    "bad_aspect": "longer than [screen] max_aspect allows",
    "blank": "nearly of one colour",
    "line_art": "lines on paper, without colour",
    "greyscale": "without colour, or in one ink",
    "duplicate": "shows the same as an earlier post; [filter] duplicates = keep keeps it",
    "beside_the_test": "shows the same as a test picture, and the test set is full",
    "no_ink": "the sketch model found no line",
    "no_lines": "the line model found no line",
    "blank_line": "no line is left at the packed size",
    "missing": "a part of it is in none of the shards",
    "part_missing": "a sketch or a line is missing",
}
"""Reasons in plain words; a filter's reasons are its rules."""


@dataclass(frozen=True, kw_only=True)
class StageFacts:
    """What a stage did, all of its shards together.

    Attributes:
        name: of the stage.
        unit: what it counts.
        kept: how many came through.
        dropped: how many did not, by reason.
        seconds: of work, summed over shards.
        bytes: on disk.
    """

    name: str
    unit: str
    kept: int
    dropped: Mapping[str, int]
    seconds: float
    bytes: int


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """What the report shows.

    Attributes:
        dataset: its name.
        created: when it was packed, ISO 8601, UTC.
        fingerprint: of the build.
        stages: in order; the first two count posts.
        funnel: the filter's rules, in order, with the posts that each dropped.
        gates: those of the screen, in order, with the pictures that each dropped.
        joins: pairs of pictures that show the same, by the reason to think so.
        split: pictures by part.
        files: bytes by path.
        config: value by section and key.
        versions: of what made it.
    """

    dataset: str
    created: str
    fingerprint: str
    stages: Sequence[StageFacts]
    funnel: Sequence[tuple[str, int]]
    gates: Sequence[tuple[str, int]]
    joins: Mapping[str, int]
    split: Mapping[str, int]
    files: Mapping[str, int]
    config: Mapping[str, Mapping[str, str]]
    versions: Mapping[str, str]


@dataclass(frozen=True)
class FunnelStep:
    """One bar of the funnel: what is left after a step."""

    label: str
    left: int
    dropped: int
    share: float  # of the first bar, 0 to 1
    of_previous: float  # 0 to 1


def write_report(
    target: Path, facts: ReportFacts, contact_sheet: bytes, groups: bytes = b""
) -> None:
    """Writes one HTML file that needs nothing else.

    Args:
        target: the file.
        facts: what it shows.
        contact_sheet: a PNG.
        groups: a PNG of pictures that show the same; empty where there are none.
    """
    loader = PackageLoader("pipeline.report", "")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"size": size, "number": "{:,}".format}
    html = environment.get_template("report.html").render(
        facts=facts,
        pairs=sum(facts.split.values()),
        steps=funnel(facts),
        reasons=reasons(facts),
        slowest=max((stage.seconds for stage in facts.stages), default=0.0) or 1.0,
        meanings=MEANINGS,
        sheet=base64.b64encode(contact_sheet).decode(),
        groups=base64.b64encode(groups).decode(),
    )
    target.write_text(html, encoding="utf-8")


def funnel(facts: ReportFacts) -> list[FunnelStep]:
    """From all posts to the pairs, one step per filter rule, gate and later stage."""
    metadata, _, *later = facts.stages
    counts = [("posts read", metadata.kept)]
    left = metadata.kept
    for rule, dropped in facts.funnel:
        left -= dropped
        counts.append((rule, left))
    for stage in later:
        if stage.name == "screen":
            left = stage.kept + sum(dropped for _, dropped in facts.gates)
            for gate, dropped in facts.gates:
                left -= dropped
                counts.append((f"screen {gate}", left))
        elif stage.name != "split" or stage.dropped:
            counts.append((stage.name, stage.kept))
    first = max(metadata.kept, 1)
    previous = [metadata.kept, *(count for _, count in counts)]
    return [
        FunnelStep(label, count, before - count, count / first, count / before if before else 0.0)
        for (label, count), before in zip(counts, previous, strict=False)
    ]


def reasons(facts: ReportFacts) -> list[tuple[str, str, int]]:
    """Stage, reason and count of everything that was dropped outside the filter."""
    stages = [stage for stage in facts.stages if stage.name != "filter"]
    return [
        (stage.name, reason, count)
        for stage in stages
        for reason, count in sorted(stage.dropped.items(), key=lambda row: -row[1])
    ]


def size(number: float) -> str:
    """Bytes as people read them: `512 B`, `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def summary_table(facts: ReportFacts) -> Table:
    """The table at the end of a build: stage, kept, dropped, seconds."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("stage")
    for heading in ("kept", "dropped", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("mostly because")
    for stage in facts.stages:
        most = sorted(stage.dropped.items(), key=lambda row: -row[1])[:1]
        table.add_row(
            stage.name,
            f"{stage.kept:,} {stage.unit}",
            f"{sum(stage.dropped.values()):,}",
            f"{stage.seconds:.1f}",
            ", ".join(f"{reason} {count:,}" for reason, count in most),
        )
    return table
