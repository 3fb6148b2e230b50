"""The dataset card of an export: README.md, whose head the Hugging Face hub and `datasets` read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.export.formats import FORMATS
from pipeline.export.read import Plan
from pipeline.report.report import MEANINGS, FunnelStep

_SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
_LARGEST = "1M<n<10M"

_OF_THE_ARTISTS = """\
The pictures belong to their artists. Senga, which made this export, gives no licence to them, and
neither does the board that they are from. `credits.csv` names the artists as far as the posts do,
and has a link to every post. Study and train with it if the law where you are allows that, do not
publish it without the artists' consent, and take out a picture if its artist asks you to."""

_DRAWN = """\
The pictures are drawn by Senga's own code and are free, under the MIT licence of Senga: credit is
welcome and not needed. No artist's picture is among them."""

_WITH_DATASETS = """\
```python
from datasets import load_dataset

train = load_dataset(".")["train"]  # the path of this folder, or its name on the hub
```"""

_USAGE = {
    "webdataset": """\
```python
import webdataset as wds

train = wds.WebDataset("train-000000.tar", shardshuffle=False).decode("pil")
```""",
    "folders": """\
A picture and its drawing have the same name, `train/color/1.png` and `train/sketch/1.png`; the
caption is in `train/color/1.txt`.""",
}
"""How to load a format that is not best loaded with `datasets`."""


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """What the card says of the build.

    Attributes:
        dataset: name of the dataset.
        version: of Senga.
        recipe: options that differ from the defaults, by section and key.
        steps: the funnel, from all posts to the split.
        drawn: whether the pictures are those of the sample booru.
    """

    dataset: str
    version: str
    recipe: Mapping[str, str]
    steps: Sequence[FunnelStep]
    drawn: bool


def card(
    facts: CardFacts, plan: Plan, counts: Mapping[str, int], dropped: Mapping[str, int]
) -> str:
    """Return the text of the card.

    Args:
        facts: of the build.
        plan: of the export.
        counts: number of pictures by split.
        dropped: number of pictures that could not be exported, by code.
    """
    sections = [
        f"# {facts.dataset}: colour pictures and their line art",
        f"{sum(counts.values()):,} colour pictures, each with {_drawings(plan)}, which Senga "
        f"{facts.version} has found in it, and a caption of its tags. {_look(plan)}",
        "## Load",
        _usage(plan),
        "## Pictures",
        _table(("split", "pictures"), ((split, f"{n:,}") for split, n in counts.items())),
        "No picture of the test split shows the same as one of the training split.",
        *_dropped(dropped),
        "## Recipe",
        "The options that differ from Senga's defaults:",
        _table(("option", "value"), ((f"`{k}`", _shown(v)) for k, v in facts.recipe.items())),
        "## From the posts to the pictures",
        _table(
            ("step", "kept", "dropped"),
            [
                *((step.label, f"{step.kept:,}", f"{step.dropped:,}") for step in facts.steps),
                ("export", f"{sum(counts.values()):,}", f"{sum(dropped.values()):,}"),
            ],
        ),
        "## Credits and licence",
        _DRAWN if facts.drawn else _OF_THE_ARTISTS,
    ]
    return "\n".join([*_head(facts, plan, sum(counts.values())), "", "\n\n".join(sections), ""])


def _head(facts: CardFacts, plan: Plan, pictures: int) -> Iterator[str]:
    """Yield the lines of the YAML front matter."""
    size = next((text for limit, text in _SIZES.items() if pictures < limit), _LARGEST)
    yield "---"
    yield f"pretty_name: {facts.dataset}"
    yield f"license: {'mit' if facts.drawn else 'other'}"
    yield "task_categories: [image-to-image, text-to-image]"
    yield "tags: [line-art, colorization]"
    yield f"size_categories: [{size}]"
    files = FORMATS[plan.options.format].data_files
    if files:
        yield "configs:"
        yield "- config_name: default"
        yield "  data_files:"
        for split in ("train", "test"):
            yield f"  - split: {split}"
            yield f"    path: {files.format(split=split)}"
    yield "---"


def _drawings(plan: Plan) -> str:
    names = [f"`{name}`" for name in plan.drawings.names.values()]
    if len(names) == 1:
        return f"its drawing {names[0]}"
    return f"its drawings {', '.join(names[:-1])} and {names[-1]}"


def _look(plan: Plan) -> str:
    """Return sentences on size, shape and colour of lines."""
    options = plan.options
    sizes = {
        "own": f"The long side is at most {options.size} pixels."
        if options.size
        else "They have the size of the posts' pictures.",
        "pad": f"They are {options.size} pixels square, with white around the picture.",
        "crop": f"They are the middle squares of the pictures, {options.size} pixels wide.",
    }
    lines = "white on black" if options.white_lines else "black on white"
    return f"{sizes[options.shape]} Lines are {lines}, and lie on the picture pixel by pixel."


def _usage(plan: Plan) -> str:
    """Return how to load it."""
    return _USAGE.get(plan.options.format, _WITH_DATASETS)


def _dropped(dropped: Mapping[str, int]) -> list[str]:
    if not dropped:
        return []
    rows = ((code, f"{n:,}", MEANINGS.get(code, "")) for code, n in dropped.items())
    return ["Not exported:", _table(("reason", "pictures", "meaning"), rows)]


def _shown(value: str) -> str:
    return f"`{value}`" if value else "none"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
