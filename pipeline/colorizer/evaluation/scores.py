"""The numbers of an evaluation: kept as JSON, read by people as tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sketch_models.errors import SengaError


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How a measure is read.

    Attributes:
        title: over its column.
        better: `higher`, `lower`, or empty where neither is.
        decimals: that are shown.
        meaning: in plain words.
    """

    title: str
    better: str
    decimals: int
    meaning: str

    @property
    def heading(self) -> str:
        """Its title with an arrow to the better side."""
        return self.title + {"higher": " ↑", "lower": " ↓", "": ""}[self.better]


MEASURES = {
    "psnr": Measure(
        title="PSNR, dB",
        better="higher",
        decimals=2,
        meaning="how close every pixel is to the original",
    ),
    "ssim": Measure(
        title="SSIM",
        better="higher",
        decimals=3,
        meaning="how close the structure around every pixel is, up to 1",
    ),
    "ms_ssim": Measure(
        title="MS-SSIM",
        better="higher",
        decimals=3,
        meaning="the same at several scales, up to 1",
    ),
    "hint_difference": Measure(
        title="CIEDE2000 in hints",
        better="lower",
        decimals=2,
        meaning=(
            "how far the colour inside the hints is from the original; "
            "below 1 nobody sees it, above 10 anybody does at a glance"
        ),
    ),
    "line_f1": Measure(
        title="line F1",
        better="higher",
        decimals=3,
        meaning=(
            "how many of the lines are kept, and how few are new, up to 1; "
            "white fill hands them back untouched"
        ),
    ),
    "diversity": Measure(
        title="diversity, CIEDE2000",
        better="",
        decimals=2,
        meaning="how far results with different z are from each other",
    ),
    "fid": Measure(
        title="FID",
        better="lower",
        decimals=1,
        meaning=(
            "how far the features of all results are from those of the originals; "
            "with fewer than thousands of pictures it is large by itself"
        ),
    ),
    "lpips": Measure(
        title="LPIPS",
        better="lower",
        decimals=3,
        meaning="how far deep features of a result are from those of its original",
    ),
}
"""By name, in the order of the columns."""

Z_LABELS = {"": "", "prior": ", z drawn", "zero": ", z = 0", "posterior": ", z from the truth"}
"""By where z comes from: what follows the name of a method."""

THE_TRUTH = "the truth"
"""The name of the method that hands in the original picture."""

MISSING = "–"


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number.

    Attributes:
        method: that painted.
        z: where its latent code came from: `prior`, `zero`, `posterior`; empty where it has none.
        hints: patches of colour per picture.
        measure: one of `MEASURES`.
        mean: over the pictures; NaN where there is none.
        low: lower bound of its interval; NaN for a number that only the whole set has.
        high: upper bound of its interval; NaN likewise.
        n: pictures that it was measured on.
    """

    method: str
    z: str
    hints: int
    measure: str
    mean: float
    low: float
    high: float
    n: int

    @property
    def label(self) -> str:
        """Method and z, for people."""
        return self.method + Z_LABELS[self.z]

    @property
    def is_bound(self) -> bool:
        """Whether it was helped by the picture that was to be painted."""
        return self.z == "posterior" or self.method == THE_TRUTH

    @property
    def note(self) -> str:
        """What the truth was to it; empty for a rival."""
        if self.method == THE_TRUTH:
            return "for reference"
        return "upper bound" if self.is_bound else ""

    @property
    def is_known(self) -> bool:
        """Whether there is a number."""
        return math.isfinite(self.mean)

    @property
    def has_interval(self) -> bool:
        """Whether it is known how sure the number is."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def scores_to_json(scores: Iterable[Score]) -> str:
    """A list of objects, one per line; null where there is no number."""
    rows = [json.dumps({k: _plain(v) for k, v in asdict(score).items()}) for score in scores]
    return "[\n" + ",\n".join(rows) + "\n]\n"


def _plain(value: str | float) -> str | float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def scores_from_json(text: str) -> list[Score]:
    """What `scores_to_json` wrote.

    Raises:
        SengaError: for anything else.
    """
    try:
        return [_score(row) for row in json.loads(text)]
    except (KeyError, TypeError, ValueError) as error:
        names = ", ".join(field.name for field in fields(Score))
        raise SengaError(
            f"These are no scores ({error!r}): expected a JSON list of objects with {names}; "
            "evaluate again."
        ) from error


def _score(row: dict[str, Any]) -> Score:
    if row["z"] not in Z_LABELS or row["measure"] not in MEASURES:
        raise ValueError(f"{row['measure']}, z {row['z']}")
    return Score(
        method=str(row["method"]),
        z=row["z"],
        hints=int(row["hints"]),
        measure=row["measure"],
        n=int(row["n"]),
        **{name: _number(row[name]) for name in ("mean", "low", "high")},
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def measures_of(scores: Iterable[Score]) -> list[str]:
    """The measures that have a number, in the order of the columns."""
    found = {score.measure for score in scores if score.is_known}
    return [name for name in MEASURES if name in found]


def hints_of(scores: Iterable[Score]) -> list[int]:
    """The numbers of hints that there are scores for, ascending."""
    return sorted({score.hints for score in scores})


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best score of a measure among those that have not seen the truth.

    Attributes:
        score: of the winner.
        clear: whether its interval is apart from those of all other methods. Intervals that
            overlap say nothing either way; the winner's own score with another z does not count.
    """

    score: Score
    clear: bool


def best(scores: Iterable[Score], measure: str, hints: int) -> Best | None:
    """Who wins a measure with a number of hints; nobody where neither side of it is better."""
    better = MEASURES[measure].better
    rivals = [
        score
        for score in scores
        if (score.measure, score.hints) == (measure, hints)
        and score.is_known
        and not score.is_bound
    ]
    if not rivals or not better:
        return None
    first = (max if better == "higher" else min)(rivals, key=lambda score: score.mean)
    others = [score for score in rivals if score.method != first.method]
    return Best(score=first, clear=bool(others) and all(_apart(first, one) for one in others))


def _apart(one: Score, other: Score) -> bool:
    """Whether two intervals do not overlap; false where one is not known."""
    return one.low > other.high or one.high < other.low


def markdown_table(scores: Sequence[Score], hints: int = 10) -> str:
    """The scores with a number of hints as a Markdown table.

    Rows are methods, those that have seen the truth last; the best of each column is bold, its
    interval follows in brackets.
    """
    names = measures_of(score for score in scores if score.hints == hints)
    lines = [
        "| " + " | ".join(["", *(MEASURES[name].heading for name in names)]) + " |",
        "|---|" + "---:|" * len(names),
    ]
    found = {(score.label, score.measure): score for score in scores if score.hints == hints}
    winners = {name: best(scores, name, hints) for name in names}
    for label, note in labels(scores, hints).items():
        cells = [_markdown(found.get((label, name)), winners[name]) for name in names]
        lines.append("| " + " | ".join([f"{label} ({note})" if note else label, *cells]) + " |")
    return "\n".join(lines) + "\n"


def labels(scores: Iterable[Score], hints: int) -> dict[str, str]:
    """The rows of a table, and a note on each that has seen the truth; those come last."""
    here = [score for score in scores if score.hints == hints]
    return {score.label: score.note for score in sorted(here, key=lambda one: one.is_bound)}


def _markdown(score: Score | None, winner: Best | None) -> str:
    if score is None or not score.is_known:
        return MISSING
    number = shown(score.measure, score.mean)
    if winner and score.label == winner.score.label:
        number = f"**{number}**"
    return f"{number} ({interval(score)})" if score.has_interval else number


def shown(measure: str, value: float) -> str:
    """A value with the decimals of its measure."""
    return f"{value:.{MEASURES[measure].decimals}f}"


def interval(score: Score) -> str:
    """The bounds of an interval, such as `17.90–18.80`; empty where there is none."""
    if not score.has_interval:
        return ""
    return f"{shown(score.measure, score.low)}–{shown(score.measure, score.high)}"
